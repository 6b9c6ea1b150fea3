"""A line with faults: a TCP proxy whose every connection can be cut, stalled, slowed and delayed, each way by itself.

A stalled way keeps its bytes and carries them later, as TCP does once a network is back. Bytes cannot be doubled on a TCP
connection; what arrives twice in life is a change that a page sends again: see `tests.soak.page.Page.resend`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Self, cast

QUEUED = 4_096  # bytes a way holds before it stops reading: a slow line has no memory of its own
STEP = 0.02  # s between two bites of a slow way
SMALL = 8_192  # bytes of the kernel's buffers at both ends, so that slow is slow from the first byte on


class Way:
    """One direction of one connection.

    Attributes:
        stalled: nothing is carried, nothing is said; it waits.
        rate: bytes per second, or None for all there is.
        delay: seconds that each byte takes.
    """

    def __init__(self) -> None:
        self.stalled = False
        self.rate: float | None = None
        self.delay = 0.0
        self.source: Any = None
        self.sink: Any = None
        self.full = False
        self._queue: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_clear(self) -> bool:
        """Does it carry bytes as they come?"""
        return not (self.stalled or self._queue or self.delay) and self.rate is None

    @property
    def rests(self) -> bool:
        """Does nothing go on by itself?"""
        return self._timer is None

    def carry(self, data: bytes) -> None:
        """Bytes arrived."""
        if self.is_clear and self.sink is not None:
            self.sink.write(data)
            return
        self._queue.append((asyncio.get_running_loop().time() + self.delay, data))
        self._size += len(data)
        self.look()

    def look(self) -> None:
        """Carry what may go now; come again when there is more."""
        if self._timer is None and not self.stalled and self.sink is not None:
            self._bite()
        self.throttle()

    def throttle(self) -> None:
        """Read only while there is room."""
        if self.source is None or self.source.is_closing():
            return
        if self.stalled or self.full or self._size > QUEUED:
            self.source.pause_reading()
        else:
            self.source.resume_reading()

    def stop(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
        self._queue.clear()

    def _bite(self) -> None:
        self._timer = None
        if self.stalled:
            return
        loop = asyncio.get_running_loop()
        pause = STEP if self.rate is None else max(STEP, 1 / self.rate)
        budget = self._size if self.rate is None else max(1, int(self.rate * pause))
        while self._queue and budget and self._queue[0][0] <= loop.time():
            due, data = self._queue.popleft()
            self.sink.write(data[:budget])
            self._size -= min(budget, len(data))
            if len(data) > budget:
                self._queue.appendleft((due, data[budget:]))
            budget -= min(budget, len(data))
        if self._queue:
            self._timer = loop.call_later(pause, self._bite)
        self.throttle()


class _End(asyncio.Protocol):
    def __init__(self, line: Line, out: Way, back: Way, made: Callable[[Line], None] | None = None) -> None:
        self._line, self._out, self._back, self._made = line, out, back, made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out.source = self._back.sink = transport
        self._out.throttle()
        self._back.look()
        if self._made is not None:
            self._made(self._line)

    def data_received(self, data: bytes) -> None:
        self._out.carry(data)

    def pause_writing(self) -> None:
        self._back.full = True
        self._back.throttle()

    def resume_writing(self) -> None:
        self._back.full = False
        self._back.throttle()

    def connection_lost(self, error: Exception | None) -> None:
        self._line.lost()


class Line:
    """One carried connection. ``to_server`` and ``to_page`` are its ways; ``is_lost``: an end of it is gone."""

    def __init__(self, proxy: Proxy) -> None:
        self.to_server, self.to_page = Way(), Way()
        self._proxy = proxy
        self.is_lost = False

    @property
    def is_silent(self) -> bool:
        """Is it a black hole?"""
        return self.to_server.stalled and self.to_page.stalled

    def half_open(self) -> None:
        """Carry nothing any more, and tell nobody."""
        self.to_server.stalled = self.to_page.stalled = True
        self._throttle()

    def slow(self, rate: float | None, delay: float = 0.0) -> None:
        """Both ways carry ``rate`` bytes per second, each ``delay`` seconds late."""
        for way in (self.to_server, self.to_page):
            way.rate, way.delay = rate, delay

    def mend(self) -> None:
        """Carry everything again, first what waited. A line that lost an end meanwhile is cut: nothing can be written there."""
        if self.is_lost:
            self.cut()
            return
        for way in (self.to_server, self.to_page):
            way.stalled, way.rate, way.delay = False, None, 0.0
            way.look()

    def cut(self) -> None:
        """Break both ends at once."""
        self._end(lambda transport: transport.abort())

    def lost(self) -> None:
        """One end is gone: the other one hears of it, unless the line is a black hole."""
        self.is_lost = True
        if not self.is_silent:
            self._end(lambda transport: transport.close())  # what was written still goes out

    def _end(self, end: Callable[[Any], None]) -> None:
        self._proxy.lines.discard(self)
        for way in (self.to_server, self.to_page):
            way.stop()
            if way.source is not None:
                end(way.source)

    def _throttle(self) -> None:
        self.to_server.throttle()
        self.to_page.throttle()


class Proxy:
    """Carries connections to ``target`` on 127.0.0.1. On one event loop; an async context manager.

    Attributes:
        port: where it listens.
        target: where new connections go; may be changed at any time.
        lines: the connections that it carries.
        refuses: new connections are cut at once, as by a network that is down.
        swallows: new connections are accepted and carry nothing.
    """

    def __init__(self, target: int, *, rate: float | None = None, small: bool = False) -> None:
        self.target = target
        self.port = 0
        self.lines: set[Line] = set()
        self.refuses = False
        self.swallows = False
        self._rate = rate
        self._small = small
        self._server: asyncio.Server | None = None
        self._opening: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0, backlog=2_048)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._opening):
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)

    def cut(self) -> None:
        """Break all connections."""
        for line in list(self.lines):
            line.cut()

    def _accept(self) -> asyncio.Protocol:
        line = Line(self)
        line.slow(self._rate)
        self.lines.add(line)
        return _End(line, line.to_server, line.to_page, self._begin)

    def _begin(self, line: Line) -> None:
        task = asyncio.get_running_loop().create_task(self._open(line))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, line: Line) -> None:
        if self.swallows:
            line.half_open()
            return
        try:
            if self.refuses:
                raise ConnectionRefusedError
            await self._connect(line)
        except OSError:
            line.cut()

    async def _connect(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        one = socket.socket()
        with contextlib.ExitStack() as undo:
            undo.callback(one.close)
            one.setblocking(False)
            if self._small:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
            await loop.sock_connect(one, ("127.0.0.1", self.target))
            undo.pop_all()
        await loop.create_connection(lambda: _End(line, line.to_page, line.to_server), sock=one)
        if line not in self.lines:  # cut meanwhile
            cast(Any, line.to_page.source).abort()
