"""The answer to a hello: where the page goes on from, and what it has to know first."""

from __future__ import annotations

from typing import Any

import orjson

from . import codec, protocol
from .engine import Engine
from .protocol import Hello, Limits, Notice, Welcome
from .sessions import Session


class Greeter:
    """Welcomes pages. The caller holds the engine's lock.

    Attributes:
        epoch: which life of the server this is.
        notice: what every page should show; empty: nothing.
    """

    def __init__(self, engine: Engine, epoch: str) -> None:
        self.engine = engine
        self.epoch = epoch
        self.notice = ""
        self._ids_version = (-1, -1)
        self._ids = b"[]"

    def greet(self, session: Session, hello: Hello, build: str) -> None:
        """Place a page whose socket is new, and post the welcome with what was answered before."""
        mode = self._place(session, hello)
        self._restore_known(session)
        self._welcome(session, mode, build)

    def _place(self, session: Session, hello: Hello) -> str:
        """Where the page goes on from: the mode of the welcome."""
        outbox = session.outbox
        if hello.epoch is None or hello.seq is None:
            outbox.position = None
            return "fresh"
        forgotten = hello.token is not None and hello.token != session.token
        if hello.epoch != self.epoch or forgotten:
            if session.kept:
                session.resume_kept(hello.n or 0)
            else:
                session.begin(hello.page)
            session.outbox.position = -1
            return "snapshot"
        if outbox.position is None:
            outbox.base = hello.seq  # its layout came over HTTP
        self._stand(session, hello.seq or -1)
        return "delta"

    def laid_out(self, session: Session, seq: int) -> None:
        """The page got a layout that stands at this seq: what it holds is counted from there."""
        session.outbox.base = seq
        self._stand(session, seq)

    def _stand(self, session: Session, seq: int) -> None:
        """The page stands at this seq: it needs what is newer, and the figures that got points since."""
        session.outbox.stand(seq)
        session.outbox.whole.update(e.key for e in self.engine.shared.entries() if e.extended > max(seq, 0))

    def _restore_known(self, session: Session) -> None:
        """A page that comes back still shows what it had announced; one that begins has announced nothing."""
        if session.known is not None:
            self.engine.components.forget_private(session.token)
            self.engine.components.add_private(session.token, session.known)
            session.known = None

    def _welcome(self, session: Session, mode: str, build: str) -> None:
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
            watch=self.engine.registry.watch_list(),
            shared=shared,
            limits=Limits(protocol.MAX_UNACKED, protocol.MAX_CHANGE, protocol.MAX_BATCHES),
        )
        session.outbox.post(codec.encode(welcome))
        if self.notice:
            session.outbox.post(codec.encode(Notice(self.notice)))
        if mode == "delta":
            session.answer_again()

    def _shared_ids(self) -> bytes:
        """The components that show shared state, as JSON; encoded once, however many pages come."""
        version = (self.engine.registry.version, self.engine.shared.width)
        if version != self._ids_version:
            ids = dict.fromkeys((*self.engine.registry.written_ids(), *self.engine.shared.ids()))
            self._ids_version, self._ids = version, orjson.dumps(list(ids))
        return self._ids
