"""How many may be in, how fast wrong passwords may come, how much may be logged; and heads that are no requests."""

from __future__ import annotations

import logging
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from dash_devices.gate.gate import Gate
from dash_devices.gate.places import Places
from dash_devices.gate.proxies import TrustedProxies
from dash_devices.gate.rules import MAX_HEADERS, MAX_TARGET
from dash_devices.heads import MAX_HEAD
from dash_devices.refusals import LINES, SPAN, Refusals

from ..support import TIMEOUT, Raw, wait_for
from .apps import ask, make_app, with_login

Serve = Callable[..., Any]
MakeRaw = Callable[..., Raw]


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


# ---- places
def test_so_many_sockets_in_all_and_for_each_address() -> None:
    places = Places(5, 2, TrustedProxies(["10.0.0.1"]))
    one, _two = places.take("192.0.2.1", None), places.take("192.0.2.1", None)
    assert places.full("192.0.2.1") is not None
    assert places.full("::ffff:192.0.2.1") is not None
    assert places.full("192.0.2.2") is None
    assert [places.full(address) for address in ("127.0.0.1", "::1", "10.0.0.1", "")] == [None] * 4
    places.leave(one)
    places.leave(one)
    assert places.full("192.0.2.1") is None
    assert len(places) == 1
    for _ in range(4):
        places.take("127.0.0.1", None)
    for address in ("127.0.0.1", "10.0.0.1", "192.0.2.9"):
        assert places.full(address).status == 503  # type: ignore[union-attr]


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    places = Places(100, 2, TrustedProxies())
    for end in (1, 2):
        places.take(f"2001:db8::{end}", None)
    assert places.full("2001:db8::3") is not None
    assert places.full("2001:db8:0:1::3") is None


@pytest.mark.parametrize(
    "options", [{"max_sockets": 3}, {"max_sockets_per_address": 3, "trusted_proxies": ["127.0.0.1"]}]
)
def test_one_socket_too_many_gets_503_and_the_others_go_on(serve: Serve, raw: MakeRaw, options: dict[str, Any]) -> None:
    server = serve(make_app(**options))
    front = {"X-Forwarded-For": "203.0.113.9"} if "trusted_proxies" in options else {}
    pages = [raw(server.url, headers=front).join() for _ in range(3)]
    with pytest.raises(InvalidStatus) as refused:
        raw(server.url, headers=front)
    assert refused.value.response.status_code == 503
    assert server.app.metrics["refused_places"] == 1
    pages[0].change("a", "value", "1")
    assert pages[0].until("ack")
    pages[1].close()
    wait_for(lambda: len(server.app.gate.places) == 2, "a place is free")
    assert raw(server.url, headers=front).join()


# ---- the log
def test_the_log_cannot_be_filled(caplog: pytest.LogCaptureFixture) -> None:
    clock, metrics = Clock(), Counter[str]()
    refusals = Refusals(metrics, clock)
    with caplog.at_level(logging.WARNING, "dash_devices.gate"):
        for _ in range(10_000):
            refusals.note("host", "refused: %s", "evil\nFAKE LINE " + "x" * 10_000)
        assert len(caplog.records) == LINES
        text = caplog.records[0].getMessage()
        assert "\n" not in text
        assert len(text) < 150
        clock.time += SPAN
        refusals.note("host", "refused: %s", "again")
    assert metrics["refused_host"] == 10_001
    assert [record.getMessage() for record in caplog.records[LINES:]] == [
        f"{10_000 - LINES} more like these had no line of their own; app.metrics counts them",
        "refused: 'again'",
    ]


# ---- heads
def _says(server: Any, head: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT) as line:
        line.settimeout(TIMEOUT)
        try:
            line.sendall(head)
            with line.makefile("rb") as stream:
                return stream.readline()
        except ConnectionError:
            return b"gone"


@pytest.mark.parametrize("path", ["/", "/_dash-devices/socket"])
@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (b"", b"X: " + b"x" * (MAX_HEADERS + 1) + b"\r\n", 431),
        (b"", b"".join(b"X-%d: %b\r\n" % (n, b"x" * 8_192) for n in range(100)), 431),
        (b"?" + b"x" * 10_240, b"", 414),
        (b"?" + b"x" * 2**20, b"", 414),
    ],
    ids=["a header", "headers", "10 kB address", "1 MB address"],
)
def test_heads_that_are_too_large(serve: Serve, path: str, target: bytes, headers: bytes, status: int) -> None:
    server = serve(make_app())
    head = b"GET %b%b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%b\r\n" % (path.encode(), target, server.port, headers)
    answer = _says(server, head)
    assert answer.startswith(b"HTTP/1.1 %d" % status) or (answer == b"gone" and len(head) > MAX_HEAD)
    assert ask(server, "/view").status == 200


@pytest.mark.parametrize("kind", ["headers", "target"])
def test_limits_of_the_head(kind: str) -> None:
    """For servers that let more through than ours."""
    from dash_devices.gate.head import Head

    from .test_table import scope

    for size, good in ((-1, True), (0, True), (1, False)):
        if kind == "target":
            made = Head(scope("http", ("host", "localhost"), path="/" + "x" * (MAX_TARGET + size - 1)))
        else:
            made = Head(scope("http", ("host", "localhost"), ("x", "x" * (MAX_HEADERS + size - 14))))
        found = Gate(Counter()).rules.refusal(made)
        assert (found is None) is good


@pytest.mark.parametrize(
    "head",
    [
        b"GET /_dash-devices/socket HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /_dash-devices/socket HTTP/1.1\r\n Host: folded\r\n\r\n",
        b"GET /_dash-devices/socket HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /_dash-devices/socket HTTP/1.0\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/_dash-layout HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_an_error(serve: Serve, head: bytes) -> None:
    server = serve(with_login())
    line = _says(server, head)
    assert line in (b"", b"gone") or line.split()[1][:1] == b"4"
    assert server.app.touched == []


def test_line_ends_without_returns_are_understood(serve: Serve) -> None:
    server = serve(make_app())
    assert _says(server, b"GET /view HTTP/1.1\nHost: localhost\n\n").split()[1] == b"200"


def test_a_head_that_never_ends_costs_nothing_but_its_bytes(serve: Serve) -> None:
    """Nobody is asked, no HTTP server is set up; after ten seconds it is gone."""
    server = serve(make_app())
    lines = []
    for text in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /_dash-devices/socket HTTP/1.1\r\nHost"):
        lines.append(socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT))
        lines[-1].sendall(text)
    assert ask(server, "/view").status == 200
    for line in lines:
        line.close()


def test_a_subprotocol_is_closed_with_a_hint_to_reload(serve: Serve) -> None:
    from websockets.sync.client import connect

    server = serve(make_app())
    url = server.url.replace("http", "ws") + "/_dash-devices/socket"
    with connect(url, proxy=None, additional_headers={"Sec-WebSocket-Protocol": "graphql-ws"}) as line:
        from websockets.exceptions import ConnectionClosed

        with pytest.raises(ConnectionClosed) as closed:
            line.recv(TIMEOUT)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4426
    assert "reload" in closed.value.rcvd.reason
