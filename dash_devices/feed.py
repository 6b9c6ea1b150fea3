"""Bytes of one peer, handed on in small portions: a chunk full of small frames must not hold up everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PORTION = 16_384  # bytes
TURN_SECONDS = 0.005  # of one tick of the loop


class Feed:
    """Hands on what arrives, and does not read on before that is done.

    Args:
        transport: whose reading is paused.
        handle: takes a portion; returns the seconds to wait before the next one.
    """

    def __init__(self, transport: asyncio.ReadTransport, handle: Callable[[bytes], float]) -> None:
        self._transport = transport
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._timer: asyncio.Handle | None = None

    def take(self, data: bytes) -> None:
        """Bytes arrived."""
        if self._timer is not None:
            self._unread += data  # the transport had read them before it was paused
            return
        self._unread = data
        self._go()

    def _go(self) -> None:
        data, at = self._unread, 0
        end = self._loop.time() + TURN_SECONDS
        wait = 0.0
        while at < len(data) and not wait and self._loop.time() < end:
            wait = self._handle(data[at : at + PORTION])
            at += PORTION
        self._unread = data[at:]
        if not wait and not self._unread:
            return
        self._transport.pause_reading()
        self._timer = self._loop.call_later(wait, self._resume) if wait else self._loop.call_soon(self._resume)

    def _resume(self) -> None:
        self._timer = None
        if self._transport.is_closing():
            return
        if self._unread:
            try:
                self._go()
            except BaseException:
                self._transport.close()  # as the loop does where reading fails; else nothing would be read any more
                raise
        if self._timer is None:
            self._transport.resume_reading()

    def stop(self) -> None:
        """The connection is gone: what is left is for nobody."""
        self._unread = b""
        if self._timer is not None:
            self._timer.cancel()
