"""When pages are sent what is due: at the end of the loop's tick, whoever asks for it, and never starved by busy threads.

Only the answer to a change waits a moment: a page that gets it together with the results has one message to work off, not two.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sessions import Session

LATE_SECONDS = 0.005  # a flush that is due for longer: the loop does not get its turn
GRACE_SECONDS = 0.002  # a thread has its result in 0.2 to 0.7 ms


class Waker:
    """One pending flush at most.

    Args:
        flush: sends what is to be sent; called on the loop.
        now: seconds of a clock that only goes forward.

    Attributes:
        turn_seconds: the longest that threads wait for one flush.
    """

    def __init__(self, flush: Callable[[], None], *, now: Callable[[], float] = time.monotonic) -> None:
        self.turn_seconds = 0.02
        self._flush = flush
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._lock = threading.Lock()
        self._since: float | None = None  # when the flush that is due was asked for
        self._turn: threading.Event | None = None  # what pushing threads wait for

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on there is a loop. Called on it."""
        self._thread = threading.get_ident()
        self._since = None
        self._loop = loop

    def stop(self) -> None:
        """The loop ends."""
        self._loop = None

    def wake(self) -> None:
        """There is something to send. From any thread; many calls before the next tick are one."""
        loop = self._loop
        if loop is None or self._since is not None:
            return
        self._since = self._now()
        if threading.get_ident() == self._thread:
            loop.call_soon(self._run)
            return
        try:
            loop.call_soon_threadsafe(self._run)
        except RuntimeError:
            self._since = None  # the loop was closed meanwhile: pushes while the server stops are ignored

    def give_way(self) -> None:
        """Wait a moment if the loop is late: threads that push all the time pass the interpreter lock round among them."""
        since = self._since
        if since is None or self._now() - since < LATE_SECONDS or threading.get_ident() == self._thread:
            return
        with self._lock:
            if self._since is None:
                return
            self._turn = turn = self._turn or threading.Event()
        if turn.wait(self.turn_seconds):
            return
        with self._lock:
            if self._turn is turn:
                self._since = (
                    math.inf
                )  # it is not pushes that keep the loop from its turn: none waits for this flush again

    def _run(self) -> None:
        with self._lock:
            self._since = None
            turn, self._turn = self._turn, None
        try:
            self._flush()
        finally:
            loop = self._loop
            if turn is not None and loop is not None:
                # a tick later: what pages have sent meanwhile is read first
                loop.call_soon(loop.call_soon, turn.set)


class Grace:
    """The pages whose answers wait for the results of their changes.

    Args:
        flush: sends a page what it needs next.
    """

    def __init__(self, flush: Callable[[Session], None]) -> None:
        self._flush = flush
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def begin(self, session: Session, loop: asyncio.AbstractEventLoop) -> None:
        """There is nothing but patient answers for this page: they go out soon, with results or without."""
        if session.token not in self._timers:
            self._timers[session.token] = loop.call_later(GRACE_SECONDS, self._over, session)

    def end(self, session: Session) -> None:
        """The page is sent something, and the answers with it."""
        if self._timers and (timer := self._timers.pop(session.token, None)) is not None:
            timer.cancel()

    def end_all(self, sessions: Iterable[Session]) -> None:
        """No answer waits any longer: the next flush takes them all."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for session in sessions:
            session.outbox.patient = False

    def _over(self, session: Session) -> None:
        del self._timers[session.token]
        session.outbox.patient = False
        self._flush(session)
