"""HTTP/2 with ``app.run()``: only if it is wanted, and then with the limits of all connections."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from typing import Any

import h2.events
import pytest

import dash_devices
from dash_devices import PageLimits
from dash_devices.http_connections import CONTROL_BURST
from dash_devices.http_requests import PIECE

from ..support import TIMEOUT, ServerThread
from .http_peers import H2, Peer, http_app

Serve = Callable[..., ServerThread]


@pytest.fixture
def app() -> dash_devices.Dash:
    return http_app()


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
@pytest.mark.parametrize("kind", ["priority", "ping"])
def test_who_sends_one_control_frame_after_the_other_is_cut(app: Any, serve: Serve, kind: str) -> None:
    with H2(serve(app, http2=True)) as client:
        for number in range(2 * CONTROL_BURST):
            client.h2.prioritize(2 * number + 1) if kind == "priority" else client.h2.ping(bytes(8))
        client.flush()
        assert client.peer.is_gone()
    assert app.metrics["refused_control_frames"] == 1


@pytest.mark.fault("A9")
def test_priorities_are_passed_over(app: Any, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Also of requests that do not exist: Hypercorn's own tree has room for 1,000."""
    with H2(serve(app, http2=True)) as client:
        for number in range(CONTROL_BURST - 100):
            client.h2.prioritize(4 * number + 1, depends_on=4 * number + 3)
        stream = client.ask("/_dash-dependencies")
        client.flush()
        assert (b":status", b"200") in client.until(h2.events.ResponseReceived, stream).headers
    assert "Traceback" not in caplog.text


@pytest.mark.fault("A9")
def test_a_window_of_zero_is_cut(app: Any, serve: Serve, quick: None) -> None:
    with H2(serve(app, http2=True), window=0) as client:
        client.ask("/large")
        client.flush()
        assert client.peer.is_gone()
    assert app.metrics["refused_slow_reader"] == 1


@pytest.mark.fault("A9")
def test_nothing_is_made_for_a_window_of_zero(app: Any, serve: Serve, quick: None) -> None:
    made: list[int] = []

    @app.server.get("/made")
    async def view() -> Any:
        async def stream() -> Any:
            for number in range(100):
                made.append(number)
                yield bytes(PIECE)

        return stream()

    with H2(serve(app, http2=True), window=0) as client:
        client.ask("/made")
        client.flush()
        assert client.peer.is_gone()
    assert len(made) <= 2


@pytest.mark.fault("A9")
def test_http2_that_asks_nothing_is_closed(app: Any, serve: Serve, quick: None) -> None:
    with H2(serve(app, http2=True)) as client:
        assert client.peer.is_gone()


@pytest.mark.fault("A9")
@pytest.mark.parametrize(("count", "is_cut"), [(2, False), (3, True)])
def test_the_bodies_of_all_requests_have_a_limit_together(serve: Serve, count: int, is_cut: bool) -> None:
    app = http_app(page_limits=PageLimits(message_bytes=10_000))
    with H2(serve(app, http2=True)) as client:
        streams = [client.ask("/length", ("origin", "http://127.0.0.1"), method="POST") for _ in range(count)]
        for stream in streams:
            client.h2.send_data(stream, bytes(9_999))
        client.flush()
        if is_cut:
            assert client.peer.is_gone()
            assert app.metrics["refused_bodies"] == 1
            return
        for stream in streams:
            client.h2.send_data(stream, b"x", end_stream=True)
        client.flush()
        assert (b":status", b"200") in client.until(h2.events.ResponseReceived, streams[0]).headers


@pytest.mark.parametrize("asked", ["/events", "/large"])
def test_a_server_with_tls_ends_at_once(app: Any, serve: Serve, certificate: dict[str, str], asked: str) -> None:
    """It waits for no answer of peers to the end of TLS, which could take half a minute for each."""
    server = serve(app, **certificate)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain, context.wrap_socket(plain) as peer:
        peer.sendall(f"GET {asked} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert peer.recv(10)
        server.stop()


def test_what_comes_too_late_for_a_connection_is_no_line_of_the_log(
    app: Any, serve: Serve, certificate: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """A peer asks for a hundred pages and leaves."""
    server = serve(app, **certificate)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain:
            peer = context.wrap_socket(plain)
            peer.sendall(b"GET /_dash-dependencies HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
            assert peer.recv(10)
            peer.close()
    server.stop()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []
