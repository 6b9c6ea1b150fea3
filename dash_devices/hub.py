"""The pages: who joins and leaves, what they change, and what each is sent. One message in, state and calls out.

Lives on the event loop; only `Hub.wake` may be called from elsewhere.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson

from . import protocol
from .calls import Cause, Item
from .clients import Client, Clients
from .components import canonical_id
from .engine import Engine
from .errors import ProtocolError
from .lanes import in_thread, run_as_call
from .outbox import Batch
from .patches import is_patch
from .protocol import Change, Close, Hello, Limits, Mount, Nack, Triple, WatchList, Welcome
from .registry import SharedCallback
from .sessions import Link, Session, Sessions
from .shared import Key

logger = logging.getLogger("dash_devices.clients")

TAB_CLOSED = (Close.NORMAL, Close.GOING_AWAY, 1005)  # 1005: closed without a code

ConnectCallback = Callable[[Client, bool], Any]


class Refused(Exception):
    """A change that is not taken; carries the nack's code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Hub:
    """All pages of one app.

    Attributes:
        epoch: which life of the server this is.
        build: hash of the app's code; pages of another build reload.
        leave_after: seconds that a lost socket may take to come back before the client leaves.
        push_to_page: what a truthy return value of a connect callback is handed to.
    """

    def __init__(self, engine: Engine, *, leave_after: float = 5.0) -> None:
        self.engine = engine
        self.sessions = Sessions()
        self.clients = Clients()
        self.epoch = secrets.token_urlsafe(9)
        self.build = ""
        self.leave_after = leave_after
        self.connect_callbacks: list[ConnectCallback] = []
        self.push_to_page: Callable[[Any, Client], Any] = lambda mods, client: None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopping = False
        self._woken = False
        self._linked: dict[str, Session] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asks: dict[int, Callable[[dict[str, Any] | None], None]] = {}
        self._ask_owner: dict[int, str] = {}
        self._last_ref = 0
        engine.changed = self.wake
        engine.post_event = self._post_event

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
            session.outbox.post(protocol.encode(WatchList(self.engine.registry.watch_list())))
        frame = session.outbox.next_frame(session.page, self.engine.shared, batches)
        if frame is not None:
            self.engine.metrics["frames_sent"] += 1
            self.engine.metrics["bytes_sent"] += len(frame)
            link.send(frame)

    def _post_event(self, key: Key, triple: bytes) -> None:
        for session in self.sessions:
            if session.joined:
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
            session.link = link
            session.outbox.clear()
            self._linked[session.token] = session
            self._welcome(session, self._place(session, hello))
        self._join(session)
        self.wake()
        return session

    def _place(self, session: Session, hello: Hello) -> str:
        """Where the page goes on from: the mode of the welcome."""
        outbox = session.outbox
        if hello.epoch is None or hello.seq is None:
            outbox.position = None
            return "fresh"
        if hello.epoch != self.epoch:
            session.begin(hello.page)
            session.outbox.position = -1
            return "snapshot"
        outbox.position = hello.seq
        outbox.whole.update(e.key for e in self.engine.shared.entries() if e.extended > hello.seq)
        return "delta"

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
        session.outbox.post(protocol.encode(welcome))
        if mode == "delta":
            for _, message in session.answers:
                session.outbox.post(message)

    def _join(self, session: Session) -> None:
        timer = self._leaving.pop(session.token, None)
        if timer is not None:
            timer.cancel()
        client = session.client
        client.connected = True
        if not session.joined:
            session.joined = True
            client.connect_time = time.time()
            self.clients.add(client)
            self._tell_connect(client, True)

    def unlinked(self, session: Session, link: Link, code: int) -> None:
        """A socket is gone. A closed tab leaves at once, a lost socket after a while."""
        if session.link is not link:
            return
        session.link = None
        self._linked.pop(session.token, None)
        session.client.connected = False
        for ref in [ref for ref, owner in self._ask_owner.items() if owner == session.token]:
            self.answered(session, ref, None)
        assert self.loop is not None
        if code in TAB_CLOSED:
            self._leave(session)
        elif not self.stopping:
            self._leaving[session.token] = self.loop.call_later(self.leave_after, self._leave, session)

    def _leave(self, session: Session) -> None:
        self._leaving.pop(session.token, None)
        if session.joined:
            session.joined = False
            self.clients.remove(session.client)
            self._tell_connect(session.client, False)
        with self.engine.lock:
            self.engine.components.forget_private(session.token)
        self.sessions.left(session, time.monotonic())

    def _tell_connect(self, client: Client, connect: bool) -> None:
        if not self.connect_callbacks:
            return
        call, future = run_as_call(lambda: self._run_connect(client, connect), f"connect callbacks of {client.id}")
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.engine.lanes.submit(f"connect {client.id}", call)

    async def _run_connect(self, client: Client, connect: bool) -> None:
        for function in list(self.connect_callbacks):
            try:
                if inspect.iscoroutinefunction(function):
                    mods = await function(client, connect)
                else:
                    mods = await in_thread(self.engine.lanes.threads, lambda f=function: f(client, connect))  # type: ignore[misc]
                if connect and mods:
                    self.push_to_page(mods, client)
            except Exception:
                logger.exception("connect callback %s failed for client %s", function.__qualname__, client.id)

    # ---- what pages say ------------------------------------------------------------------------------------------------
    def change(self, session: Session, change: Change, size: int) -> None:
        """Watched properties got new values in a page. ``size``: bytes of the frame."""
        if change.n <= session.handled:
            recorded = session.recorded(change.n)
            if recorded is not None:
                session.outbox.post(recorded)
            return
        if change.n > session.handled + 1:
            raise ProtocolError(f"change.n: expected {session.handled + 1}, got {change.n}; number changes one by one")
        with self.engine.lock:
            keys = [(_canonical(id), property) for id, property, _ in change.values]
            try:
                self._check(session, keys, change.values, size)
            except Refused as refused:
                self._refuse(session, change.n, keys, refused)
            else:
                self._take(session, change, keys)
        self.wake()

    def _take(self, session: Session, change: Change, keys: list[Key]) -> None:
        items = [Item(key, orjson.dumps(value)) for key, (_, _, value) in zip(keys, change.values, strict=True)]
        state = {(_canonical(id), property): value for id, property, value in change.state}
        session.answer(change.n, protocol.ack(change.n, self.engine.shared.seq + 1))
        self.engine.metrics["changes"] += 1
        self.engine.store(items, Cause(client=session.client, state=state), origin=session.page)

    def _refuse(self, session: Session, n: int, keys: list[Key], refused: Refused) -> None:
        self.engine.metrics["changes_refused"] += 1
        entries = [entry for key in keys if (entry := self.engine.shared.get(key)) is not None]
        message = protocol.refusal(n, self.engine.shared.seq, refused.code, str(refused), [e.triple for e in entries])
        session.answer(n, message)
        logger.warning("client %s: change refused (%s): %s", session.client, refused.code, refused)

    def _check(self, session: Session, keys: list[Key], values: list[Triple], size: int) -> None:
        for key in keys:
            if not self.may_change(session, key):
                raise Refused(Nack.NOT_FOUND, f"{key[0][:200]}.{key[1][:200]} is not a shared control")
        if any(is_patch(value) for _, _, value in values):
            raise Refused(Nack.BAD_VALUE, "a Patch is for the server to send, not to receive")
        limit = self._change_limit(keys)
        if size > limit and len(orjson.dumps(values)) > limit:
            raise Refused(Nack.TOO_BIG, f"the value is larger than {limit} bytes")
        if any(type(value) in (dict, list) for _, _, value in values):
            depth, nodes = protocol.complexity([value for _, _, value in values])
            if depth > protocol.MAX_DEPTH or nodes > protocol.MAX_NODES:
                raise Refused(Nack.TOO_COMPLEX, "the value is nested too deeply or has too many parts")
        full = self.engine.full_lane(keys)
        if full is not None:
            raise Refused(Nack.BUSY, self._busy_text(full))

    def _busy_text(self, callback: SharedCallback) -> str:
        waiting = self.engine.lanes.lane(callback.lane).waiting
        return f"{callback.name} has {waiting} calls waiting; most_recent=True would keep only the newest"

    def _change_limit(self, keys: Iterable[Key]) -> int:
        limits = [inv.callback.max_change for inv in self.engine.registry.invocations(keys)]
        return max([protocol.MAX_CHANGE, *(limit for limit in limits if limit is not None)])

    def may_change(self, session: Session, key: Key) -> bool:
        """Is it watched, and - for a dict id - does the server or this page show such a component?"""
        if not self.engine.registry.is_watched(key):
            return False
        return not key[0].startswith("{") or key[0] in self.engine.components

    def mount(self, session: Session, mount: Mount) -> None:
        """Watched properties appeared in a page: adopted where the server has no value, else the page gets the server's."""
        with self.engine.lock:
            values = [((_canonical(id), property), value) for id, property, value in mount.values]
            watched = [(key, value) for key, value in values if self.engine.registry.is_watched(key)]
            self.engine.components.add_private(session.token, [key[0] for key, _ in watched])
            adopted = []
            for key, value in watched:
                entry = self.engine.shared.get(key)
                encoded = orjson.dumps(value)
                if entry is None:
                    adopted.append(Item(key, encoded))
                elif entry.encoded != encoded:
                    session.outbox.post_props(key, entry.encoded)
            if adopted:
                self.engine.store(adopted, Cause(client=session.client, quiet=True), origin=session.page)
            self.engine.startup.look()
        self.wake()

    # ---- questions to a page -------------------------------------------------------------------------------------------
    def ask(self, session: Session, id: str, properties: list[str], done: Callable[[dict[str, Any] | None], None]) -> int:
        """Ask a page for current values; ``done`` gets them, or None when the page is gone. On the loop only."""
        self._last_ref += 1
        ref = self._last_ref
        if session.link is None:
            done(None)
            return ref
        self._asks[ref] = done
        self._ask_owner[ref] = session.token
        session.outbox.post(protocol.encode(protocol.Ask(ref, id, properties)))
        self.wake()
        return ref

    def answered(self, session: Session, ref: int, values: dict[str, Any] | None) -> None:
        """A page answered, or cannot any more."""
        if self._ask_owner.get(ref) == session.token:
            del self._ask_owner[ref]
            self._asks.pop(ref)(values)

    # ---- for the app ---------------------------------------------------------------------------------------------------
    def session_of(self, client: Client | str) -> Session | None:
        """The session of a client, or of a client id."""
        for session in self.sessions:
            if session.client is client or session.client.id == client:
                return session
        return None

    def push_to(self, session: Session, items: list[Item]) -> int:
        """Values for one page. Into a watched property they count as a change by that client."""
        with self.engine.lock:
            shared = [item for item in items if self.engine.registry.is_watched(item.key)]
            for item in items:
                if item not in shared:
                    session.outbox.post_props(item.key, item.encoded)
            if shared:
                self.engine.store(shared, Cause(client=session.client))
        self.wake()
        return self.engine.shared.seq

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
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()
        await self.engine.lanes.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.loop = None


def _canonical(id: str) -> str:
    try:
        return canonical_id(id)
    except ValueError:
        raise ProtocolError(f"id: expected a string or the JSON of a dict id, got {id!r:.60}") from None


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable

