"""The answer to a hello: where the page goes on from, and what it has to know first."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import orjson

from . import codec, protocol
from .access import View
from .calls import Cause
from .engine import Engine
from .limits import PageLimits
from .protocol import Close, Hello, Limits, Notice, Welcome
from .sessions import Session

logger = logging.getLogger("dash_devices.clients")

RETRY_MS = 100  # in which a page with other rights than before comes back
RERUN_MS = 2_000  # in which the pages of a server that restarted repeat their initial calls
RERUN_MS_EACH = 5  # more for each client


class Greeter:
    """Welcomes pages. The caller holds the engine's lock.

    Attributes:
        epoch: which life of the server this is.
        notice: what every page should show; empty: nothing.
        rerun: do pages repeat their initial calls after a restart?
    """

    def __init__(self, engine: Engine, epoch: str, limits: PageLimits) -> None:
        self.engine = engine
        self.limits = limits
        self.epoch = epoch
        self._access_version = 0
        self.notice = ""
        self.rerun = True
        self._ids_version = (-1, -1)
        self._ids = b"[]"
        self._covered: dict[str, bool] = {}  # dict ids: does a pattern stand for them?

    def greet(self, session: Session, hello: Hello, build: str, clients: int) -> None:
        """Place a page whose socket is new, and post the welcome with what was answered before; ``clients``: their number."""
        view = self.engine.access.view(session.client)
        session.layout_ref = None  # the answer may have got lost with the line
        mode = self._place(session, hello, view)
        session.outbox.view = view
        self._restore_known(session)
        self._welcome(session, mode, build, clients)

    def recheck(self, sessions: Iterable[Session]) -> None:
        """Rights may change at any time: pages that may read something else than before have to connect again."""
        self._access_version = self.engine.access.version
        for session in sessions:
            link = session.link
            if link is None:
                continue
            if self._is_behind(session.outbox.position):  # it cannot be told any more what was forgotten
                link.close(Close.RESTART, f"retry {RETRY_MS}")
            elif self.engine.access.hides and self.engine.access.view(session.client) is not session.outbox.view:
                logger.info("client %s: has other rights than before, and is to connect again", session.client)
                link.close(Close.RESTART, f"retry {RETRY_MS}")

    def _is_behind(self, position: int | None) -> bool:
        """Can it no more be told what was forgotten since?"""
        return position is not None and 0 <= position < self.engine.shared.told_from

    def recheck_after_protect(self, sessions: Iterable[Session]) -> None:
        """The same, if there are new rules since."""
        if self._access_version != self.engine.access.version:
            self.recheck(sessions)

    def _place(self, session: Session, hello: Hello, view: View | None) -> str:
        """Where the page goes on from: the mode of the welcome."""
        outbox = session.outbox
        if hello.epoch is None or hello.seq is None:
            outbox.position = None
            return "fresh"
        forgotten = hello.token is not None and hello.token != session.token
        # what a page with other rights was sent is no longer what it is to hold; and one was to be sent everything before
        is_changed = outbox.view is not view or outbox.again.wants_all
        is_unsure = outbox.position is not None and (is_changed or self._is_behind(hello.seq))
        is_reborn = hello.epoch != self.epoch or forgotten
        if is_reborn or is_unsure:
            self._begin_anew(session, hello, is_reborn)
            return "snapshot"
        if outbox.position is None:
            outbox.base = hello.seq  # its layout came over HTTP
        self._stand(session, hello.seq or -1)
        return "delta"

    @staticmethod
    def _begin_anew(session: Session, hello: Hello, is_reborn: bool) -> None:
        """The page is to be sent everything. Its numbers go on where what it did before is known."""
        session.kept |= not is_reborn
        if session.kept:
            session.resume_kept((hello.n or 0) if is_reborn else session.unsure)
        else:
            session.begin(hello.page)
        session.outbox.position = -1
        if not is_reborn:  # else the page goes on in the old epoch if this welcome gets lost
            session.outbox.again.start_over()

    def laid_out(self, session: Session, seq: int) -> None:
        """The page got a layout that stands at this seq: what it holds is counted from there."""
        session.outbox.laid_out(seq)
        self._stand(session, seq)

    def _stand(self, session: Session, seq: int) -> None:
        """The page stands at this seq: it needs what is newer, and the figures that got points since."""
        session.outbox.stand(seq)
        session.outbox.again.whole.update(e.key for e in self.engine.shared.entries() if e.extended > max(seq, 0))

    def _restore_known(self, session: Session) -> None:
        """A page that comes back still shows what it had announced; one that begins has announced nothing."""
        if session.known is not None:
            self.engine.components.forget_private(session.token)
            self.engine.components.add_private(session.token, session.known)
            session.known = None
            self.engine.startup.look(Cause(quiet=True, behalf=session.client))

    def _welcome(self, session: Session, mode: str, build: str, clients: int) -> None:
        session.watch_version = self.engine.registry.version
        shared: Any = orjson.Fragment(self._shared_ids())
        welcome = Welcome(
            version=protocol.VERSION,
            epoch=self.epoch,
            seq=self.engine.shared.seq,
            mode=mode,
            build=build,
            tab=session.client.id,
            token=session.token,
            handled=session.handled,
            kept=mode == "snapshot" and session.kept,
            rerun=RERUN_MS + RERUN_MS_EACH * clients if self.rerun else 0,
            watch=self.engine.registry.watch_list(),
            shared=shared,
            limits=Limits(
                protocol.MAX_UNACKED, self.limits.change_bytes, self.limits.message_bytes, protocol.MAX_BATCHES
            ),
        )
        session.outbox.post(codec.encode(welcome))
        if self.notice:
            session.outbox.post(codec.encode(Notice(self.notice)))
        if mode == "delta":
            session.answer_again()

    def _shared_ids(self) -> bytes:
        """The components that show shared state, as JSON; encoded once, however many pages come.

        Without those that a pattern stands for, as pages know it: visitors make up no others.
        """
        registry, shared = self.engine.registry, self.engine.shared
        if registry.version != self._ids_version[0] or len(self._covered) > 2 * len(shared):
            self._covered.clear()
        if (registry.version, shared.names_version) != self._ids_version:
            ids = [id for id in shared.ids() if not self._is_covered(id)]
            self._ids_version = registry.version, shared.names_version
            self._ids = orjson.dumps(list(dict.fromkeys((*registry.written_ids(), *ids))))
        return self._ids

    def _is_covered(self, id: str) -> bool:
        if id.startswith("{") and id not in self._covered:
            self._covered[id] = self.engine.registry.covers(id)
        return self._covered.get(id, False)
