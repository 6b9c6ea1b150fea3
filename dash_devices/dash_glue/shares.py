"""Who gets how many of the threads: no page, and no address, can take those of all the others."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from quart import request

from ..sessions import Session
from ..threads import Share, Shares, Threads, in_thread

PAGE_THREADS = 16  # of the 256: for the regular callbacks of one page
REQUEST_THREADS = 192  # for those of all pages
LAYOUT_THREADS = 32  # for layout functions; what is left is for shared callbacks and the start


class ThreadShares:
    """The shares of an app's threads.

    Attributes:
        layouts: for layout functions.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._pages = Shares(Share(threads, REQUEST_THREADS), PAGE_THREADS)
        self._start: asyncio.Task[Any] | None = None
        self.layouts = Share(threads, LAYOUT_THREADS)

    def of(self, session: Session | None) -> Share:
        """For the regular callbacks of a page, or over HTTP alone of an address."""
        return self._pages.of(session.token if session is not None else f"address {request.remote_addr}")

    async def wait_for(self, idle: threading.Event, seconds: float) -> None:
        """Wait until the event is set, or so long; in one thread for all who wait."""
        if idle.is_set():
            return
        if self._start is None or self._start.done():
            wait = in_thread(self._threads, lambda: idle.wait(seconds))
            self._start = asyncio.get_running_loop().create_task(wait)
        await asyncio.shield(self._start)
