"""Passwords that are checked: two at once, in threads of their own. Some more wait, those with few tries before them first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import itemgetter

from ..threads import Threads, in_thread

AT_ONCE = 2  # each takes 32 MiB and a processor for tens of milliseconds
WAITING = 32


class CrowdedError(Exception):
    """A check has no place in the queue, or lost it to one with fewer tries before it."""


class Checks:
    """Runs checks in threads. On the event loop only.

    A crowd that guesses must not keep those out who know their password: a check with fewer tries before it goes first, and where
    the queue is full it takes the place of one with more.

    Args:
        at_once: how many run at the same time.
        waiting: how many more wait.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._free = at_once
        self._most = waiting
        self._threads = Threads(at_once)
        self._queue: list[tuple[int, asyncio.Future[None]]] = []  # fewest tries first

    async def run(self, tries: int, check: Callable[[], bool]) -> bool:
        """The result of a check.

        Args:
            tries: how many were made before this one.
            check: takes its time; called in a thread.

        Raises:
            CrowdedError: too many wait already.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(tries)
        work = asyncio.ensure_future(in_thread(self._threads, check))
        work.add_done_callback(lambda _: self._next())  # a client that goes does not free the thread
        return bool(await asyncio.shield(work))

    async def _wait(self, tries: int) -> None:
        queue = self._waiting()
        if len(queue) >= self._most:
            most, last = queue[-1]
            if most <= tries:
                raise CrowdedError
            queue.pop()
            last.set_exception(CrowdedError())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append((tries, turn))
        queue.sort(key=itemgetter(0))  # stable: among equals the first comes first
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:
                self._next()  # it was this one's turn
            raise

    def _waiting(self) -> list[tuple[int, asyncio.Future[None]]]:
        """The queue without those that were given up."""
        self._queue = [entry for entry in self._queue if not entry[1].done()]
        return self._queue

    def _next(self) -> None:
        """One has ended: the next in the queue gets its place."""
        queue = self._waiting()
        if queue:
            queue.pop(0)[1].set_result(None)
        else:
            self._free += 1
