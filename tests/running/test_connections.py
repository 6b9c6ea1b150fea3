"""HTTP connections of ``app.run()``: the only way to the push socket, HTTP/2, places, slow peers, sockets of authors."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest

import dash_devices
from dash_devices import PageLimits, http_connections
from dash_devices.http_server import PIECE

from ..support import TIMEOUT, Raw, ServerThread, wait_for
from .hostile import HELLO, Bare, frame, make_app
from .support import hypercorn

Serve = Callable[..., ServerThread]
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
LARGE = 40 * 2**20  # bytes: more than the buffers of two sockets hold


class Peer:
    """A TCP connection that says what it is told to."""

    def __init__(self, server: Any, *, receive: int | None = None) -> None:
        self.socket = socket.socket()
        if receive is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(("127.0.0.1", server.port))
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def ask(self, path: str, headers: str = "", method: str = "GET") -> None:
        self.send(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())

    def head(self) -> bytes:
        """The head of an answer; nothing where the connection has ended."""
        with contextlib.suppress(ConnectionError):
            return b"".join(iter(self.stream.readline, b"\r\n")) if self.stream.peek(1) else b""
        return b""

    def status(self) -> int:
        """The status of an answer without a body that matters; 0 where the connection has ended."""
        head = self.head()
        return int(head.split()[1]) if head else 0

    def answer(self) -> tuple[int, bytes]:
        """Status and body of an answer of known length."""
        head = self.head()
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        return int(head.split()[1]), self.stream.read(length)

    def is_gone(self) -> bool:
        """Wait for the server to end the connection."""
        try:
            while self.socket.recv(65_536):
                pass
        except ConnectionError:
            pass
        return True


@pytest.fixture
def app() -> dash_devices.Dash:
    app: Any = make_app()
    app.release = threading.Event()

    @app.server.get("/large")
    async def large() -> Any:
        return bytes(LARGE)

    @app.server.get("/events")
    async def events() -> Any:
        async def stream() -> Any:
            yield b"first\n"
            await asyncio.to_thread(app.release.wait, TIMEOUT)
            yield b"last\n"

        return stream()

    @app.server.get("/silent")
    async def silent() -> None:
        await asyncio.Event().wait()

    @app.server.post("/length")
    async def length() -> str:
        from quart import request

        return str(len(await request.get_data()))

    @app.server.websocket("/own")
    async def own() -> None:
        from quart import websocket

        while True:
            await websocket.send(await websocket.receive())

    return app  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Options of ``run`` for TLS, with a certificate that nobody has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    files = {"certfile": str(folder / "cert.pem"), "keyfile": str(folder / "key.pem")}
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    command = [*new, "-subj", "/CN=localhost", "-keyout", files["keyfile"], "-out", files["certfile"]]
    subprocess.run(command, check=True, capture_output=True)
    return files


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
def test_a_second_request_of_a_connection_does_not_become_the_socket(app: Any, serve: Serve) -> None:
    with Peer(serve(app)) as peer:
        for _ in range(2):
            peer.ask("/_dash-dependencies")
            assert peer.answer()[0] == 200
        peer.ask("/_dash-devices/socket", UPGRADE + DEFLATE)
        assert peer.status() == 421
    assert app.metrics["refused_connection"] == 1


@pytest.mark.fault("A1")
def test_a_query_that_is_no_ascii_is_none_of_our_errors(
    app: Any, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with Peer(serve(app)) as peer:
        peer.send(b"GET /_dash-devices/socket?\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n" + UPGRADE.encode() + b"\r\n")
        assert peer.status() in (101, 400)
    assert "Traceback" not in caplog.text


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


# ---- HTTP/2
@pytest.mark.fault("A9")
def test_http2_without_tls_is_refused_unless_wanted(app: Any, serve: Serve) -> None:
    server = serve(app)
    with Peer(server) as peer:
        peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert peer.status() == 505
        assert peer.is_gone()
    h2c = "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    with Peer(server) as peer:
        for _ in range(2):
            peer.ask("/_dash-dependencies", h2c)
            assert peer.answer()[0] == 200, "an offer may be passed over, and some clients make it always"
        peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert peer.status() in (400, 505)
        assert peer.is_gone()


@pytest.mark.fault("A9")
@pytest.mark.parametrize("http2", [False, True])
def test_http2_with_tls_only_if_wanted(app: Any, serve: Serve, certificate: dict[str, str], http2: bool) -> None:
    server = serve(app, **certificate, http2=http2)
    context = ssl.create_default_context(cafile=certificate["certfile"])
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain, context.wrap_socket(plain) as line:
        assert line.selected_alpn_protocol() == ("h2" if http2 else "http/1.1")


class H2:
    """A client of HTTP/2 without TLS."""

    def __init__(self, server: Any, *, window: int | None = None) -> None:
        self.peer = Peer(server)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()

    def __enter__(self) -> H2:
        return self

    def __exit__(self, *exc: object) -> None:
        self.peer.__exit__()

    def flush(self) -> None:
        self.peer.send(self.h2.data_to_send())

    def ask(self, path: str, *more: tuple[str, str], method: str = "GET") -> int:
        stream = self.h2.get_next_available_stream_id()
        names = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "127.0.0.1"), *more]
        self.h2.send_headers(stream, names, end_stream=method == "GET")
        return int(stream)

    def until(self, kind: type, stream: int) -> Any:
        while True:
            data = self.peer.socket.recv(65_536)
            assert data, "the connection has ended"
            for event in self.h2.receive_data(data):
                if isinstance(event, kind) and event.stream_id == stream:
                    return event


@pytest.mark.fault("A9")
def test_http2_is_spoken_where_it_is_wanted_but_not_for_the_socket(app: Any, serve: Serve) -> None:
    with H2(serve(app, http2=True)) as client:
        stream = client.ask("/_dash-dependencies")
        client.flush()
        assert (b":status", b"200") in client.until(h2.events.ResponseReceived, stream).headers
        more = (":protocol", "websocket"), ("sec-websocket-version", "13")
        stream = client.ask("/_dash-devices/socket", *more, method="CONNECT")
        client.flush()
        assert (b":status", b"421") in client.until(h2.events.ResponseReceived, stream).headers


@pytest.mark.fault("A9")
def test_who_resets_one_request_after_the_other_is_cut(app: Any, serve: Serve) -> None:
    server = serve(app, http2=True)
    with H2(server) as client:
        for _ in range(900):  # Hypercorn ends a connection after 1,000
            stream = client.ask("/silent")
            client.h2.reset_stream(stream)
        client.flush()
        assert client.peer.is_gone()
    assert app.metrics["refused_cancelled_requests"] == 1


@pytest.mark.fault("A9")
def test_a_hundred_requests_may_be_reset_at_once(app: Any, serve: Serve) -> None:
    with H2(serve(app, http2=True)) as client:
        for _ in range(100):
            client.h2.reset_stream(client.ask("/silent"))
        client.flush()
        stream = client.ask("/_dash-dependencies")
        client.flush()
        assert (b":status", b"200") in client.until(h2.events.ResponseReceived, stream).headers


@pytest.mark.fault("A9")
def test_a_window_of_zero_is_cut(app: Any, serve: Serve, quick: None) -> None:
    with H2(serve(app, http2=True), window=0) as client:
        client.ask("/large")
        client.flush()
        assert client.peer.is_gone()
    assert app.metrics["refused_slow_reader"] == 1


@pytest.mark.fault("A9")
def test_http2_that_asks_nothing_is_closed(app: Any, serve: Serve, quick: None) -> None:
    with H2(serve(app, http2=True)) as client:
        assert client.peer.is_gone()


# ---- slow peers
@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """All times of the limits are short."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "READ_SECONDS", "SWEEP_SECONDS"):
        monkeypatch.setattr(http_connections, name, 0.3 if name != "SWEEP_SECONDS" else 0.05)


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
