"""What the heartbeats of one page tell: how its clock goes, and what it still owes. Pure: no clock of its own."""

from __future__ import annotations

from typing import NamedTuple

PAIRS = 12  # pings whose round trips are compared: a minute
DRIFT = 100.0  # ms that two readings may differ beyond what their round trips explain; more: the clock was set


class _Reading(NamedTuple):
    offset: float
    round_trip: float


class Clock:
    """How far the clock of a page is off, after Cristian: ``server = page + offset``. All in milliseconds."""

    __slots__ = ("_estimate", "_readings")

    def __init__(self) -> None:
        self._estimate = 0.0
        self._readings: list[_Reading] = []

    def greeted(self, at: float | None, received: float) -> None:
        """A hello written at ``at`` of the page's clock: a first estimate, too high by its way here."""
        if at is None:
            return
        self._estimate = received - at
        best = self._best()
        if best is not None and self._estimate < best.offset - best.round_trip / 2 - DRIFT:
            self._readings.clear()  # before it was written? The clock was set forward meanwhile

    def answered(self, sent: float, at: float, received: float) -> None:
        """A pong written at ``at`` of the page's clock, to a ping of ``sent``."""
        reading = _Reading((sent + received) / 2 - at, received - sent)
        best = self._best()
        if best is not None and abs(reading.offset - best.offset) > (reading.round_trip + best.round_trip) / 2 + DRIFT:
            self._readings.clear()
        self._readings.append(reading)
        del self._readings[:-PAIRS]

    def _best(self) -> _Reading | None:
        return min(self._readings, key=lambda reading: reading.round_trip, default=None)

    @property
    def offset(self) -> float:
        """What to add to the page's clock to get the server's."""
        best = self._best()
        return self._estimate if best is None else best.offset

    def age(self, at: float, now: float) -> float:
        """Seconds since ``at`` of the page's clock."""
        return (now - at - self.offset) / 1000


class Pulse:
    """The heartbeats of one socket.

    Attributes:
        due: when the next ping is due.
        wanted: a ping is to end the next frame.
        since: pings since the last check, that one included; 0 before the first ping.
        owed: ``(sent, expected hash, frame)`` of the pings without answer, oldest first; the hash is None where none was
            asked for.
        taken: bytes that the network had taken at the last look.
        waited: did bytes wait to be taken then?
        moved: when it was last seen to take some, or none waited.
        drained: when it was last seen to take some that had waited: a sign of life.
        answered: when it last answered a ping, or owed no answer.
    """

    __slots__ = ("answered", "drained", "due", "moved", "owed", "since", "taken", "waited", "wanted")

    def __init__(self, now: float, due: float) -> None:
        self.due = due
        self.wanted = True
        self.since = 0
        self.owed: list[tuple[float, int | None, int]] = []
        self.taken = 0
        self.waited = False
        self.moved = now
        self.drained = now
        self.answered = now

    def look(self, taken: int, waiting: int, now: float) -> None:
        """See what the network took since the last look."""
        if self.waited and taken > self.taken:
            self.drained = self.moved = now
        if not waiting:
            self.moved = now
        if not self.owed:
            self.answered = now
        self.taken, self.waited = taken, bool(waiting)
