"""The HTTP connections of a server: how many may be open, and which ones are cut because nothing moves on them.

A connection on which nothing is due is never cut: an event stream may be silent for as long as it likes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from .body_room import BodyRoom
from .pace import Bucket
from .refusals import Refusals

MOST = 2_000  # connections in all, as many as sockets; fewer where the process may not have so many files
MOST_EACH = 256  # of one address: 40 browsers behind one router open six each
HEAD_SECONDS = 10.0  # until a request is complete up to its body, also the second one of a connection
BODY_BYTES, BODY_SECONDS = 16_384, 10.0  # of a body that must arrive in each span
READ_BYTES, READ_SECONDS = 65_536, 60.0  # of an answer that must be taken in each span while some of it waits
CANCELLED_BURST, CANCELLED_PER_SECOND = (
    200,
    20.0,
)  # requests of HTTP/2 that are reset; leaving a page resets 100 at most
CONTROL_BURST, CONTROL_PER_SECOND = (
    1_000,
    100.0,
)  # frames of HTTP/2 that carry nothing; browsers send one for each request
SPARE_FILES = 64  # descriptors for all that is no connection
SWEEP_SECONDS = 1.0


class Transport(Protocol):
    """What is needed of the transport."""

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""

    def close(self) -> None:
        """Close the connection after what waits."""

    def abort(self) -> None:
        """Cut the connection."""


class Span:
    """Whether at least ``size`` bytes move in each ``seconds`` while some are due."""

    __slots__ = ("_from", "_seconds", "_since", "_size")

    def __init__(self, size: int, seconds: float) -> None:
        self._size = size
        self._seconds = seconds
        self.start_over()

    def start_over(self) -> None:
        """The time begins anew at the next look."""
        self._since: float | None = None
        self._from = 0

    def is_over(self, is_due: bool, moved: int, now: float) -> bool:
        """Look at how many bytes have moved in all: was it too slow?"""
        if not is_due:
            self.start_over()
            return False
        if self._since is None or moved - self._from >= self._size:
            self._since, self._from = now, moved
        return now - self._since >= self._seconds


class HttpConnection:
    """One connection that is no push socket, or not yet.

    Attributes:
        key: what is counted together; empty: not counted.
        peer: its address, for the log.
        requests: how many are under way.
        awaited: of these, how many wait for the next part of their body.
        sending: parts of answers that the HTTP server has not passed on yet.
        received, written: bytes so far.
        held: bytes of the bodies of the requests that are under way.
        idle_since: since when no request is under way.
        cancelled: requests of HTTP/2 that were reset before they were answered.
        control: frames of HTTP/2 that carry nothing.
        is_open: it is neither cut nor gone.
    """

    def __init__(self, transport: Transport, key: str, peer: str, now: float) -> None:
        self.transport = transport
        self.key = key
        self.peer = peer
        self.requests = self.awaited = self.sending = 0
        self.received = self.written = self.held = 0
        self.idle_since = now
        self.cancelled = Bucket(CANCELLED_PER_SECOND, CANCELLED_BURST, now)
        self.control = Bucket(CONTROL_PER_SECOND, CONTROL_BURST, now)
        self.is_open = True
        self._body = Span(BODY_BYTES, BODY_SECONDS)
        self._reading = Span(READ_BYTES, READ_SECONDS)

    @property
    def place(self) -> str:
        """Whose bodies are counted with its own: also loopback and proxies are one address."""
        return self.key or self.peer

    def begin(self) -> None:
        """A request begins."""
        self.requests += 1

    def end(self, now: float) -> None:
        """A request has ended."""
        self.requests -= 1
        self.idle_since = now

    def fault(self, now: float) -> str | None:
        """Why it is to be cut now: ``slow_reader``, ``slow_body``, or ``idle``."""
        waiting = self.transport.get_write_buffer_size()
        if self._reading.is_over(bool(waiting or self.sending), self.written - waiting, now):
            return "slow_reader"
        if self._body.is_over(self.awaited > 0, self.received, now):
            return "slow_body"
        return "idle" if not (self.requests or waiting) and now - self.idle_since >= HEAD_SECONDS else None

    def forgive(self, seconds: float) -> None:
        """The event loop was held up for so long: what the peer did meanwhile has not been seen."""
        self.idle_since += seconds
        self._body.start_over()
        self._reading.start_over()


class HttpConnections:
    """All of them. On the event loop only.

    Args:
        refusals: where what is cut or not let in is noted.
        now: seconds of a clock that only goes forward.
        files: how many descriptors the process may have; None: as many as it likes.

    Attributes:
        room: for their bodies.
    """

    def __init__(self, refusals: Refusals, now: Callable[[], float], files: int | None = None) -> None:
        self._refusals = refusals
        self._now = now
        self._open: dict[HttpConnection, None] = {}  # in the order of their arrival
        self._each: Counter[str] = Counter()
        self._swept = now()
        self._files = None if files is None else max(4, (files - SPARE_FILES) // 2)  # the other half is for sockets
        self.room = BodyRoom(self.cut, now)
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, transport: Transport, key: str, peer: str) -> HttpConnection | None:
        """A connection was accepted; None where there is no room, and none is idle that could make room."""
        is_full = len(self._open) >= min(MOST, self._files or MOST)
        most_each = min(MOST_EACH, (self._files or MOST) // 2)
        if (is_full or (key and self._each[key] >= most_each)) and not self._close_idle("" if is_full else key):
            self._refusals.note("connections", "a connection refused: too many are open, from %s", peer)
            return None
        connection = HttpConnection(transport, key, peer, self._now())
        self._open[connection] = None
        self._each[key] += bool(key)
        return connection

    def leave(self, connection: HttpConnection | None) -> None:
        """It is gone, or has become a push socket; harmless where it left before."""
        if connection is None or connection not in self._open:
            return
        del self._open[connection]
        connection.is_open = False
        self.room.forget(connection)
        self._each[connection.key] -= 1
        if self._each[connection.key] <= 0:
            del self._each[connection.key]

    def _close_idle(self, key: str) -> bool:
        idle = [one for one in self._open if not one.requests and (not key or one.key == key)]
        if not idle:
            return False
        oldest = min(idle, key=lambda one: one.idle_since)
        self.leave(oldest)
        oldest.transport.abort()
        return True

    def sweep(self) -> None:
        """Cut those that are too slow."""
        now = self._now()
        late = now - self._swept - SWEEP_SECONDS
        self._swept = now
        for connection in list(self._open):
            if late > SWEEP_SECONDS:
                connection.forgive(late)
            fault = connection.fault(now)
            if fault == "idle":  # browsers open connections in advance: that is no fault to be logged
                self.leave(connection)
                connection.transport.close()
            elif fault is not None:
                self.cut(connection, fault)
        self.room.sweep(is_late=late > SWEEP_SECONDS)

    def cut(self, connection: HttpConnection, fault: str) -> None:
        """Cut one, if it is not cut yet. ``fault`` is the word for the counters and the log."""
        if connection not in self._open:
            return
        self._refusals.note(fault, f"a connection cut ({fault}): from %s", connection.peer)
        self.leave(connection)
        connection.transport.abort()

    def cut_all(self) -> None:
        """The server ends: TLS would wait for an answer of each peer to its farewell."""
        for connection in list(self._open):
            connection.transport.abort()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sweep once a second until `stop`."""
        self._timer = loop.call_later(SWEEP_SECONDS, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self.start(loop)  # first: a sweep that fails must not be the last one
        self.sweep()

    def stop(self) -> None:
        """No more sweeps."""
        if self._timer is not None:
            self._timer.cancel()
