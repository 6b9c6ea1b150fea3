"""Cookies of replies that went over a socket, until their page fetches them over HTTP: few for each page, bounded in bytes."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import NamedTuple

MOST_EACH = 1_000  # replies of one page; it fetches the cookies of each as it comes
MOST_BYTES_EACH = 256 * 2**10  # of one page; browsers keep 4 KiB of a cookie
MOST_BYTES = 16 * 2**20  # of all pages


class _Kept(NamedTuple):
    owner: str
    cookies: list[str]
    size: int


class WaitingCookies:
    """The cookies that wait, oldest first. What one page has waiting displaces its own, not that of others.

    Attributes:
        size: bytes that wait.
    """

    def __init__(self) -> None:
        self.size = 0
        self._by_nonce: OrderedDict[str, _Kept] = OrderedDict()
        self._of: dict[str, OrderedDict[str, int]] = {}  # owner -> nonces and their bytes

    def keep(self, owner: str, cookies: list[str]) -> str:
        """Keep the cookies of one reply to a page; returns the word that fetches them, once."""
        nonce = secrets.token_urlsafe(18)
        size = sum(map(len, cookies))
        own = self._of.setdefault(owner, OrderedDict())
        self._by_nonce[nonce], own[nonce] = _Kept(owner, cookies, size), size
        self.size += size
        while len(own) > MOST_EACH or sum(own.values()) > MOST_BYTES_EACH:
            self.take(next(iter(own)))
        while self.size > MOST_BYTES:
            self.take(next(iter(self._by_nonce)))
        return nonce

    def take(self, nonce: str) -> list[str]:
        """The cookies, which are not kept any longer; none for an unknown word."""
        kept = self._by_nonce.pop(nonce, None)
        if kept is None:
            return []
        self.size -= kept.size
        own = self._of[kept.owner]
        del own[nonce]
        if not own:
            del self._of[kept.owner]
        return kept.cookies
