"""What runs in the background: every failure is counted in ``background_errors`` and logged, and what has to go on does.

Tasks and threads whose end no other code waits for are started here.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

logger = logging.getLogger("dash_devices.background")

ERRORS = "background_errors"
FIRST_SILENCE, LAST_SILENCE = 1.0, 60.0  # s in which the same part of the server is not logged again


@dataclasses.dataclass(slots=True)
class _Trouble:
    silence: float
    until: float
    hidden: int = 0


class Watch:
    """Looks after what runs in the background of one app. From any thread, except for tasks.

    Args:
        metrics: where failures are counted.
        now: seconds of a clock that only goes forward.
    """

    def __init__(self, metrics: Counter[str], now: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._now = now
        self._lock = threading.Lock()
        self._troubles: dict[str, _Trouble] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        metrics.setdefault(ERRORS, 0)

    def failed(self, part: str, error: BaseException) -> None:
        """A part of the server failed, and goes on. The log gets it, but not each time if it fails all the time.

        Args:
            part: a name from our code: never one that a client wrote.
            error: with its traceback.
        """
        now = self._now()
        with self._lock:
            self._metrics[ERRORS] += 1
            trouble = self._troubles.get(part)
            if trouble is not None and now < trouble.until:
                trouble.hidden += 1
                return
            is_old = trouble is None or now - trouble.until > LAST_SILENCE
            silence = FIRST_SILENCE if is_old or trouble is None else min(2 * trouble.silence, LAST_SILENCE)
            hidden = trouble.hidden if trouble is not None else 0
            self._troubles[part] = _Trouble(silence, now + silence)
        more = f" ({hidden} times more since the last line)" if hidden else ""
        logger.error("%s failed, and goes on%s", part, more, exc_info=error)

    def guard(self, part: str, work: Callable[[], object]) -> bool:
        """Do a piece of work; a failure is logged, and ends nothing else. Did it succeed?"""
        try:
            work()
        except Exception as error:
            self.failed(part, error)
            return False
        return True

    def task(
        self,
        part: str,
        awaitable: Awaitable[Any],
        *,
        loop: asyncio.AbstractEventLoop,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[Any]:
        """Run something on the loop whose end no other code waits for. Its end is looked at; `stop` cancels it."""
        task = loop.create_task(_as_coroutine(awaitable), name=name or part, context=context)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(part, done))
        return task

    def _ended(self, part: str, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.failed(part, error)

    def thread(self, part: str, work: Callable[[], object], name: str) -> threading.Thread:
        """A daemon thread, not started yet, whose end is looked at."""
        return threading.Thread(target=self.guard, args=(part, work), name=name, daemon=True)

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The exception handler of an event loop of our own: for callbacks and tasks whose errors no other code handles."""
        error = context.get("exception")
        if error is None:
            with self._lock:
                self._metrics[ERRORS] += 1
            loop.default_exception_handler(context)
        else:
            self.failed(f"the event loop ({type(error).__qualname__})", error)

    async def stop(self) -> None:
        """Cancel the tasks, and wait for their end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _as_coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
