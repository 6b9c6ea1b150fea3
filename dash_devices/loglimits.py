"""Bounds what clients can make the log grow by: lines from one place in the code are few a minute, and none is long.

The first traceback of an error is complete, those of its repeats are left out; what has no line at all is counted.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import Counter

from .log_text import printable, traceback_of

LINES = 60  # of one place in the code, in one span
SPAN = 60.0  # s
LONGEST = 2_000  # characters of a message
LONGEST_TRACEBACK = 20_000
PARTS = ("app", "access", "callbacks", "clients", "http", "lanes", "layout", "requests", "socket", "state")
LOGGERS = (*(f"dash_devices.{part}" for part in PARTS), "hypercorn.error")

Place = tuple[str, int]
"""File and line."""


class LogLimits(logging.Filter):
    """The filter of a logger. From any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self.begin()

    def begin(self) -> None:
        """A span begins."""
        self._began = time.monotonic()
        self._lines: Counter[Place] = Counter()
        self._told: set[tuple[str, ...]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """May it be written? Its text is cut."""
        if record.levelno < logging.WARNING:
            return True
        with self._lock:
            hidden = self._end_of_span()
            place = (record.pathname, record.lineno)
            self._lines[place] += 1
            if self._lines[place] > LINES:
                return False
            self._shorten(record, hidden)
        return True

    def _end_of_span(self) -> int:
        """How many lines of the last span were left out, if a new one begins now."""
        if time.monotonic() - self._began < SPAN:
            return 0
        hidden = sum(max(0, count - LINES) for count in self._lines.values())
        self.begin()
        return hidden

    def _shorten(self, record: logging.LogRecord, hidden: int) -> None:
        message = printable(_cut(record.getMessage(), LONGEST))
        if record.exc_info and record.exc_info[1] is not None:
            message = self._without_repeats(record, record.exc_info[1], message)
        if hidden:
            message = f"{message} ({hidden} lines like those of the last minute were left out)"
        record.msg, record.args = message, ()

    def _without_repeats(self, record: logging.LogRecord, error: BaseException, message: str) -> str:
        frames = traceback.extract_tb(error.__traceback__)
        kind = (type(error).__qualname__, *(f"{frame.filename}:{frame.lineno}" for frame in frames[-3:]))
        if kind in self._told:
            record.exc_info = record.exc_text = None
            return f"{message}: {type(error).__qualname__}: {printable(_cut(str(error), LONGEST))} (its traceback stands above)"
        self._told.add(kind)
        record.exc_text = _cut(traceback_of(error), LONGEST_TRACEBACK)  # what a formatter takes instead of making it
        return message


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} ... ({len(text) - longest} characters left out) ... {text[-half:]}"


def bound_all() -> None:
    """Bound what the package writes; a new server begins with a new span."""
    for logger in map(logging.getLogger, LOGGERS):
        known = next((one for one in logger.filters if isinstance(one, LogLimits)), None)
        if known is None:
            logger.addFilter(LogLimits())
        else:
            known.begin()
