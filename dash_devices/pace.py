"""How fast one page may go: it is slowed by not being read, never by losing what it said. Pure: the clock is the caller's."""

from __future__ import annotations

from .limits import PageLimits

WORK_BURST = 1.0  # seconds of work that may be asked for at once


class Bucket:
    """Fills with ``rate`` per second up to ``burst``; may be overdrawn, which takes time to make good."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, amount: float, now: float) -> None:
        """So much was used."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - amount
        self._at = now

    @property
    def debt(self) -> float:
        """Seconds until it is made good."""
        return max(0.0, -self._left / self._rate)

    @property
    def is_at_ease(self) -> bool:
        """Is half of a second's worth there again?"""
        return self._left >= min(self._burst, self._rate) / 2


class Pace:
    """What one socket has asked for of late.

    Attributes:
        slowed_since: since when it is being slowed; None while it is not.
    """

    def __init__(self, limits: PageLimits, now: float) -> None:
        self._flood_seconds = limits.flood_seconds
        self._messages = Bucket(limits.messages_per_second, limits.messages_per_second, now)
        self._bytes = Bucket(limits.bytes_per_second, max(limits.bytes_per_second, limits.message_bytes), now)
        self._work = Bucket(limits.work_per_second, WORK_BURST, now)
        self._control = Bucket(limits.control_per_second, limits.control_per_second, now)
        self.slowed_since: float | None = None

    def took(self, messages: int, size: int, work: float, now: float) -> float:
        """So many messages and bytes were read, and took so many seconds. Returns the seconds to wait before reading on."""
        self._messages.take(messages, now)
        self._bytes.take(size, now)
        self._work.take(work, now)
        buckets = (self._messages, self._bytes, self._work)
        debt = max(bucket.debt for bucket in buckets)
        if debt and self.slowed_since is None:
            self.slowed_since = now
        elif self.slowed_since is not None and all(bucket.is_at_ease for bucket in buckets):
            self.slowed_since = None
        return debt

    def debt(self, now: float) -> float:
        """Seconds until more may be done for it."""
        return self.took(0, 0, 0.0, now)

    def is_flooding(self, now: float) -> bool:
        """Does it go on and on although it is slowed?"""
        return self.slowed_since is not None and now - self.slowed_since >= self._flood_seconds

    def control(self, now: float) -> bool:
        """A ping or pong of the transport came. Is it one too many?"""
        self._control.take(1, now)
        return self._control.debt > 0
