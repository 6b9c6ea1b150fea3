"""Wrong passwords make the next try wait: by address and by name, in bounded memory."""

from __future__ import annotations

import dataclasses
import time
from collections import OrderedDict
from collections.abc import Callable

FREE_TRIES = 5
FORGET_SECONDS = 3_600.0
MOST = 10_000  # keys that are remembered; the longest unused ones are forgotten


@dataclasses.dataclass(slots=True)
class _Tries:
    count: int
    at: float
    until: float


class Throttle:
    """How long somebody has to wait before he may try again: 1, 2, 4 .. seconds after five tries that failed.

    Args:
        longest: seconds that anybody waits at most.
        now: seconds of a clock that only goes forward.
    """

    def __init__(self, longest: float, now: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest
        self._now = now
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def wait(self, key: str) -> float:
        """Seconds until this key may try."""
        tries = self._tries.get(key)
        return max(0.0, tries.until - self._now()) if tries is not None else 0.0

    def begin(self, key: str) -> None:
        """A try begins, and counts as failed until it has passed: so many at once gain nothing."""
        now = self._now()
        tries = self._tries.pop(key, None)
        if tries is None or now - tries.at > FORGET_SECONDS:
            tries = _Tries(0, now, 0.0)
        tries.count, tries.at = tries.count + 1, now
        if tries.count >= FREE_TRIES:
            tries.until = now + min(self._longest, 2.0 ** min(30, tries.count - FREE_TRIES))
        self._tries[key] = tries
        while len(self._tries) > MOST:
            self._tries.popitem(last=False)

    def passed(self, key: str) -> None:
        """It was right: nothing is held against this key any more."""
        self._tries.pop(key, None)
