"""The pages: who joins and leaves, what they change, and what each is sent. One message in, state and calls out.

Lives on the event loop; only `wake`, `push_to` and `session_of` may be called from elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from . import codec
from .asks import Asks, Done
from .batches import Batches
from .calls import Cause, Item
from .clients import Client, Clients
from .engine import Engine
from .errors import ProtocolError
from .events import is_building
from .greeter import Greeter
from .intake import Intake
from .limits import PageLimits
from .presence import Presence
from .protocol import Applied, Change, Close, Hello, Mount, Pong, WatchList
from .refusals import Refusals
from .sessions import Link, Session, Sessions
from .shared import Entry, Key
from .supervision import Watch
from .vitals import SWEEP_SECONDS, Vitals
from .waker import Grace, Waker

logger = logging.getLogger("dash_devices.clients")

MIN_RETRY = 250  # ms over which the pages of a server that stops spread their tries
RETRY_EACH = 1.25  # ms for each page, where there are more; of 1,000 pages, 17 to 19 % then came within 0.1 s
TAB_CLOSED = (Close.NORMAL, Close.GOING_AWAY, 1005)  # 1005: closed without a code


class Hub:
    """All pages of one app.

    Attributes:
        build: hash of the app's code; pages of another build reload.
        presence: who has joined and not left.
        vitals: whether they are alive.
        faults: says whether one more line about a page that breaks the rules may be logged.
        greeted: called under the lock with the session of every hello.
        sweeping: called once a second.
        closing: called before the pages are told that the server goes.
    """

    def __init__(self, engine: Engine, *, leave_after: float = 5.0, limits: PageLimits | None = None) -> None:
        self.engine = engine
        self.limits = limits or PageLimits()
        self.sessions = Sessions()
        self.presence = Presence(engine, self.sessions, leave_after)
        self.greeter = Greeter(engine, secrets.token_urlsafe(9), self.limits)
        self.vitals = Vitals(engine, self.drop)
        self.faults = Refusals(engine.metrics)
        self.build = ""
        self.greeted: Callable[[Session], object] = lambda session: None
        self.sweeping: Callable[[], object] = lambda: None
        self.closing: Callable[[], object] = lambda: None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopping = False
        self.waker = Waker(self.flush)
        self.grace = Grace(self.flush_session)
        self.watch = Watch(engine.metrics)
        self._linked: dict[str, Session] = {}
        self.intake = Intake(engine, self.vitals.age, self.limits)
        self.asks = Asks(self.faults)
        engine.changed = self.wake
        engine.post_event = self._post_event
        engine.private = self._post_private

    @property
    def epoch(self) -> str:
        """Which life of the server this is."""
        return self.greeter.epoch

    # ---- waking: one flush at the end of the loop's tick, whoever asks for it ------------------------------------------
    def wake(self) -> None:
        """There is something to send. From any thread; many calls before the next tick are one."""
        self.waker.wake()

    def flush(self) -> None:
        """Send every page that can take it what it needs next."""
        batches: Batches = {}
        with self.engine.lock:
            self.watch.guard("flush", lambda: self.greeter.recheck_after_protect(self._linked.values()))
            for session in list(self._linked.values()):
                self.flush_session(session, batches)

    def flush_session(self, session: Session, batches: Batches | None = None) -> None:
        """A page can take frames again, or its answers have waited long enough. One that cannot be served holds up no other."""
        with self.engine.lock:
            work = partial(
                self._flush_session, session, self.engine.registry.version, {} if batches is None else batches
            )
            if not self.watch.guard("flush", work):
                self.drop(session, "what is due cannot be sent")

    def _flush_session(self, session: Session, version: int, batches: Batches) -> None:
        link = session.link
        if link is None or not link.writable:
            return
        if session.watch_version != version:
            session.watch_version = version
            session.outbox.post(codec.encode(WatchList(self.engine.registry.watch_list())))
        ping = partial(self.vitals.ping, session) if session.pulse.wanted else None
        frame = session.outbox.next_frame(session.page, self.engine.shared, batches, ping)
        if frame is not None:
            self.engine.metrics["frames_sent"] += 1
            self.engine.metrics["bytes_sent"] += len(frame)
            self.grace.end(session)
            link.send(frame)
        elif session.outbox.patient and self.loop is not None:
            self.grace.begin(session, self.loop)

    def _post_event(self, key: Key, triple: bytes) -> None:
        for session in self.presence.joined.values():
            session.outbox.post_event(key, triple)

    # ---- joining and leaving ------------------------------------------------------------------------------------------
    def hello(self, link: Link, hello: Hello, make_client: Callable[[str], Client], identity: Any = None) -> Session:
        """A page says who it is. Raises ProtocolError for a seq that was never given out."""
        with self.engine.lock:
            if hello.epoch == self.epoch and not 0 <= (hello.seq or 0) <= self.engine.shared.seq:
                raise ProtocolError(f"hello.seq: expected at most {self.engine.shared.seq}, got {hello.seq}")
            session = self.sessions.open(hello, make_client, identity)
            if session.link is not None:
                session.link.close(Close.REPLACED, "this page connected again")
                self.asks.drop(session)  # went out on the old line, if at all
            session.link = link
            session.outbox.clear()
            self._linked[session.token] = session
            self.vitals.begin(session, hello)
            self.greeter.greet(session, hello, self.build, len(self.clients))
            self.greeted(session)
        self.presence.join(session)
        self.wake()
        return session

    def laid_out(self, session: Session, seq: int) -> None:
        """The page got a layout that stands at this seq."""
        self.greeter.laid_out(session, seq)

    def unlinked(self, session: Session, link: Link, code: int) -> None:
        """A socket is gone. A closed tab leaves at once, a lost socket after a while."""
        if session.link is not link:
            return
        self._unlink(session)
        if code in TAB_CLOSED:
            self.presence.leave(session)
        elif self.loop is not None and not self.stopping:
            self.presence.leave_later(session, self.loop)

    def _unlink(self, session: Session) -> None:
        session.link = None
        self._linked.pop(session.token, None)
        session.client.connected = False
        self.asks.drop(session)

    def drop(self, session: Session, reason: str) -> None:
        """Cut a socket that is up but dead: its client leaves at once, and may resume."""
        link = session.link
        if link is None:
            return
        logger.warning("client %s: %s; its socket is cut", session.client, reason)
        self._unlink(session)
        self.presence.leave(session)
        link.abort()

    @property
    def clients(self) -> Clients:
        """The clients that have joined and not left."""
        return self.presence.clients

    # ---- for the app ---------------------------------------------------------------------------------------------------
    def session_of(self, client: Client | str) -> Session | None:
        """The session of a client, or of a client id."""
        for session in self.sessions:
            if session.client is client or session.client.id == client:
                return session
        return None

    def change(self, session: Session, change: Change, size: int) -> None:
        """Watched properties got new values in a page. ``size``: bytes of the frame."""
        self.intake.change(session, change, size)
        self.wake()

    def applied(self, session: Session, message: Applied | Pong) -> None:
        """A page applied what it was sent. Raises ProtocolError for a seq it was never sent."""
        with self.engine.lock:
            was_kept_back = session.outbox.applied(message.seq)
            if isinstance(message, Pong):
                was_kept_back |= self.vitals.pong(session, message)
        if was_kept_back:
            self.wake()

    def mount(self, session: Session, mount: Mount) -> None:
        """Watched properties appeared in a page."""
        self.intake.mount(session, mount)
        self.wake()

    def ask(self, session: Session, id: str, properties: list[str], done: Done) -> None:
        """Ask a page for current values. On the loop only."""
        with self.engine.lock:
            self.asks.ask(session, id, [name for name in properties if session.outbox.may_read((id, name))], done)
        self.wake()

    def push_to(self, session: Session, items: list[Item], *, quiet: bool = False, behalf: Client | None = None) -> int:
        """Values for one page. Into a watched property they count as a change by that client.

        ``quiet``: there they are adopted only where the server has no value, as at mounting.
        """
        with self.engine.lock:
            registry, events = self.engine.registry, self.engine.events
            shared = [one for one in items if registry.is_watched(one.key) and not (quiet and one.key in events)]
            self._post_props(session, [item for item in items if item not in shared])
            if quiet:
                shared = [one for one in shared if one.key not in self.engine.shared and one.encoded != b"null"]
            if shared:
                self.engine.store(shared, Cause(client=session.client, quiet=quiet, behalf=behalf))
        self.wake()
        return self.engine.shared.seq

    def _post_private(self, client: Client, items: list[Item]) -> None:
        """Results of a callback that shares with nobody but the page that asked."""
        session = self.session_of(client)
        if session is not None:
            with self.engine.lock:
                shown = session.outbox.shown([Entry(item.key, 0, encoded=item.encoded) for item in items])
                self._post_props(session, [Item(entry.key, entry.encoded) for entry in shown])
            self.wake()

    def _post_props(self, session: Session, items: list[Item]) -> None:
        if session.link is None:
            return  # a new line begins with an empty outbox
        for item in items:
            each = is_building(item) or item.key in self.engine.events
            session.outbox.post_props(item.key, item.encoded, each=each)

    def spawn(self, coroutine: Awaitable[None], name: str) -> asyncio.Task[None]:
        """Run a coroutine beside the hub; it is cancelled when the server stops."""
        assert self.loop is not None
        return self.watch.task("a request", coroutine, loop=self.loop, name=name)

    # ---- the server's life ---------------------------------------------------------------------------------------------
    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server runs: from now on there is somebody to send to."""
        self.loop = loop
        self.stopping = False
        self.engine.lanes.loop = loop
        self.engine.running = True
        self.intake.start()
        self.waker.start(loop)
        self.watch.task("housekeeping", self._housekeeping(), loop=loop)
        self.engine.startup.open()

    async def _housekeeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.watch.guard("housekeeping", self.engine.lanes.report_slow)
            self.watch.guard("housekeeping", self.sweep)

    def sweep(self) -> None:
        """Cut the dead sockets, and send the pings that are due; rights that have changed count from now on."""
        self.watch.guard("housekeeping", self.sweeping)
        if self.vitals.sweep(list(self._linked.values())):
            self.wake()
        self.presence.forget_absent()
        with self.engine.lock:
            self.greeter.recheck(self._linked.values())

    def close_pages(self) -> None:
        """Tell every page that the server goes, after what is still to be sent, and how widely to spread the tries."""
        self.stopping = True
        self.closing()
        self.grace.end_all(self._linked.values())
        self.flush()
        code, reason = Close.RESTART, f"retry {max(MIN_RETRY, round(RETRY_EACH * len(self._linked)))}"
        for session in list(self._linked.values()):
            if session.link is not None:
                session.link.close(code, reason)

    async def stop(self) -> None:
        """Nothing runs or waits any more on the loop."""
        self.stopping, self.engine.running = True, False
        self.presence.clear()
        await self.engine.lanes.stop()
        await self.watch.stop()
        self.loop = None
        self.grace.end_all(self.sessions)
        self.waker.stop()
