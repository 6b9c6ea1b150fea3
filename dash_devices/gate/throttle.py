"""Wrong passwords make the next try from the same address wait, in bounded memory.

No wait is shared by all who try one name: it would lock its owner out. Guesses from many addresses are bounded by how many
passwords are checked at once (`checks`), and otherwise the password has to withstand them.
"""

from __future__ import annotations

import dataclasses
import time
from collections import OrderedDict
from collections.abc import Callable

FREE_TRIES = 5
LONGEST = 60.0  # s that anybody waits at most
FORGET_SECONDS = 600.0  # after so long one try is forgotten
MOST_COUNTED = 12  # so that in little more than an hour there is no wait any more
MOST = 10_000  # keys that are remembered; the longest unused ones are forgotten

Pair = tuple[str, str]
"""A network, and a name that was tried from there."""


@dataclasses.dataclass(slots=True)
class _Tries:
    count: int  # that failed
    asked: int  # with those that there was no time for
    at: float  # until when tries were forgotten
    until: float


class Throttle:
    """How long each key has to wait before the next try: 1, 2, 4 .. seconds after five tries that failed.

    Args:
        longest: seconds of the longest wait.
        now: seconds of a clock that only goes forward.
    """

    def __init__(self, longest: float, now: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest
        self._now = now
        self._tries: OrderedDict[str | Pair, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def wait(self, key: str | Pair) -> float:
        """Seconds until this key may try."""
        tries = self._tries.get(key)
        return max(0.0, tries.until - self._now()) if tries is not None else 0.0

    def counts(self, key: str | Pair) -> tuple[int, int]:
        """Tries that failed, and all that were begun."""
        tries = self._tries.get(key)
        return (0, 0) if tries is None else (self._forget(tries).count, tries.asked)

    def begin(self, key: str | Pair) -> None:
        """A try begins, and counts as failed until it is forgiven: so many at once gain nothing."""
        now = self._now()
        tries = self._forget(self._tries.pop(key) if key in self._tries else _Tries(0, 0, now, 0.0))
        tries.count, tries.asked = min(tries.count + 1, MOST_COUNTED), min(tries.asked + 1, MOST_COUNTED)
        if tries.count >= FREE_TRIES:
            tries.until = now + self._delay(tries)
        self._tries[key] = tries
        while len(self._tries) > MOST:
            self._tries.popitem(last=False)

    def forgive(self, key: str | Pair, count: int, asked: int) -> None:
        """So many tries were no guesses after all, or so many were not begun at all."""
        tries = self._tries.get(key)
        if tries is None:
            return
        tries.count, tries.asked = max(0, tries.count - count), max(0, tries.asked - asked)
        if not tries.asked:
            del self._tries[key]
        tries.until = min(tries.until, self._now() + self._delay(tries)) if tries.count >= FREE_TRIES else 0.0

    def _delay(self, tries: _Tries) -> float:
        return float(min(self._longest, 2 ** (tries.count - FREE_TRIES)))

    def _forget(self, tries: _Tries) -> _Tries:
        steps = int((self._now() - tries.at) / FORGET_SECONDS)
        tries.count, tries.asked = max(0, tries.count - steps), max(0, tries.asked - steps)
        tries.at += steps * FORGET_SECONDS
        return tries


class Guesses:
    """The tries to log in, by address, and by address and name.

    A login forgives the tries at its own name from its own address, and nothing else. A name that has logged in from an address
    before waits there for the tries at itself alone: people behind one address do not slow each other.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._networks = Throttle(LONGEST, now)
        self._pairs = Throttle(LONGEST, now)
        self._known: OrderedDict[Pair, None] = OrderedDict()

    def wait(self, pair: Pair) -> float:
        """Seconds until this name may be tried from this network."""
        return max(self._pairs.wait(pair), 0.0 if pair in self._known else self._networks.wait(pair[0]))

    def crowding(self, pair: Pair) -> int:
        """Tries before this one, also those that there was no time for: the more of them, the later its turn."""
        _, asked = self._pairs.counts(pair) if pair in self._known else self._networks.counts(pair[0])
        return asked

    def begin(self, pair: Pair) -> None:
        """A try begins, and counts as failed."""
        self._networks.begin(pair[0])
        self._pairs.begin(pair)

    def not_made(self, pair: Pair) -> None:
        """There was no time for a try that began."""
        self._forgive(pair, 1, 0)

    def passed(self, pair: Pair) -> None:
        """The password was right."""
        self._forgive(pair, *self._pairs.counts(pair))
        self._known.pop(pair, None)
        self._known[pair] = None
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def _forgive(self, pair: Pair, count: int, asked: int) -> None:
        self._networks.forgive(pair[0], count, asked)
        self._pairs.forgive(pair, count, asked)
