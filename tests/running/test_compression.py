"""HTTP compression: what is compressed, and what the cache of compressed files may give to whom."""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Callable
from typing import Any

import pytest
from quart import request

import dash_devices
from dash_devices import html
from dash_devices.dash_glue import compression
from dash_devices.dash_glue.compression import gzipped

from ..support import ServerThread

Serve = Callable[..., ServerThread]
SUITES = "/_dash-component-suites/"


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was compressed."""
    done: list[bytes] = []

    def noting(data: bytes, level: int) -> bytes:
        done.append(data)
        return gzipped(data, 1)

    monkeypatch.setattr(compression, "gzipped", noting)
    return done


@pytest.fixture
def server(serve: Serve) -> ServerThread:
    """An app with an index that differs by who asks, as one of Dash Pages with ``read=`` rules does."""

    class Personal(dash_devices.Dash):
        def interpolate_index(self, **parts: Any) -> str:
            return f"{request.headers['X-User']}{super().interpolate_index(**parts)}"

    app = Personal(__name__)
    app.layout = html.Div("text " * 1_000)
    return serve(app)


def get(server: Any, path: str, user: str = "nobody") -> bytes:
    """The body, unpacked; it has to come packed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip", "X-User": user})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.headers["Content-Encoding"] == "gzip"
    return gzip.decompress(body)


@pytest.mark.fault("A19")
@pytest.mark.parametrize("path", [f"/report{SUITES}today", f"/page{SUITES}", f"{SUITES}dash", "/page", "/"])
def test_an_index_is_made_for_each_who_asks(server: ServerThread, path: str) -> None:
    for user in ("ada", "gus"):
        assert get(server, path, user).startswith(user.encode())


@pytest.mark.fault("A19")
def test_a_file_that_a_hook_of_the_author_changes_is_made_for_each_who_asks(serve: Serve) -> None:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div()

    @app.server.after_request
    async def sign(response: Any) -> Any:
        response.set_data(await response.get_data() + request.headers["X-User"].encode())
        return response

    server = serve(app)
    path = f"{SUITES}dash/dash-renderer/build/dash_renderer.min.js"
    assert [get(server, path, user)[-3:] for user in ("ada", "gus", "ada")] == [b"ada", b"gus", b"ada"]


@pytest.mark.fault("A20")
def test_a_file_is_compressed_once_whatever_fingerprint_is_asked_for(server: ServerThread, packed: list[bytes]) -> None:
    bodies = {get(server, f"{SUITES}dash/dash-renderer/build/dash_renderer.{mark}min.js") for mark in MARKS}
    assert len(bodies) == 1
    assert packed == list(bodies)


MARKS = ("", "v1m1.", "v1m2.", *(f"v9m{number:x}." for number in range(20)))


def test_a_cache_is_bounded_in_bytes() -> None:
    cache = compression.FileCache(most=1_000)
    parts = [number.to_bytes(2, "big") * 4_000 for number in range(200)]
    for number, data in enumerate(parts):
        assert cache.gzipped(("package", f"{number}.js"), data, 6) == gzipped(data, 6)
        assert cache.size <= 1_000
    assert cache.size > 900
    cache.gzipped(("package", "large.js"), bytes(range(256)) * 4 + gzipped(bytes(parts[1]), 9) * 200, 0)
    assert cache.size <= 1_000, "one that does not fit is not kept"


def test_what_was_asked_for_last_is_kept_longest(packed: list[bytes]) -> None:
    files = {("package", name): name.encode() * 1_000 for name in "abc"}
    cache = compression.FileCache(most=2 * len(gzipped(b"a" * 1_000, 1)) + 2)
    for name in "abacab":
        cache.gzipped(("package", name), files["package", name], 6)
    assert b"".join(data[:1] for data in packed) == b"abcb"


def test_a_file_that_changed_is_compressed_again() -> None:
    cache, file = compression.FileCache(), ("package", "a.js")
    for data in (b"old" * 100, b"new" * 100, b"old" * 100):
        assert gzip.decompress(cache.gzipped(file, data, 6)) == data
    assert cache.size == len(gzipped(b"old" * 100, 6))
