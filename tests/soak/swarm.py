"""Many pages in one process, on one event loop, that come back as a real page does."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Self

import orjson

from dash_devices.protocol import Close

from .checker import Journal, Key, digest
from .page import Message, Page
from .wire import Wire

FIRST_DELAY, LAST_DELAY, PATIENT_DELAY = 0.25, 8.0, 5.0  # s; as in renderer/src/limits.ts
LOST_PER_DELAY = 1.5  # too
CONNECT_TIME = 10.0  # s for the handshake
SILENCE = 9.0  # s without a byte: the line is dead
FINAL = (Close.UNAUTHENTICATED, Close.FORBIDDEN, Close.REPLACED, Close.VERSION)
PATIENT = (Close.BAD_MESSAGE, Close.TOO_FAST)
RETRY = re.compile(r"retry (\d+)")

Where = tuple[str, int]


class Tab:
    """One page and its line. ``page`` may be looked at at any time.

    Attributes:
        closes: how its lines ended: ``(time on the loop's clock, code, reason)``.
        tries: when it tried to connect.
        on_frame: called with each frame, before the page takes it.
    """

    def __init__(self, swarm: Swarm, name: str) -> None:
        self.page = Page(name, swarm.journal)
        self.closes: list[tuple[float, int, str]] = []
        self.tries: list[float] = []
        self.on_frame: Callable[[bytes], None] | None = None
        self.wire: Wire | None = None
        self._swarm = swarm
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._lost_at: float | None = None
        self._least = FIRST_DELAY
        self._is_wanted = True

    # ---- what a user does ----------------------------------------------------------------------------------------------
    def change(self, id: str, value: Any, property: str = "value") -> None:
        """Change one control."""
        self._send(self.page.change([(id, property, value)]))

    def resend(self) -> None:
        """Send what is on its way a second time."""
        if self.page.is_up:
            self._send(self.page.resend())

    # ---- the line ------------------------------------------------------------------------------------------------------
    def connect(self) -> None:
        """Open the line now; harmless while it is open."""
        self._is_wanted = True
        if self.wire is None and self._task is None:
            self._cancel_timer()
            self.tries.append(self._loop.time())
            self._task = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            host, port = self._swarm.where
            async with asyncio.timeout(CONNECT_TIME):
                await self._loop.create_connection(self._make, host, port, ssl=self._swarm.ssl)
        except OSError:  # a TimeoutError is one, too
            self._retry(0.0)
        finally:
            self._task = None

    def _make(self) -> Wire:
        host, port = self._swarm.where
        return Wire(self, f"{host}:{port}", self._swarm.path, self._swarm.ssl is not None)

    def connected(self, wire: Wire) -> None:
        """The connection is there."""
        self.wire = wire

    def opened(self) -> None:
        """The handshake is done."""
        self._send([self.page.hello()])

    def heard(self, frame: bytes) -> None:
        """A frame arrived."""
        self._lost_at = None
        self._least = FIRST_DELAY
        if self.on_frame is not None:
            self.on_frame(frame)
        self._send(self.page.receive(frame))

    def closed(self, code: int, reason: str) -> None:
        """The line is gone."""
        self.wire = None
        self.page.lost()
        self.closes.append((self._loop.time(), code, reason))
        if code in FINAL:
            self._is_wanted = False
        elif self._is_wanted:
            hint = float(found[1]) / 1000 if (found := RETRY.search(reason)) else 0.0
            self._least = max(self._least, hint)
            self._retry(PATIENT_DELAY if code in PATIENT else 0.0, hint)

    def _retry(self, pause: float, hint: float = 0.0) -> None:
        """Full jitter: a thousand pages must not come back in the same instant. The span grows with the time lost."""
        if not self._is_wanted:
            return
        now = self._loop.time()
        if self._lost_at is None:
            self._lost_at = now
        span = hint or max(self._least, min(LAST_DELAY, (now - self._lost_at) / LOST_PER_DELAY))
        self._timer = self._loop.call_later(pause + random.random() * span, self.connect)

    def look(self) -> None:
        """A line that says nothing is dead."""
        if self.wire is not None and self._loop.time() - self.wire.heard_at > SILENCE:
            self.wire.abort()

    def leave(self, code: int = 1001) -> None:
        """Close the tab."""
        self.offline()
        if self.wire is not None:
            self.wire.close(code)

    def offline(self) -> None:
        """Do not come back before `connect`."""
        self._is_wanted = False
        self._cancel_timer()

    def _send(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if self.wire is not None:
                self.wire.send(orjson.dumps(message))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Swarm:
    """``async with Swarm(port, 1000) as swarm``: pages that connect when told, and are closed at the exit.

    Attributes:
        where: host and port; may be changed for the next attempts.
        journal: what all of them saw.
    """

    def __init__(self, port: int, count: int, *, path: str = "/_dash-devices/socket", ssl: Any = None) -> None:
        self.where: Where = ("127.0.0.1", port)
        self.path = path
        self.ssl = ssl
        self.journal = Journal()
        self.tabs: list[Tab] = []
        self._count = count
        self._sweeper: asyncio.Task[None] | None = None

    def __iter__(self) -> Iterator[Tab]:
        return iter(self.tabs)

    async def __aenter__(self) -> Self:
        self.tabs = [Tab(self, f"page {number}") for number in range(self._count)]
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._sweeper is not None
        self._sweeper.cancel()
        for tab in self.tabs:
            tab.leave()
        await until(lambda: all(tab.wire is None for tab in self.tabs), 5, strict=False)
        for tab in self.tabs:
            if tab.wire is not None:
                tab.wire.abort()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            for tab in self.tabs:
                tab.look()

    async def join(self, timeout: float = 60.0, step: int = 50) -> None:
        """All connect, ``step`` at a time, and have their layout."""
        for start in range(0, len(self.tabs), step):
            some = self.tabs[start : start + step]
            for tab in some:
                tab.connect()
            await until(lambda some=some: all(tab.page.seq is not None for tab in some), timeout, "the layouts")

    def total(self, what: str) -> int:
        """The sum of one of the counts of all pages."""
        return sum(tab.page.counts[what] for tab in self.tabs)

    def codes(self) -> Counter[int]:
        """How the lines ended."""
        return Counter(code for tab in self.tabs for _, code, _ in tab.closes)

    def lives(self) -> dict[str, str]:
        """Which life of `tests.soak.app` each epoch is, as far as pages know now."""
        return {tab.page.epoch: tab.page.shows.get(("life", "children"), "") for tab in self.tabs if tab.page.is_up}

    def differing(self, epoch: str, state: dict[Key, Any], tabs: Iterable[Tab] | None = None) -> list[str]:
        """The pages that are not at this state yet, by name."""
        wanted = list(state.items())
        return [tab.page.name for tab in (tabs or self.tabs) if not _stands(tab.page, epoch, wanted)]

    def digests(self, state: dict[Key, Any]) -> Counter[str]:
        """How many pages show what: hashes of the state."""
        return Counter(digest({key: tab.page.shows.get(key) for key in state}) for tab in self.tabs)


def _stands(page: Page, epoch: str, state: list[tuple[Key, Any]]) -> bool:
    shows = page.shows
    return page.is_up and page.epoch == epoch and not page.pending and all(shows.get(k) == v for k, v in state)


async def until(condition: Callable[[], Any], timeout: float, what: str = "it", *, strict: bool = True) -> bool:
    """Wait until a condition of this process holds; `TimeoutError` else, or False where not ``strict``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while not condition():
        if loop.time() > deadline:
            if strict:
                raise TimeoutError(f"{what}: still not so after {timeout:g} s")
            return False
        await asyncio.sleep(0.01)
    return True


async def steadily(rate: float, seconds: float, step: Callable[[int], Awaitable[None] | None]) -> int:
    """Call ``step(number)`` ``rate`` times a second; late ones are made up for. Returns how often."""
    loop = asyncio.get_running_loop()
    begin, done = loop.time(), 0
    while (now := loop.time() - begin) < seconds:
        for number in range(done, int(now * rate) + 1):
            result = step(number)
            if result is not None:
                await result
            done = number + 1
        await asyncio.sleep(min(0.05, 1 / rate))
    return done
