"""The fragments of one WebSocket message, until it is whole."""

from __future__ import annotations

BYTES_FOR_ONE_MORE = 4_096
"""A message may have one more fragment for so many bytes that arrived: Chromium cuts 8 MB into about 70 fragments, none of
them smaller than this on average; a million of one byte cost more than they bring."""


class Fragments:
    """What arrived of a message."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, data: bytes, free: int) -> bool:
        """Take one fragment. Are these still no more than may be: ``free``, and one for each `BYTES_FOR_ONE_MORE`?"""
        self._parts.append(data)
        self._size += len(data)
        return len(self._parts) <= free + self._size // BYTES_FOR_ONE_MORE

    def take(self) -> bytes:
        """The whole message; the next one begins."""
        message = b"".join(self._parts)
        self.clear()
        return message

    def clear(self) -> None:
        """Forget what arrived."""
        self._parts.clear()
        self._size = 0
