"""Server processes: started fresh for each measurement, ended with it, never left behind."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import BenchError

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START_TIMEOUT = 30.0  # s
STOP_TIMEOUT = 4.0  # s


@dataclasses.dataclass(frozen=True, slots=True)
class Child:
    """A running server: its port on 127.0.0.1 and its process."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://127.0.0.1:{self.port}/"

    def push(self) -> None:
        """Make it push one stamped value."""
        stdin = self.process.stdin
        if stdin is None:
            raise BenchError(f"server on port {self.port}: expected a pipe to it, got none; start it by serve()")
        stdin.write(b"push\n")
        stdin.flush()


@contextlib.contextmanager
def serve(system: str, layout: str) -> Iterator[Child]:
    """Run one system over one layout in its own process.

    Raises:
        BenchError: the server ended or did not listen within 30 s; the message holds the end of its output.
    """
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = start(system, layout, port, log)
        try:
            wait_listening(process, port, system, log)
            yield Child(port, process)
        finally:
            stop(process)


def start(system: str, layout: str, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the script of a system. Its own session keeps Ctrl-C away from it: the bench ends it."""
    script = ["serve_floor.py", str(port)] if system == "floor" else ["serve_dash.py", system, layout, str(port)]
    command = [sys.executable, "-P", str(HERE / script[0]), *script[1:]]  # -P: these modules must shadow no others
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process; the end of its standard input is what tells it."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):  # it ended before us: nothing is left to tell it
            process.stdin.close()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_listening(process: subprocess.Popen[bytes], port: int, system: str, log: IO[bytes]) -> None:
    """Return when somebody accepts connections on the port."""
    deadline = time.monotonic() + START_TIMEOUT
    while not listening(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError(f"server {system}: expected it to listen on port {port}; its output ends:\n{tail(log)}")
        time.sleep(0.02)


def listening(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tail(log: IO[bytes], size: int = 2000) -> str:
    """The last characters of a process's output."""
    log.seek(0)
    return log.read()[-size:].decode(errors="replace")
