"""HTTP connections of ``app.run()``: the only way to the push socket, places, slow peers, sockets of authors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly
import pytest

import dash_devices
from dash_devices import PageLimits, http_connections
from dash_devices.dash_glue.suite_files import SuiteFile
from dash_devices.http_requests import PIECE

from ..support import Raw, ServerThread, wait_for
from .hostile import HELLO, Bare, frame, make_app
from .http_peers import LARGE, Peer, http_app
from .support import hypercorn

Serve = Callable[..., ServerThread]
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


@pytest.fixture
def app() -> dash_devices.Dash:
    return http_app()


# ---- the way to the push socket
@pytest.mark.fault("A1")
@pytest.mark.parametrize("path", ["/%5Fdash-devices/socket", "/%5fdash-devices/s%6Fcket?x=1", "/_dash-devices/socket"])
def test_however_its_path_is_written_the_socket_has_our_limits(app: Any, url: str, path: str) -> None:
    with Bare(url, DEFLATE, path=path) as peer:
        assert b" 101 " in peer.head
        assert b"extensions" not in peer.head.lower()
        peer.say(HELLO)
        peer.send(frame(b"", 0x89) * 2_000)
        assert peer.code() == 4429


@pytest.mark.fault("A1")
@pytest.mark.parametrize("pieces", [1, 50])
def test_a_later_request_of_a_connection_becomes_our_socket(app: Any, serve: Serve, pieces: int) -> None:
    """A proxy may use its connections again."""
    with Peer(serve(app)) as peer:
        for _ in range(2):
            peer.ask("/_dash-dependencies")
            assert peer.answer()[0] == 200
        text = f"GET /_dash-devices/socket HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}{DEFLATE}\r\n".encode()
        for at in range(0, len(text), size := -(-len(text) // pieces)):
            peer.send(text[at : at + size])
        head = peer.head()
        assert b" 101 " in head
        assert b"extensions" not in head.lower()
        peer.send(frame(HELLO))
        wait_for(lambda: len(app.clients) == 1 or app.metrics["clients"], "the page")
        peer.send(frame(b"", 0x89) * 2_000)
        assert b"\x11\x4d" in peer.stream.read(), "the close code 4429"
    assert not app.metrics.get("refused_connection")


@pytest.mark.fault("A1")
def test_the_http_server_never_serves_our_socket(app: Any, serve: Serve) -> None:
    """Where the request came before the answer to the one before, it is read with it."""
    with Peer(serve(app)) as peer:
        first = b"GET /_dash-dependencies HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        second = f"GET /%5Fdash-devices/socket HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}{DEFLATE}\r\n".encode()
        peer.send(first + second)
        assert peer.answer()[0] == 200
        assert peer.status() == 421
    assert app.metrics["refused_connection"] == 1


@pytest.mark.fault("A1")
def test_later_requests_of_any_size_reach_the_http_server(app: Any, serve: Serve) -> None:
    with Peer(serve(app)) as peer:
        for size in (0, 100, 100_000):
            peer.ask("/length", f"Origin: http://127.0.0.1\r\nContent-Length: {size}\r\n", "POST")
            peer.send(bytes(size))
            assert peer.answer() == (200, str(size).encode())
        peer.ask("/?" + "x" * 60_000)
        assert peer.status() in (0, 414, 431)


@pytest.mark.fault("A1")
def test_another_server_serves_the_socket_itself(app: Any) -> None:
    with hypercorn(app.asgi) as server, Raw(server.url) as page:
        page.join()


# ---- sockets of the author's own
@pytest.mark.fault("A1")
def test_a_socket_of_the_authors_own_is_not_compressed(app: Any, url: str) -> None:
    with Bare(url, DEFLATE, path="/own") as peer:
        assert b" 101 " in peer.head
        assert b"extensions" not in peer.head.lower()
        peer.say(b"hello")
        assert peer.stream.read(7) == b"\x81\x05hello"


@pytest.mark.fault("A1")
@pytest.mark.parametrize(("count", "is_taken"), [(15, True), (16, True), (17, False)])
def test_its_messages_have_so_many_fragments(app: Any, url: str, count: int, is_taken: bool) -> None:
    with Bare(url, path="/own") as peer:
        for _ in range(2):  # they are counted for each message
            pieces = [frame(b"x", 0x01), *[frame(b"x", 0x00)] * (count - 2), frame(b"x", 0x80)]
            peer.send(b"".join(pieces))
            if not is_taken:
                assert peer.code() == 1009
                assert peer.stream.read() == b"", "and then it is cut"
                return
            assert peer.stream.read(2 + count) == bytes([0x81, count]) + b"x" * count


@pytest.mark.fault("A1")
@pytest.mark.parametrize(("more", "is_taken"), [(-1, True), (0, True), (1, False)])
def test_its_messages_have_so_many_bytes(serve: Serve, more: int, is_taken: bool) -> None:
    app: Any = make_app(page_limits=PageLimits(message_bytes=100))

    @app.server.websocket("/own")
    async def own() -> None:
        from quart import websocket

        await websocket.send(await websocket.receive())

    with Bare(serve(app).url, path="/own") as peer:
        peer.say(b"x" * (100 + more))
        if is_taken:
            assert peer.stream.read(102 + more)[0] == 0x81
        else:
            assert peer.code() == 1009


# ---- slow peers
@pytest.mark.fault("A10")
@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_half_a_head_is_closed(app: Any, serve: Serve, quick: None, said: bytes) -> None:
    with Peer(serve(app)) as peer:
        peer.send(said)
        assert peer.is_gone()


@pytest.mark.fault("A10")
def test_half_a_second_head_is_closed(app: Any, serve: Serve, quick: None) -> None:
    with Peer(serve(app)) as peer:
        peer.ask("/_dash-dependencies")
        assert peer.answer()[0] == 200
        peer.send(b"GET / HTTP/1.1\r\nHo")
        assert peer.is_gone()


@pytest.mark.fault("A10")
def test_a_body_that_does_not_arrive_is_cut(app: Any, serve: Serve, quick: None) -> None:
    with Peer(serve(app)) as peer:
        peer.ask("/length", "Origin: http://127.0.0.1\r\nContent-Length: 100000\r\n", "POST")
        peer.send(b"x" * 100)
        assert peer.is_gone()
    assert app.metrics["refused_slow_body"] == 1


@pytest.mark.fault("A10")
def test_an_answer_that_nobody_reads_is_cut(app: Any, serve: Serve, quick: None) -> None:
    with Peer(serve(app), receive=4_096) as peer:
        peer.ask("/large")
        wait_for(lambda: app.metrics.get("refused_slow_reader") == 1, "the cut")
        assert peer.is_gone()


@pytest.mark.fault("A10")
def test_an_event_stream_may_be_silent(app: Any, serve: Serve, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    swept = 0
    fault = http_connections.HttpConnection.fault

    def counted(self: Any, now: float) -> str | None:
        nonlocal swept
        swept += 1
        return fault(self, now)

    monkeypatch.setattr(http_connections.HttpConnection, "fault", counted)
    with Peer(serve(app)) as peer:
        peer.ask("/events", "Connection: close\r\n")
        assert b" 200" in peer.head()
        wait_for(lambda: swept > 20, "twenty sweeps, three times as long as any limit")
        app.release.set()
        assert b"last" in peer.stream.read()


@pytest.mark.fault("A10")
def test_long_answers_have_no_limit_in_all(app: Any, serve: Serve) -> None:
    """Quart ends an answer, and a body, after 60 s, whatever has moved meanwhile."""
    serve(app)
    assert app.server.config["RESPONSE_TIMEOUT"] is None
    assert app.server.config["BODY_TIMEOUT"] is None


@pytest.mark.fault("A10")
def test_times_that_the_author_has_set_stay(app: Any, serve: Serve) -> None:
    app.server.config["RESPONSE_TIMEOUT"] = 5
    serve(app)
    assert app.server.config["RESPONSE_TIMEOUT"] == 5


@pytest.mark.fault("A10")
def test_a_large_answer_is_whole(app: Any, serve: Serve) -> None:
    with Peer(serve(app)) as peer:
        peer.ask("/large")
        status, body = peer.answer()
    assert (status, len(body)) == (200, LARGE)
    assert LARGE > 3 * PIECE


# ---- places
@pytest.mark.fault("A10")
def test_who_comes_too_much_gets_503_unless_one_is_idle(
    app: Any, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(app)
    monkeypatch.setattr(http_connections, "MOST", 2)
    with Peer(server) as one, Peer(server) as two:
        for peer in (one, two):
            peer.ask("/events")
            assert b" 200" in peer.head()
        with Peer(server) as third:
            assert third.status() == 503
        assert app.metrics["refused_connections"] == 1
        app.release.set()

        def has_room() -> bool:
            with Peer(server) as fourth:
                fourth.ask("/_dash-dependencies")
                return fourth.status() == 200

        wait_for(has_room, "an idle one makes room")


@pytest.mark.fault("A10")
def test_a_push_socket_takes_no_place_of_http(app: Any, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(app)
    monkeypatch.setattr(http_connections, "MOST", 1)
    with Raw(server.url) as one, Raw(server.url) as two:
        one.join(), two.join()


@pytest.mark.fault("A10")
def test_files_of_component_libraries_are_streamed(app: Any) -> None:
    seen: list[Any] = []

    @app.server.after_request
    async def look(response: Any) -> Any:
        seen.append(response)
        return response

    async def ask(path: str) -> Any:
        response = await app.server.test_client().get(path, headers={"Host": "localhost"})
        return response, await response.get_data(as_text=False)

    plain = "/_dash-component-suites/plotly/package_data/plotly.min.js"
    response, body = asyncio.run(ask(plain))
    assert type(seen[0].response) is SuiteFile
    assert body == Path(plotly.__file__).with_name("package_data").joinpath("plotly.min.js").read_bytes()
    assert response.headers["Content-Length"] == str(len(body))
    assert response.content_type.startswith(("text/javascript", "application/javascript"))
    assert "max-age" not in response.headers.get("Cache-Control", "")
    fingerprinted = asyncio.run(ask(plain.replace("plotly.min.js", "plotly.v1m2.min.js")))
    assert fingerprinted[0].headers["Cache-Control"] == "public, max-age=31536000"
    assert asyncio.run(ask(plain.replace("plotly.min.js", "other.js")))[0].status_code == 404
