"""Who is in: every open socket has a place, and there are only so many, in all and for one address."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from ..identity import Refuse, username_of
from ..protocol import Close
from .proxies import TrustedProxies, network_of, parse_address

MOST_REVOKED = 10_000  # names of which it is known when; a request takes ten seconds at most
Closer = Callable[[int, str], None]


class Place:
    """The place of one socket. ``close`` is set by whoever serves it: closes it with a code and a reason."""

    __slots__ = ("close", "identity", "key", "timer")

    def __init__(self, key: str, identity: Any) -> None:
        self.key = key
        self.identity = identity
        self.close: Closer | None = None
        self.timer: asyncio.TimerHandle | None = None


class Places:
    """All places. On the event loop only.

    Args:
        most: sockets in all.
        most_each: sockets of one address (of one /64 network in IPv6); loopback and trusted proxies have no such limit.
        proxies: the trusted ones.

    Attributes:
        revocations: how many there were.
    """

    def __init__(self, most: int, most_each: int, proxies: TrustedProxies) -> None:
        self._most = most
        self._most_each = most_each
        self._proxies = proxies
        self._taken: set[Place] = set()
        self._each: Counter[str] = Counter()
        self.revocations = 0
        self._revoked: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._taken)

    def full(self, address: str) -> Refuse | None:
        """Is there no place left for another socket from there?"""
        if len(self._taken) >= self._most:
            return Refuse(503, reason="Too many pages are open on this server.")
        if self._each[self.key(address)] >= self._most_each:
            return Refuse(503, reason="Too many pages are open from your address.")
        return None

    def take(self, address: str, identity: Any) -> Place:
        """A socket is opened."""
        place = Place(self.key(address), identity)
        self._taken.add(place)
        if place.key:
            self._each[place.key] += 1
        expires = getattr(identity, "expires", None)
        if expires is not None:
            loop = asyncio.get_running_loop()
            place.timer = loop.call_later(max(0.0, expires - time.time()), self._expire, place)
        return place

    def leave(self, place: Place) -> None:
        """A socket is gone."""
        if place not in self._taken:
            return
        self._taken.discard(place)
        if place.timer is not None:
            place.timer.cancel()
        if place.key:
            self._each[place.key] -= 1
            if not self._each[place.key]:
                del self._each[place.key]

    def revoke(self, username: str) -> None:
        """Close the sockets of a name, and refuse those that were asked who they are before this, and answer only now."""
        self.revocations += 1
        self._revoked.pop(username, None)
        self._revoked[username] = self.revocations
        if len(self._revoked) > MOST_REVOKED:
            self._revoked.popitem(last=False)
        self.close("your access was revoked", username=username)

    def was_revoked(self, username: str | None, *, since: int) -> bool:
        """Was this name revoked after there were ``since`` revocations?"""
        return self._revoked.get(username or "", 0) > since

    def close(self, reason: str, *, username: str | None = None, session: str | None = None) -> int:
        """Close the sockets of a name, or of one login; says how many."""
        chosen = [place for place in self._taken if _is_of(place, username, session) and place.close is not None]
        for place in chosen:
            self._shut(place, reason)
        return len(chosen)

    def _expire(self, place: Place) -> None:
        self._shut(place, "your login has expired")

    @staticmethod
    def _shut(place: Place, reason: str) -> None:
        if place.close is not None:
            place.close(Close.UNAUTHENTICATED, reason)

    def key(self, address: str) -> str:
        """What is counted together; empty: not counted."""
        parsed = parse_address(address)
        free = parsed is None or parsed.is_loopback or self._proxies.trusts(address)
        return "" if free else network_of(address)


def _is_of(place: Place, username: str | None, session: str | None) -> bool:
    if session is not None:
        return bool(getattr(place.identity, "session", None) == session)
    return username is not None and username_of(place.identity) == username
