"""What requests cost the event loop: each step of a request's task is measured and counted for the page that asked."""

from __future__ import annotations

import asyncio
import time
import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
TURN_SECONDS = 0.01  # of steps of all requests, then the loop serves everything else once


class Turn:
    """How much the requests of all pages have used since the loop last served everything else for certain."""

    def __init__(self) -> None:
        self._used = 0.0

    @property
    def is_over(self) -> bool:
        """Has the loop to serve everything else first?"""
        return self._used >= TURN_SECONDS

    def use(self, seconds: float) -> None:
        """A step took so long."""
        was_over = self.is_over
        self._used += seconds
        if self.is_over and not was_over:
            asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        self._used = 0.0


class Meter:
    """Measures the steps of one request.

    Args:
        turn: of the tick of the loop.
        worked: called with the seconds that its steps took, at the end and whenever they have become many.
    """

    def __init__(self, turn: Turn, worked: Callable[[float], object]) -> None:
        self.turn = turn
        self._worked = worked
        self._began: float | None = None
        self._left_out = 0.0
        self._untold = 0.0

    @property
    def is_measuring(self) -> bool:
        """Is a step under way?"""
        return self._began is not None

    def leave_out(self, seconds: float) -> None:
        """So much of the current step was the author's own code."""
        self._left_out += seconds

    def begin(self) -> None:
        """A step begins."""
        self._began, self._left_out = time.thread_time(), 0.0

    def end(self) -> None:
        """The step has ended."""
        assert self._began is not None
        took = max(0.0, time.thread_time() - self._began - self._left_out)
        self._began = None
        self.turn.use(took)
        self._untold += took
        if self._untold > TURN_SECONDS:
            self.tell()

    def tell(self) -> None:
        """Count what was measured."""
        self._worked(self._untold)
        self._untold = 0.0


current_meter: ContextVar[Meter | None] = ContextVar("current_meter", default=None)
"""The meter of the request that the current task answers."""


@types.coroutine
def metered(coroutine: Coroutine[Any, Any, T], meter: Meter) -> Generator[Any, Any, T]:
    """Await the coroutine; its steps are measured, and wait for another tick of the loop where this one is used up."""
    step: Callable[[Any], Any] = coroutine.send
    argument: Any = None
    waits_for: Any = None
    is_begun = False
    while True:
        try:
            if is_begun:
                argument = yield waits_for
            while meter.turn.is_over:
                yield
        except BaseException as error:  # a cancellation, too, belongs to the coroutine
            step, argument = coroutine.throw, error
        is_begun = True
        meter.begin()
        try:
            waits_for = step(argument)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            meter.end()
        step, argument = coroutine.send, None


@types.coroutine
def left_out(coroutine: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Await the author's coroutine; its steps do not count for the request that they are a part of."""
    meter = current_meter.get()
    step: Callable[[Any], Any] = coroutine.send
    argument: Any = None
    while True:
        began = time.thread_time()
        try:
            waits_for = step(argument)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            if (
                meter is not None and meter.is_measuring
            ):  # in a lane it runs in a task of its own, which is not measured
                meter.leave_out(time.thread_time() - began)
        try:
            step, argument = coroutine.send, (yield waits_for)
        except BaseException as error:
            step, argument = coroutine.throw, error
