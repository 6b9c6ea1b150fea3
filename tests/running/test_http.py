"""HTTP beside the socket: compression, metrics, a port that is taken."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.errors import DashDevicesError, ServerError

from ..support import Raw, ServerThread, free_port

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]


def _app(**options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div("text " * 1_000)])
    app.share("a", "value")
    return app


def _get(server: ServerThread, path: str, encoding: str | None) -> tuple[str | None, bytes]:
    """Content-Encoding and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path, headers={"Accept-Encoding": encoding} if encoding else {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200
    return response.headers["Content-Encoding"], body


@pytest.mark.parametrize("path", ["/", "/_dash-layout", "script"])
def test_http_is_compressed(serve: Serve, path: str) -> None:
    server = serve(_app())
    if path == "script":
        index = _get(server, "/", None)[1].decode()
        path = "/_dash-component-suites/" + index.partition('src="/_dash-component-suites/')[2].partition('"')[0]
    plain, body = _get(server, path, None)
    assert plain is None
    for _ in range(2):  # the second time it may come from memory
        encoding, packed = _get(server, path, "gzip, deflate")
        assert encoding == "gzip"
        assert len(packed) < len(body)
        same = slice(1_000) if path == "/" else slice(None)  # the index has a random number in it
        assert gzip.decompress(packed)[same] == body[same]


def test_compression_can_be_switched_off(serve: Serve) -> None:
    server = serve(_app(compress=False))
    assert _get(server, "/_dash-layout", "gzip")[0] is None


@pytest.mark.parametrize(
    ("address", "claimed", "status"),
    [
        ("127.0.0.1", "", 200),
        ("::1", "", 200),
        ("192.168.0.7", "127.0.0.1", 403),
        ("10.0.0.1", "127.0.0.1", 403),
        ("127.0.0.1", "127.0.0.1", 403),  # a proxy on this machine asks for somebody else
    ],
)
def test_metrics_are_for_this_machine_only(address: str, claimed: str, status: int) -> None:
    async def ask() -> Any:
        app = _app()
        client = app.server.test_client()
        headers = {"X-Forwarded-For": claimed} if claimed else {}
        return await client.get("/_dash-devices/metrics", scope_base={"client": (address, 5000)}, headers=headers)

    response = asyncio.run(ask())
    assert response.status_code == status


def test_an_address_cannot_be_claimed(serve: Serve) -> None:
    own = next((address for address in _own_addresses() if not address.startswith("127.")), None)
    if own is None:
        pytest.skip("this machine has no address but the loopback's")
    app = _app()

    @app.server.get("/who")
    async def who() -> str:
        from quart import request

        return str(request.remote_addr)

    server = _bound_to_all(app)
    with server:
        for path, wanted in (("/who", own), ("/_dash-devices/metrics", "metrics are for this machine only\n")):
            connection = http.client.HTTPConnection(own, server.port, timeout=10)
            connection.request("GET", path, headers={"Remote-Addr": "127.0.0.1"})
            assert connection.getresponse().read().decode() == wanted
            connection.close()


def _own_addresses() -> list[str]:
    import psutil

    return [one.address for all in psutil.net_if_addrs().values() for one in all if one.family == socket.AF_INET]


def _bound_to_all(app: dash_devices.Dash) -> ServerThread:
    class Open:
        def run(self, *, host: str, port: int) -> None:
            app.run(host="0.0.0.0", port=port)

        def stop(self) -> None:
            app.stop()

    return ServerThread(Open())


def test_metrics_count(serve: Serve, raw: MakeRaw) -> None:
    import json

    app = _app()
    server = serve(app)
    page = raw(server.url).join()
    page.change("a", "value", "1")
    page.change("a", "title", "1")
    page.until("nack")
    metrics = json.loads(_get(server, "/_dash-devices/metrics", None)[1])
    assert metrics["changes"] == metrics["changes_refused"] == metrics["clients"] == 1
    assert {"frames_sent", "frames_received", "bytes_sent", "seq", "shared_properties"} <= set(metrics)
    assert app.metrics["changes"] == 1


def test_a_port_in_use_is_an_error_that_says_what_to_do(serve: Serve) -> None:
    server = serve(_app())
    with pytest.raises(
        ServerError, match=rf"127\.0\.0\.1:{server.port}: .*stop what uses the port, or run\(port="
    ) as error:
        _app().run(port=server.port)
    assert isinstance(error.value, DashDevicesError)


def test_stop_without_run_is_an_error() -> None:
    with pytest.raises(ServerError, match="not served by run"):
        _app().stop()


def test_requests_of_any_size_and_speed_reach_quart(serve: Serve) -> None:
    server = serve(_app())
    head = f"GET /_dash-layout HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow:
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(head)):
            slow.sendall(head[place : place + 1])
        with slow.makefile("rb") as stream:
            assert b" 200" in stream.readline()
    long = f"GET /?{'x' * 60_000} HTTP/1.1\r\n".encode() + head.partition(b"\r\n")[2]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as one, one.makefile("rb") as stream:
        one.sendall(long)
        assert stream.readline().startswith(b"HTTP/1.1 ")


def test_nobody_listens_on_the_port_afterwards(serve: Serve) -> None:
    port = free_port()
    for _ in range(3):
        with ServerThread(_app(), port=port) as server:
            assert _get(server, "/_dash-layout", None)[1]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../secret.txt",
        "/assets/..%2fsecret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/%252e%252e/secret.txt",
        "/assets/..%5csecret.txt",
        "/assets/..\\secret.txt",
        "/assets//{here}/secret.txt",
        "/assets/C:%5csecret.txt",
        "/assets/%5c%5chost%5cshare",
        "/assets/inside.txt%00.png",
        "/assets/" + "a" * 5_000,
        "/assets/CON",
        "/assets/INSIDE.TXT",
        "/_dash-component-suites/dash_devices/..%2f..%2fsecret.txt",
        "/_dash-component-suites/..%2f{here}/secret.txt",
        "/static/..%2fsecret.txt",
    ],
)
def test_no_address_leads_out_of_the_folders_that_are_served(serve: Serve, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.txt").write_text("the canary")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "inside.txt").write_text("inside")
    server = serve(_app(assets_folder=str(tmp_path / "assets")))
    assert _answer(server, "/assets/inside.txt").endswith(b"inside")
    answer = _answer(server, path.replace("{here}", str(tmp_path).strip("/")))
    is_page = b"<title>Dash</title>" in answer  # what is no address of Dash's is one of the app's own
    assert is_page or answer.partition(b" ")[2][:3] in (b"400", b"404"), answer[:200]
    assert b"canary" not in answer


def _answer(server: ServerThread, path: str) -> bytes:
    """All that a path is answered with, sent as it is; the server ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: line.recv(65_536), b""))
