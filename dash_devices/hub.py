"""The pages: who joins and leaves, what they change, and what each is sent. One message in, state and calls out.

Lives on the event loop; only `Hub.wake` may be called from elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable

from . import codec, protocol
from .asks import Asks, Done
from .calls import Cause, Item
from .clients import Client, Clients
from .engine import Engine
from .errors import ProtocolError
from .events import is_building
from .intake import Intake
from .outbox import Batch
from .presence import Presence
from .protocol import Change, Close, Hello, Limits, Mount, WatchList, Welcome
from .sessions import Link, Session, Sessions
from .shared import Key

logger = logging.getLogger("dash_devices.clients")

TAB_CLOSED = (Close.NORMAL, Close.GOING_AWAY, 1005)  # 1005: closed without a code


class Hub:
    """All pages of one app.

    Attributes:
        epoch: which life of the server this is.
        build: hash of the app's code; pages of another build reload.
        presence: who has joined and not left.
    """

    def __init__(self, engine: Engine, *, leave_after: float = 5.0) -> None:
        self.engine = engine
        self.sessions = Sessions()
        self.presence = Presence(engine, self.sessions, leave_after)
        self.epoch = secrets.token_urlsafe(9)
        self.build = ""
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopping = False
        self._woken = False
        self._linked: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.intake = Intake(engine)
        self.asks = Asks()
        engine.changed = self.wake
        engine.post_event = self._post_event
        engine.private = self._post_private

    # ---- waking: one flush at the end of the loop's tick, whoever asks for it ------------------------------------------
    def wake(self) -> None:
        """There is something to send. From any thread; many calls before the next tick are one."""
        loop = self.loop
        if loop is None or self._woken:
            return
        self._woken = True
        try:
            if asyncio.get_running_loop() is loop:
                loop.call_soon(self.flush)
                return
        except RuntimeError:
            pass  # no loop runs in this thread: it is not the loop's
        try:
            loop.call_soon_threadsafe(self.flush)
        except RuntimeError:
            self._woken = False  # the loop was closed meanwhile: pushes while the server stops are ignored

    def flush(self) -> None:
        """Send every page that can take it what it needs next."""
        self._woken = False
        batches: dict[int, Batch] = {}
        with self.engine.lock:
            version = self.engine.registry.version
            for session in list(self._linked.values()):
                self._flush_session(session, version, batches)

    def flush_session(self, session: Session) -> None:
        """A page can take frames again."""
        with self.engine.lock:
            self._flush_session(session, self.engine.registry.version, {})

    def _flush_session(self, session: Session, version: int, batches: dict[int, Batch]) -> None:
        link = session.link
        if link is None or not link.writable:
            return
        if session.watch_version != version:
            session.watch_version = version
            session.outbox.post(codec.encode(WatchList(self.engine.registry.watch_list())))
        frame = session.outbox.next_frame(session.page, self.engine.shared, batches)
        if frame is not None:
            self.engine.metrics["frames_sent"] += 1
            self.engine.metrics["bytes_sent"] += len(frame)
            link.send(frame)

    def _post_event(self, key: Key, triple: bytes) -> None:
        for session in self.presence.joined.values():
            session.outbox.post_event(key, triple)

    # ---- joining and leaving ------------------------------------------------------------------------------------------
    def hello(self, link: Link, hello: Hello, make_client: Callable[[str], Client]) -> Session:
        """A page says who it is. Raises ProtocolError for a seq that was never given out."""
        with self.engine.lock:
            if hello.epoch == self.epoch and not 0 <= (hello.seq or 0) <= self.engine.shared.seq:
                raise ProtocolError(f"hello.seq: expected at most {self.engine.shared.seq}, got {hello.seq}")
            session = self.sessions.open(hello, make_client)
            if session.link is not None:
                session.link.close(Close.REPLACED, "this page connected again")
                self.asks.drop(session)  # went out on the old line, if at all
            session.link = link
            session.outbox.clear()
            self._linked[session.token] = session
            mode = self._place(session, hello)
            self._restore_known(session)
            self._welcome(session, mode)
        self.presence.join(session)
        self.wake()
        return session

    def _restore_known(self, session: Session) -> None:
        """A page that comes back still shows what it had announced; one that begins has announced nothing."""
        if session.known is not None:
            self.engine.components.forget_private(session.token)
            self.engine.components.add_private(session.token, session.known)
            session.known = None

    def _place(self, session: Session, hello: Hello) -> str:
        """Where the page goes on from: the mode of the welcome."""
        outbox = session.outbox
        if hello.epoch is None or hello.seq is None:
            outbox.position = None
            return "fresh"
        forgotten = hello.token is not None and hello.token != session.token
        if hello.epoch != self.epoch or forgotten:
            session.begin(hello.page)
            session.outbox.position = -1
            return "snapshot"
        self.stand(session, hello.seq or -1)
        return "delta"

    def stand(self, session: Session, seq: int) -> None:
        """The page stands at this seq: it needs what is newer, and the figures that got points since."""
        session.outbox.position = seq
        session.outbox.whole.update(e.key for e in self.engine.shared.entries() if e.extended > max(seq, 0))

    def _welcome(self, session: Session, mode: str) -> None:
        session.watch_version = self.engine.registry.version
        welcome = Welcome(
            version=protocol.VERSION,
            epoch=self.epoch,
            seq=self.engine.shared.seq,
            mode=mode,
            build=self.build,
            tab=session.client.id,
            token=session.token,
            handled=session.handled,
            watch=self.engine.registry.watch_list(),
            limits=Limits(protocol.MAX_UNACKED, protocol.MAX_CHANGE),
        )
        session.outbox.post(codec.encode(welcome))
        if mode == "delta":
            session.answer_again()

    def unlinked(self, session: Session, link: Link, code: int) -> None:
        """A socket is gone. A closed tab leaves at once, a lost socket after a while."""
        if session.link is not link:
            return
        session.link = None
        self._linked.pop(session.token, None)
        session.client.connected = False
        self.asks.drop(session)
        if code in TAB_CLOSED:
            self.presence.leave(session)
        elif self.loop is not None and not self.stopping:
            self.presence.leave_later(session, self.loop)

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

    def mount(self, session: Session, mount: Mount) -> None:
        """Watched properties appeared in a page."""
        self.intake.mount(session, mount)
        self.wake()

    def ask(self, session: Session, id: str, properties: list[str], done: Done) -> None:
        """Ask a page for current values. On the loop only."""
        with self.engine.lock:
            self.asks.ask(session, id, properties, done)
        self.wake()

    def push_to(self, session: Session, items: list[Item], *, quiet: bool = False) -> int:
        """Values for one page. Into a watched property they count as a change by that client.

        ``quiet``: there they are adopted only where the server has no value, as at mounting.
        """
        with self.engine.lock:
            shared = [item for item in items if self.engine.registry.is_watched(item.key)]
            self._post_props(session, [item for item in items if item not in shared])
            if quiet:
                shared = [item for item in shared if item.key not in self.engine.shared]
            if shared:
                self.engine.store(shared, Cause(client=session.client, quiet=quiet))
        self.wake()
        return self.engine.shared.seq

    def _post_private(self, client: Client, items: list[Item]) -> None:
        """Results of a callback that shares with nobody but the page that asked."""
        session = self.session_of(client)
        if session is not None:
            with self.engine.lock:
                self._post_props(session, items)
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
        task = self.loop.create_task(_as_coroutine(coroutine), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ---- the server's life ---------------------------------------------------------------------------------------------
    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server runs: from now on there is somebody to send to."""
        self.loop = loop
        self.stopping = False
        self.engine.lanes.loop = loop
        self.engine.running = True
        self._woken = False
        self.spawn(self._housekeeping(), "dash-devices housekeeping")
        self.engine.startup.open()

    async def _housekeeping(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.engine.lanes.report_slow()

    def close_pages(self, code: int = Close.RESTART, reason: str = "the server stops") -> None:
        """Tell every page that the server goes, after what is still to be sent."""
        self.stopping = True
        self.flush()
        for session in list(self._linked.values()):
            if session.link is not None:
                session.link.close(code, reason)

    async def stop(self) -> None:
        """Nothing runs or waits any more on the loop."""
        self.stopping = True
        self.engine.running = False
        self.presence.clear()
        await self.engine.lanes.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.loop = None


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable
