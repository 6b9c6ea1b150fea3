"""Threads for the authors' sync functions."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from .supervision import Watch

logger = logging.getLogger("dash_devices.lanes")

MAX_THREADS = 256  # for all sync functions of an app together


class Pool(Protocol):
    """Where work runs in threads."""

    def submit(self, work: Callable[[], None]) -> None:
        """Run in a thread; waits for a free one when all are busy."""


class Threads:
    """Daemon threads that come as needed, up to a bound, and end after a minute without work.

    Not a ``ThreadPoolExecutor``: that one joins its threads at interpreter exit, and a hung device driver would keep the
    process, and with it the port and the hardware, alive.
    """

    def __init__(self, limit: int = MAX_THREADS, watch: Watch | None = None) -> None:
        self._limit = limit
        self._watch = watch or Watch(Counter())
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._idle = 0  # threads that nothing submitted is meant for
        self._backlog = 0  # work that no thread is there for

    def submit(self, work: Callable[[], None]) -> None:
        """Run in a thread; waits for a free one when all are busy."""
        with self._lock:
            self._work.put(work)
            if self._idle:
                self._idle -= 1  # taken now: it may be about to fetch this work, and is free for no other
                return
            if self._count >= self._limit:
                self._backlog += 1
                return
            self._count += 1
        self._watch.thread("threads", self._loop, "dash-devices-call").start()

    def _loop(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=60)
            except queue.Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        self._count -= 1
                        return
                continue
            try:
                work()
            except BaseException as error:  # of ours: it must not take the thread with it, which is one of few
                self._watch.failed("threads", error)
            with self._lock:
                if self._backlog:
                    self._backlog -= 1
                else:
                    self._idle += 1


class Share:
    """A part of the threads of a pool: so many pieces of work run in it at once, and more wait in order."""

    def __init__(self, pool: Pool, limit: int) -> None:
        self._pool = pool
        self._limit = limit
        self._lock = threading.Lock()
        self._running = 0
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def waiting(self) -> int:
        """How many pieces of work wait."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Would more work have to wait?"""
        return self._running >= self._limit

    @property
    def is_idle(self) -> bool:
        """Does nothing run?"""
        return not self._running

    def submit(self, work: Callable[[], None]) -> None:
        """Run in a thread; waits while the share is used up. ``work`` must not raise."""
        with self._lock:
            if self.is_full:
                self._waiting.append(work)
                return
            self._running += 1
        self._pool.submit(partial(self._run, work))

    def _run(self, work: Callable[[], None]) -> None:
        work()
        with self._lock:
            following = self._waiting.popleft() if self._waiting else None
            self._running -= following is None
        if following is not None:
            self._pool.submit(partial(self._run, following))


class Shares:
    """A share of a pool for each of many, made when it is needed.

    Args:
        pool: whose threads they are.
        limit: of each share.
    """

    def __init__(self, pool: Pool, limit: int) -> None:
        self._pool = pool
        self._limit = limit
        self._by_owner: dict[str, Share] = {}

    def of(self, owner: str) -> Share:
        """The share of this owner. On the event loop only."""
        share = self._by_owner.get(owner)
        if share is None:
            self._by_owner = {name: kept for name, kept in self._by_owner.items() if not kept.is_idle}
            share = self._by_owner[owner] = Share(self._pool, self._limit)
        return share


def is_cancelling(error: BaseException) -> bool:
    """Is this the end of the current task itself? Else somebody's code raised it, or waited for something cancelled."""
    task = asyncio.current_task()
    return isinstance(error, GeneratorExit) or (task is not None and task.cancelling() > 0)


def carried(error: BaseException) -> Exception:
    """An error as a future takes it: sys.exit() would end the server, StopIteration and a cancellation would get lost."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    made = RuntimeError(f"the function raised {error!r}")
    made.__cause__ = error
    return made


async def in_thread(threads: Pool, function: Callable[[], Any]) -> Any:
    """Run in one of the threads, in a copy of this context; gives the result or raises what it raised."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(carried(error))

    def work() -> None:
        result, error = None, None
        try:
            result = context.run(function)
        except BaseException as raised:
            error = raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            logger.debug("a call ended after its event loop was closed")

    threads.submit(work)
    return await future
