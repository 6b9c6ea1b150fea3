"""A progress bar on standard error."""

from __future__ import annotations

import sys
import time
from typing import TextIO

WIDTH = 24


class Progress:
    """Counts steps; draws a bar on a terminal and writes one line per step elsewhere."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total = total
        self.done = 0
        self.stream = stream or sys.stderr
        self.started = time.monotonic()

    def step(self, label: str) -> None:
        """Say what begins now."""
        self._write(label)
        self.done += 1

    def close(self) -> None:
        """Say that all is done and leave the line."""
        self._write("done")
        if self.stream.isatty():
            self.stream.write("\n")

    def _write(self, label: str) -> None:
        full = WIDTH * self.done // max(self.total, 1)
        bar = "#" * full + "." * (WIDTH - full)
        start, end = ("\r\x1b[K", "") if self.stream.isatty() else ("", "\n")
        self.stream.write(f"{start}[{bar}] {self.done}/{self.total} {self._left()}{label}{end}")
        self.stream.flush()

    def _left(self) -> str:
        if not 0 < self.done < self.total:
            return ""
        seconds = (time.monotonic() - self.started) / self.done * (self.total - self.done)
        return f"{seconds:.0f} s left: "
