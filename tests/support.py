"""The test harness: a server in a thread, and a client that speaks ``PROTOCOL.md`` without a browser."""

from __future__ import annotations

import socket
import sys
import threading
import time
import traceback
from typing import Any, Protocol, Self

from .raw import TIMEOUT, Closed, Raw, Silent, wire_id

__all__ = ["TIMEOUT", "Closed", "Raw", "ServerThread", "Silent", "answers", "free_port", "wait_for", "wire_id"]


class App(Protocol):
    """What a `ServerThread` needs of an app."""

    def run(self, *, host: str, port: int) -> None: ...
    def stop(self) -> None: ...


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Any, what: str = "condition", timeout: float = TIMEOUT) -> Any:
    """Call ``condition`` until it returns something true, and return that.

    For state that announces itself in no other way; prefer an event or `Raw.until` where there is one.
    """
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: still not so after {timeout:g} s (last: {result!r})")
        pause.wait(0.005)
    return result


class ServerThread:
    """Runs an app on a free port of 127.0.0.1 in a background thread, as a context manager.

    Entering returns when the port answers; an exception of ``app.run`` is raised there, or at the exit.
    """

    def __init__(self, app: App, *, port: int | None = None, **run: Any) -> None:
        self.app = app
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._run = run
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name=f"server-{self.port}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for(self._up, f"server on port {self.port}", 2 * TIMEOUT)
        self._raise()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and wait for its thread; harmless when it ended already."""
        if self._thread.is_alive():
            self.app.stop()
        self._thread.join(TIMEOUT)
        if self._thread.is_alive():
            raise AssertionError(f"app.run: did not end within {TIMEOUT:g} s of app.stop(); it is at\n{self._stack()}")
        self._raise()

    def _main(self) -> None:
        try:
            self.app.run(host="127.0.0.1", port=self.port, **self._run)
        except (Exception, SystemExit) as error:  # raised again in the test's thread
            self._error = error

    def _up(self) -> bool:
        return not self._thread.is_alive() or answers(self.port)

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else "(no frame)"
