"""Frames of the push socket, as a server writes them."""

from __future__ import annotations

import functools


# what is new goes to all pages in step, one after the other: the same bytes, framed once
@functools.lru_cache(maxsize=1)
def text_frame(payload: bytes) -> bytes:
    """One unfragmented text frame as a server sends it: RFC 6455, 5.2, no mask, no extension."""
    length = len(payload)
    if length < 126:
        return b"\x81%c%b" % (length, payload)
    if length < 65_536:
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (length.to_bytes(8, "big"), payload)
