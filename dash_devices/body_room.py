"""How many bytes the bodies of all requests that are under way hold together: what comes beyond it is read later.

A connection with a small body never waits. One with a large body asks for room once, for all that it is going to hold, and the
oldest goes first. While one waits, room is taken back from those whose bodies do not arrive.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .http_connections import HttpConnection

FREE = 65_536  # bytes of one connection that need no room: 2,000 connections hold 128 MiB then
MOST = 256 * 2**20
MOST_EACH = 64 * 2**20  # of one address; here loopback and a proxy are addresses like others
WAIT_SECONDS = 60.0  # for room
PACE_BYTES, PACE_SECONDS = 16_384, 0.5  # a body that has room arrives so fast while another one waits
FAULT = "body_room"


@dataclasses.dataclass(slots=True)
class _Held:
    size: int
    received: int  # bytes of the connection, when it had last moved on
    at: float


@dataclasses.dataclass(slots=True)
class _Waiting:
    size: int
    since: float
    done: asyncio.Future[None]


class BodyRoom:
    """The room of one server. On the event loop only.

    Args:
        cut: ends a connection, with a word for the counters.
        now: seconds of a clock that only goes forward.
    """

    def __init__(self, cut: Callable[[HttpConnection, str], None], now: Callable[[], float]) -> None:
        self._cut = cut
        self._now = now
        self._held: dict[HttpConnection, _Held] = {}
        self._each: Counter[str] = Counter()
        self._waiting: dict[HttpConnection, _Waiting] = {}  # the oldest first

    async def enter(self, connection: HttpConnection, size: int) -> None:
        """Return when the connection may hold so many bytes, or is gone. Where it has room already it is not stopped."""
        held = self._held.get(connection)
        if held is not None:
            self._each[connection.place] += max(0, size - held.size)
            held.size = max(size, held.size)
            if connection.received - held.received >= PACE_BYTES:
                held.received, held.at = connection.received, self._now()
        elif connection.is_open:
            done = asyncio.get_running_loop().create_future()
            waiting = self._waiting.setdefault(connection, _Waiting(size, self._now(), done))
            self._admit()
            try:
                await asyncio.shield(waiting.done)  # another request of the same connection may wait for it, too
            finally:
                if not waiting.done.done():
                    self.forget(connection)

    def leave(self, connection: HttpConnection) -> None:
        """Its large bodies are gone."""
        held = self._held.pop(connection, None)
        if held is not None:
            self._each[connection.place] -= held.size
            self._each += Counter()  # without those that hold nothing
            self._admit()

    def forget(self, connection: HttpConnection) -> None:
        """It is gone, or waits no longer: what it has sent is read, so that it can end."""
        waiting = self._waiting.pop(connection, None)
        if waiting is not None:
            waiting.done.set_result(None)
            self._admit()

    def sweep(self, *, is_late: bool) -> None:
        """Cut those that have waited too long, and those whose bodies do not arrive while others wait.

        Args:
            is_late: the event loop was held up: what arrived meanwhile has not been seen.
        """
        now = self._now()
        slow = self._slow(now, is_late)
        for connection, waiting in list(self._waiting.items()):
            if now - waiting.since >= WAIT_SECONDS and not is_late:
                self._cut(connection, FAULT)
        wanted = Counter(place for one in self._waiting if (place := self._full_place(one)) is not None)
        for connection in slow:
            if wanted[connection.place] > 0:
                wanted[connection.place] -= 1
                self._cut(connection, FAULT)

    def _slow(self, now: float, is_late: bool) -> list[HttpConnection]:
        """Those whose bodies do not arrive, the slowest first."""
        for connection, held in self._held.items():
            if is_late or connection.received - held.received >= PACE_BYTES:
                held.received, held.at = connection.received, now
        slow = [one for one, held in self._held.items() if one.awaited and now - held.at >= PACE_SECONDS]
        return sorted(slow, key=lambda one: self._held[one].at)

    def _full_place(self, connection: HttpConnection) -> str | None:
        """The address that has to give room, so that this one gets in."""
        size = self._waiting[connection].size
        if not _fits(self._each[connection.place], size, MOST_EACH):
            return connection.place
        if not _fits(self._each.total(), size, MOST):
            return max(self._each, key=self._each.__getitem__)
        return None

    def _admit(self) -> None:
        full: set[str] = set()  # of these an older one waits
        for connection, waiting in list(self._waiting.items()):
            if not _fits(self._each.total(), waiting.size, MOST):
                return
            if connection.place in full or not _fits(self._each[connection.place], waiting.size, MOST_EACH):
                full.add(connection.place)
                continue
            del self._waiting[connection]
            self._held[connection] = _Held(waiting.size, connection.received, self._now())
            self._each[connection.place] += waiting.size
            waiting.done.set_result(None)


def _fits(taken: int, size: int, most: int) -> bool:
    """One that is alone fits always."""
    return not taken or taken + size <= most
