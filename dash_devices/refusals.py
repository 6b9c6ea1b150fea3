"""One log line and one counter for each refusal, but never so many lines that somebody could fill the disk with them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

logger = logging.getLogger("dash_devices.gate")

LINES = 60  # in one span
SPAN = 60.0  # s
LONGEST = 100  # characters of what the other side wrote


class Refusals:
    """Tells of refusals. On the event loop only.

    Args:
        metrics: where ``refused_<why>`` is counted.
        now: seconds of a clock that only goes forward.
    """

    def __init__(self, metrics: Counter[str], now: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._now = now
        self._began = now()
        self._lines = 0
        self._hidden = 0

    def note(self, why: str, text: str, *values: object) -> None:
        """One refusal. ``text`` has a ``%s`` for each of ``values``, which may be hostile: they are quoted and cut."""
        self._metrics[f"refused_{why}"] += 1
        if self.has_line():
            logger.warning(text, *(_quoted(value) for value in values))

    def has_line(self) -> bool:
        """May something be logged now? What may not is counted, and told of when the next span begins."""
        now = self._now()
        if now - self._began >= SPAN:
            self._began, self._lines = now, 0
            self._tell_hidden()
        self._lines += 1
        self._hidden += self._lines > LINES
        return self._lines <= LINES

    def _tell_hidden(self) -> None:
        if self._hidden:
            logger.warning("%d more like these had no line of their own; app.metrics counts them", self._hidden)
            self._hidden = 0


def _quoted(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
