"""Large bodies over real connections: they wait for room, and honest ones get through beside those that do not arrive."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import body_room
from dash_devices.body_room import FREE

from ..support import ServerThread, wait_for
from .http_peers import Peer, http_app

pytestmark = pytest.mark.fault("A10")

Serve = Callable[..., ServerThread]
SIZE = 2**20


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> dash_devices.Dash:
    monkeypatch.setattr(body_room, "MOST_EACH", 2 * SIZE)
    return http_app()


def begin(peer: Peer, sent: int = SIZE - 1, size: int = SIZE) -> None:
    """Send the first bytes of a body."""
    peer.ask("/length", f"Origin: http://127.0.0.1\r\nContent-Length: {size}\r\n", "POST")
    peer.send(bytes(sent))


@pytest.mark.parametrize("count", [2, 3])
def test_an_upload_gets_through_beside_bodies_that_do_not_arrive(
    app: Any, serve: Serve, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("dash_devices.http_connections.SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(body_room, "PACE_SECONDS", 0.2)
    server = serve(app)
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(Peer(server)) for _ in range(count - 1)]
        for peer in stalled:
            begin(peer, FREE + 1)
        upload = stack.enter_context(Peer(server))
        begin(upload, SIZE)
        assert upload.answer() == (200, str(SIZE).encode())
    assert app.metrics.get("refused_body_room", 0) == (count == 3), "only where it has to give way"


def test_a_body_without_room_is_not_read_until_there_is_some(app: Any, serve: Serve) -> None:
    """And it is no slow body meanwhile."""
    server = serve(app)
    with Peer(server) as first, Peer(server) as second, Peer(server) as small:
        begin(first, size=2 * SIZE, sent=2 * SIZE - 1)
        begin(small, FREE, FREE)
        assert small.answer() == (200, str(FREE).encode()), "a small one never waits"
        begin(second, FREE + 1)
        first.send(b"x")
        assert first.answer() == (200, str(2 * SIZE).encode())
        second.send(bytes(SIZE - FREE - 1))
        assert second.answer() == (200, str(SIZE).encode())
    assert "refused_body_room" not in app.metrics


def test_a_connection_that_waits_and_goes_is_forgotten(app: Any, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[Any] = []
    forget = body_room.BodyRoom.forget

    def watched(room: Any, connection: Any) -> None:
        if connection in room._waiting:
            waiting.append(connection)
        forget(room, connection)

    monkeypatch.setattr(body_room.BodyRoom, "forget", watched)
    monkeypatch.setattr("dash_devices.http_connections.SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(body_room, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(body_room, "PACE_SECONDS", 100.0)
    server = serve(app)
    with Peer(server) as first:
        begin(first, size=2 * SIZE, sent=2 * SIZE - 1)
        with Peer(server) as second:
            begin(second)
            assert second.is_gone()
        wait_for(lambda: bool(waiting) and waiting[0].requests == 0, "the end of its request")
        assert app.metrics["refused_body_room"] == 1
        first.send(b"x")
        assert first.answer() == (200, str(2 * SIZE).encode())
