"""Who holds a port or a file, and that no forked process keeps it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import dash_devices
from dash_devices import holders
from dash_devices.errors import ServerError
from dash_devices.lockfile import LockFile

FORKS = """
import os, socket, sys
from dash_devices import holders
held = socket.create_server(("127.0.0.1", 0))
file = open(sys.argv[1], "w")
holders.close_in_children(held)
holders.close_in_children(file)
descriptors = held.fileno(), file.fileno()
if child := os.fork():
    os.waitpid(child, 0)
    print("parent", held.fileno() >= 0, not file.closed, flush=True)
else:
    print("child", held.fileno(), file.closed, flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_keeps_neither_port_nor_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKS, str(tmp_path / "lock")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == ["child -1 True", "parent True True"]


def test_the_port_of_a_server_is_one_of_them() -> None:
    from dash_devices.server import _bind

    with _bind("127.0.0.1", 0) as bound:
        assert bound in set(holders._held)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_error_names_the_process_that_holds_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held, pytest.raises(ServerError) as error:
        dash_devices.Dash(__name__).run(port=held.getsockname()[1])
    assert f"in use by process {os.getpid()})" in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_lock_of_a_state_is_one_of_them_and_the_error_names_the_process(tmp_path: Path) -> None:
    with closing(LockFile(tmp_path / "state.db.lock", tmp_path / "state.db")) as lock:
        assert lock in set(holders._held)
        with pytest.raises(ServerError) as error:
            LockFile(tmp_path / "state.db.lock", tmp_path / "state.db")
    assert f"it is held by process {os.getpid()})" in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_who_has_a_file_open(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w"):
        assert holders.of_file(path) == f" by process {os.getpid()}"
    assert holders.of_file(path) == ""
    assert holders.of_port(1) == ""
