"""Lanes: where calls queue to run one at a time, in order. Async calls run on the event loop, sync ones in threads.

A lane never waits for the loop to go on: a thread that ends a call takes the lane's next sync call itself.
Lanes know nothing of callbacks: a `Call` is something to run.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from .supervision import Watch
from .threads import Threads

logger = logging.getLogger("dash_devices.lanes")

CAPACITY = 10_000  # waiting calls per lane
WAITING_BYTES = 4 * 2**20  # of values that pages wrote, in the calls that wait in one lane
SLOW_SECONDS = 10.0  # a call longer than that is named in the log

current_lane: contextvars.ContextVar[str] = contextvars.ContextVar("current_lane", default="")
"""The lane that a serialized regular callback runs in."""


class Call(Protocol):
    """Something a lane runs."""

    name: str
    identity: object
    is_async: bool
    most_recent: bool
    max_age: float | None
    size: int

    def run(self) -> None:
        """Run to the end in this thread. Must not raise."""

    async def run_async(self) -> None:
        """Run to the end on the loop. Must not raise."""

    def merge(self, older: Any) -> None:
        """Take over what triggered an older waiting call that this one replaces (``most_recent``)."""

    def skipped(self, reason: str) -> None:
        """It will not run."""


class Lane:
    """One queue. ``waiting`` counts the calls that have not begun, ``size`` the bytes that pages wrote for them."""

    __slots__ = ("busy", "name", "queue", "since", "size")

    def __init__(self, name: str) -> None:
        self.name = name
        self.queue: deque[tuple[float, Call]] = deque()
        self.busy: Call | None = None
        self.since = 0.0
        self.size = 0

    @property
    def waiting(self) -> int:
        """How many calls wait behind the running one."""
        return len(self.queue)


class Lanes:
    """All lanes of an app. Every method may be called from any thread once the loop is known."""

    def __init__(
        self, capacity: int = CAPACITY, threads: Threads | None = None, metrics: Counter[str] | None = None
    ) -> None:
        self.capacity = capacity
        self._watch = Watch(Counter() if metrics is None else metrics)
        self.threads = threads or Threads(watch=self._watch)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._lanes: dict[str, Lane] = {}
        self._lock = threading.RLock()
        self._named: set[Call] = set()

    def lane(self, name: str) -> Lane:
        """The lane of that name as it stands; an idle one is not kept, so this one may be new and empty."""
        return self._lanes.get(name) or Lane(name)

    def is_full(self, name: str) -> bool:
        """Would one more call that a page asks for be refused?"""
        lane = self.lane(name)
        return lane.waiting >= self.capacity or lane.size >= WAITING_BYTES

    def submit(self, name: str, call: Call) -> None:
        """Queue a call; it begins at once when the lane is free. A full lane skips it, with a log line."""
        with self._lock:
            lane = self._lanes.setdefault(name, Lane(name))
            replaced = call.most_recent and self._replace_waiting(lane, call)
            full = lane.waiting >= self.capacity and not replaced
            if not full and not replaced:
                lane.queue.append((time.monotonic(), call))
                lane.size += call.size
            start = not full and lane.busy is None
            if start:
                lane.busy = call  # claimed: nobody else may begin
        if full:
            advice = "most_recent=True would keep only the newest"
            logger.error("lane %s is full (%d calls wait); %s is skipped; %s", name, lane.waiting, call.name, advice)
            self._skip(call, "busy")
        first = self._take(lane) if start else None
        if first is not None:
            self._begin(lane, first)

    @staticmethod
    def _replace_waiting(lane: Lane, call: Call) -> bool:
        """Take the place of the same callback's waiting call, if there is one: not the end, or others would always go first."""
        for place, (_, waiting) in enumerate(lane.queue):
            if waiting.identity == call.identity:
                lane.queue[place] = (time.monotonic(), call)
                lane.size += call.size - waiting.size
                call.merge(waiting)
                return True
        return False

    def _take(self, lane: Lane) -> Call | None:
        """The lane's next call that is not too old, now running; the lane is idle when there is none."""
        while True:
            with self._lock:
                lane.busy = None
                if not lane.queue:
                    self._lanes.pop(lane.name, None)
                    return None
                queued, call = lane.queue.popleft()
                lane.size -= call.size
                lane.since = time.monotonic()
                late = call.max_age is not None and lane.since - queued > call.max_age
                lane.busy = call
            if not late:
                return call
            logger.warning("%s waited longer than its max_age of %s s and is dropped", call.name, call.max_age)
            self._skip(call, "max_age")

    def _begin(self, lane: Lane, call: Call) -> None:
        if not call.is_async:
            self.threads.submit(lambda: self._run_sync(lane, call))
        elif self._on_loop():
            self._start_task(lane, call)
        else:
            try:
                assert self.loop is not None
                self.loop.call_soon_threadsafe(self._start_task, lane, call)
            except RuntimeError:  # the loop was closed meanwhile: the server has stopped
                self._skip(call, "stopped")

    def _on_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    def _run_sync(self, lane: Lane, call: Call) -> None:
        current: Call | None = call
        while current is not None:
            try:
                contextvars.Context().run(current.run)
            except BaseException as error:  # a fault of ours: it must not take the lane with it
                self._watch.failed("lanes", error)
            current = self._take(lane)
            if current is not None and current.is_async:
                self._begin(lane, current)
                return

    def _start_task(self, lane: Lane, call: Call) -> None:
        assert self.loop is not None
        # an empty context: what the asking side set (its request, its callback) is not the callback's business
        self._watch.task(
            "lanes", self._run_async(lane, call), loop=self.loop, name=call.name, context=contextvars.Context()
        )

    def _skip(self, call: Call, reason: str) -> None:
        """Tell a call that it will not run. A fault in there must not take the lane with it."""
        self._watch.guard("lanes", lambda: call.skipped(reason))

    async def _run_async(self, lane: Lane, call: Call) -> None:
        # a task for each call: one that is cancelled costs no other its turn, and none holds the loop between two
        try:
            await call.run_async()
        finally:
            following = self._take(lane)
            if following is not None:
                self._begin(lane, following)

    def report_slow(self) -> list[Call]:
        """Name in the log every call that has run for over 10 s, once. Called once a second."""
        now = time.monotonic()
        slow = [
            (lane, call)
            for lane in list(self._lanes.values())
            if (call := lane.busy) is not None and now - lane.since > SLOW_SECONDS and call not in self._named
        ]
        for lane, call in slow:
            self._named.add(call)
            logger.warning(
                "%s has been running for %.0f s; %d calls wait in its lane", call.name, now - lane.since, lane.waiting
            )
        self._named = {call for call in self._named if any(lane.busy is call for lane in list(self._lanes.values()))}
        return [call for _, call in slow]

    async def stop(self) -> None:
        """Cancel what runs on the loop and drop what waits. Threads cannot be cancelled; they are daemons."""
        with self._lock:
            dropped = [call for lane in self._lanes.values() for _, call in lane.queue]
            for lane in self._lanes.values():
                lane.queue.clear()
                lane.size = 0
        for call in dropped:
            self._skip(call, "stopped")  # somebody may wait for it
        await self._watch.stop()


def run_as_call(coroutine: Callable[[], Coroutine[Any, Any, Any]], name: str) -> tuple[Call, asyncio.Future[Any]]:
    """A coroutine as a lane's call, and the future of its result."""
    call = _FutureCall(coroutine, name, asyncio.get_running_loop().create_future())
    return call, call.future


class _FutureCall:
    is_async = True
    most_recent = False
    max_age: float | None = None
    identity: object = None
    size = 0

    def __init__(
        self, coroutine: Callable[[], Coroutine[Any, Any, Any]], name: str, future: asyncio.Future[Any]
    ) -> None:
        self._coroutine = coroutine
        self._context = contextvars.copy_context()
        self.name = name
        self.future = future

    async def run_async(self) -> None:
        # in the asker's own context: its request and its callback context belong to it
        task = asyncio.get_running_loop().create_task(self._coroutine(), context=self._context)
        await asyncio.wait([task])
        if self.future.cancelled():
            return
        if task.cancelled():
            self.future.cancel()
        elif (error := task.exception()) is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(task.result())

    def run(self) -> None:
        raise NotImplementedError("runs on the loop only")

    def merge(self, older: Any) -> None:
        raise NotImplementedError("is never most_recent")

    def skipped(self, reason: str) -> None:
        if not self.future.done():
            self.future.set_exception(RuntimeError(f"{self.name}: not run ({reason})"))
