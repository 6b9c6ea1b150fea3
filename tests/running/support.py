"""Processes that serve the app of `child`, and servers that are not ours."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

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

    def __init__(
        self, command: list[str], notes: Path, *, port: int | None = None, environment: dict[str, str] | None = None
    ) -> None:
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


class Foreign:
    """A server that is not ours, in a thread. ``serve(port, stop)`` runs until the event is set."""

    def __init__(self, serve: Callable[[int, threading.Event], None]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=serve, args=(self.port, self._stop), name="foreign server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for(lambda: answers(self.port) or not self._thread.is_alive(), "the server")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End it as its own signal handler would."""
        self._stop.set()
        self._thread.join(TIMEOUT)
        if self._thread.is_alive():
            raise AssertionError("the server did not end")


def uvicorn(asgi: Any, **options: Any) -> Foreign:
    """The app under uvicorn."""
    from uvicorn import Config, Server

    def serve(port: int, stop: threading.Event) -> None:
        server = Server(Config(asgi, port=port, log_level="warning", timeout_graceful_shutdown=2, **options))

        def end() -> None:
            stop.wait()
            server.should_exit = True

        threading.Thread(target=end, daemon=True).start()
        server.run()

    return Foreign(serve)


def hypercorn(asgi: Any) -> Foreign:
    """The app under Hypercorn, as its command line serves it."""
    from hypercorn.asyncio import serve as run
    from hypercorn.config import Config

    def serve(port: int, stop: threading.Event) -> None:
        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.graceful_timeout = 2
        asyncio.run(run(asgi, config, shutdown_trigger=lambda: asyncio.to_thread(stop.wait)))

    return Foreign(serve)
