"""The hardware thread: does one thing again and again, at a rate that may change meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Sampler:
    """Calls ``take`` at a given rate in a thread of its own. Its methods may be called from any thread.

    A ``take`` that raises is logged and tried again: a sensor that was unplugged for a moment must not end the thread.
    """

    def __init__(self, take: Callable[[], None]) -> None:
        self._take = take
        self._changed = threading.Condition()
        self._rate = 1.0
        self._stopped = False
        self._thread: threading.Thread | None = None

    def set_rate(self, hertz: float) -> None:
        """Go on at this many calls per second; the first time this starts the thread. After `stop`: nothing."""
        if not hertz > 0:
            raise ValueError(f"Sampler.set_rate: expected more than 0 Hz, got {hertz!r}")
        with self._changed:
            self._rate = hertz
            self._changed.notify()
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; harmless when it never ran or ended already."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        last = time.monotonic()
        while self._wait(last):
            last = time.monotonic()
            try:
                self._take()
            except Exception:
                _log.exception("sampler: taking a sample failed; it is tried again")

    def _wait(self, last: float) -> bool:
        """Wait until it is time for the next sample, however the rate changes. False: stopped."""
        with self._changed:
            while not self._stopped and (rest := last + 1 / self._rate - time.monotonic()) > 0:
                self._changed.wait(rest)
            return not self._stopped
