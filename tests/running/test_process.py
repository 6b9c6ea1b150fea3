"""``app.run()`` in a second process: how it begins and how it ends."""

from __future__ import annotations

import resource
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from dash_devices.server import CLOSE_SECONDS, HOOK_SECONDS

from ..support import Raw, answers, wait_for
from .support import Child

Start = Callable[..., Child]
MakeRaw = Callable[..., Raw]
HANDSHAKE = (
    b"GET /_dash-devices/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_pages_are_told(child: Start, raw: MakeRaw, number: signal.Signals) -> None:
    server = child().up()
    page = raw(server.url).join()
    page.change("a", "value", "1")
    page.until_value("shown", "children", "1")
    server.process.send_signal(number)
    assert page.closed() == 1012
    output = server.ended()
    assert server.process.returncode == 0, output
    assert "Traceback" not in output
    assert [word for word, _ in server.notes] == ["device", "device", "released"]
    assert not answers(server.port)


def test_what_was_imported_is_out_of_the_collectors_way(child: Start, raw: MakeRaw) -> None:
    page = raw(child().up().url).join()
    page.change("a", "value", "frozen?")
    page.until_value("shown", "children", True)


def test_it_ends_though_nobody_cooperates(child: Start, raw: MakeRaw) -> None:
    server = child(environment={"HANGING_HOOK": "1"}).up()
    page = raw(server.url).join()
    page.change("a", "value", "hang")  # a thread that never comes back
    page.until("ack")
    with ExitStack() as stack:
        idle, half, deaf = (stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(3))
        idle.sendall(b"GET /_dash-layout HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
        half.sendall(b"GET /_dash-devices/socket HTTP/1.1\r\nHo")
        deaf.sendall(HANDSHAKE)  # reads nothing more, so that it never answers the close frame
        assert deaf.recv(12) == b"HTTP/1.1 101"
        server.process.terminate()
        assert page.closed() == 1012
        output = server.ended()
    assert "shutdown hooks took longer" in output
    assert server.notes[-1][0] == "released"


def test_the_waits_leave_time_to_end_within_three_seconds() -> None:
    assert max(HOOK_SECONDS, CLOSE_SECONDS) <= 2, "they run side by side; the rest is for the interpreter"


def test_a_second_signal_ends_it_at_once(child: Start, raw: MakeRaw) -> None:
    server = child(environment={"HANGING_HOOK": "1"}).up()
    page = raw(server.url).join()
    server.process.terminate()
    assert page.closed() == 1012
    server.process.terminate()
    server.ended()
    assert server.process.returncode == 1


def test_after_kill_9_the_port_is_free_again(child: Start, raw: MakeRaw) -> None:
    first = child().up()
    page = raw(first.url).join()
    first.kill()
    assert page.closed() == 1006
    second = child(port=first.port).up()
    back = raw(second.url)
    assert back.resume(page)["mode"] == "snapshot"


def test_a_port_in_use_is_an_error_that_says_what_to_do(child: Start) -> None:
    first = child().up()
    output = child(port=first.port).ended()
    assert f"127.0.0.1:{first.port}" in output
    assert "ServerError" in output
    assert "stop what uses the port, or run(port=...) another" in output
    assert answers(first.port)


def test_it_listens_on_this_machine_only(child: Start) -> None:
    server = child().up()
    process = psutil.Process(server.process.pid)
    listening: list[Any] = [one.laddr for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", server.port)]
    assert process.children() == [], "no child that survives a kill and keeps the port and the hardware"


def test_no_file_is_left_for_another_connection(child: Start, raw: MakeRaw) -> None:
    """Those who are there go on, and when there are files again others come in."""
    server = child().up()
    page, other = raw(server.url).join(), raw(server.url).join()
    open_files = psutil.Process(server.process.pid).num_fds()
    _, most = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (open_files + 5, most))
    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        wait_for(lambda: psutil.Process(server.process.pid).num_fds() >= open_files + 3, "as many as there may be")
        page.change("a", "value", "1")
        assert page.until("ack", n=1)
        other.until_value("a", "value", "1")  # not the callback's result: the app itself opens a file for that
        assert psutil.Process(server.process.pid).num_fds() < open_files + 30
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (most, most))
    late = raw(server.url).join()
    late.change("a", "value", "2")
    page.until_value("shown", "children", "2")
