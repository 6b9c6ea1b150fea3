"""Processes that serve the app of `child`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from ..support import TIMEOUT, answers, free_port, wait_for

ROOT = Path(__file__).parents[2]


class Child:
    """A process group that serves on ``port``; killed at the exit. ``output`` is all it wrote so far.

    Args:
        command: of the process, with ``{port}`` where the port stands.
        notes: the file of `child.note`.
        port: a free one unless told otherwise.
        environment: more variables.
    """

    def __init__(self, command: list[str], notes: Path, *, port: int | None = None, environment: dict[str, str] | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = ""
        self._notes = notes
        self.process = subprocess.Popen(
            [sys.executable, *(part.format(port=self.port) for part in command)],
            cwd=ROOT,
            env={**os.environ, "NOTES": str(notes), "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()

    def up(self) -> Self:
        """Wait until the port answers."""
        wait_for(lambda: self.process.poll() is not None or answers(self.port), "the server", 3 * TIMEOUT)
        if self.process.poll() is not None:
            raise AssertionError(f"the process ended with {self.process.returncode}:\n{self.ended()}")
        return self

    def says(self, text: str) -> None:
        """Wait until the process has written this."""
        wait_for(lambda: text in self.output, f"the words {text!r}", 3 * TIMEOUT)

    def ended(self, timeout: float = TIMEOUT) -> str:
        """Wait for the process to end and return all that it wrote."""
        self.process.wait(timeout)
        self._reader.join(TIMEOUT)
        return self.output

    def kill(self) -> None:
        """End the whole group at once, as ``kill -9`` does."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # ended by itself
        finally:
            self.ended()

    @property
    def notes(self) -> list[tuple[str, int]]:
        """What the app noted: the word, and the process id it came from."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        return [(word, int(pid)) for word, pid in (line.split() for line in lines)]

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.output += line
