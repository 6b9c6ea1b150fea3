"""Where an app lives: a Quart app of the user's, several on one server, under a prefix."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import flask
import pytest
from quart import Quart

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output
from dash_devices.errors import ServerError

from ..semantics.helpers import props_of
from ..support import Raw, ServerThread
from .support import uvicorn

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]


def _app(**options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div(id="shown")])
    app.callback_shared(Output("shown", "children"), [Input("a", "value")])(lambda value: f"got {value}")
    return app


def _read(url: str) -> str:
    with urlopen(url) as response:
        return str(response.read().decode())


def _config(index: str) -> Any:
    found = re.search(r'<script id="_dash-config" type="application/json">(.*?)</script>', index)
    assert found
    return json.loads(found[1])


def _works(page: Raw, value: str) -> None:
    page.join()
    page.change("a", "value", value)
    page.until_value("shown", "children", f"got {value}")


def test_a_quart_app_of_the_users(serve: Serve, raw: MakeRaw) -> None:
    quart = Quart(__name__)

    @quart.get("/own")
    async def own() -> str:
        return "own page"

    app = _app(server=quart)
    assert app.server is quart
    server = serve(app)
    assert _read(f"{server.url}/own") == "own page"
    _works(raw(server.url), "1")


def test_the_users_own_sockets_still_work(serve: Serve, raw: MakeRaw) -> None:
    from quart import websocket
    from websockets.sync.client import connect

    quart = Quart(__name__)

    @quart.websocket("/echo")
    async def echo() -> None:
        await websocket.send(await websocket.receive())

    server = serve(_app(server=quart))
    with connect(f"{server.url.replace('http', 'ws')}/echo", proxy=None) as socket:
        socket.send("hello")
        assert socket.recv() == "hello"
    _works(raw(server.url), "1")


def test_serving_the_quart_app_itself(raw: MakeRaw) -> None:
    quart = Quart(__name__)
    _app(server=quart)
    with uvicorn(quart) as server, Raw(server.url) as page:
        _works(page, "1")


def test_init_app_later(serve: Serve, raw: MakeRaw) -> None:
    app = _app(server=False)
    quart = Quart(__name__)
    app.init_app(quart)
    assert app.server is quart
    server = serve(app)
    _works(raw(server.url), "1")


@pytest.mark.parametrize("served_by", ["first", "second", "uvicorn"])
def test_two_apps_on_one_server(serve: Serve, served_by: str) -> None:
    quart = Quart(__name__)
    one = _app(server=quart, url_base_pathname="/one/")
    two = _app(server=quart, url_base_pathname="/two/")
    running = uvicorn(quart) if served_by == "uvicorn" else ServerThread(one if served_by == "first" else two)
    with running as server, Raw(f"{server.url}/one/") as first, Raw(f"{server.url}/two/") as second:
        _works(first, "1")
        _works(second, "2")
        assert (one.get("a", "value"), two.get("a", "value")) == ("1", "2")
        assert [len(app.clients) for app in (one, two)] == [1, 1]
        one.push_mods({"shown": {"children": "only here"}})
        first.until_value("shown", "children", "only here")
        two.push_mods({"shown": {"children": "only there"}})
        second.until_value("shown", "children", "only there")
        assert "only here" not in str(second.seen)
        assert props_of(second.layout(), "shown")["children"] == "only there"
        config = _config(_read(f"{server.url}/two/"))
        assert config["dash_devices"]["url"] == "/two/_dash-devices/socket"


def test_two_apps_both_stop(raw: MakeRaw) -> None:
    quart = Quart(__name__)
    one, two = (_app(server=quart, url_base_pathname=f"/{name}/") for name in ("one", "two"))
    released: list[str] = []
    one.on_shutdown(lambda: released.append("one"))
    two.on_shutdown(lambda: released.append("two"))
    with ServerThread(one) as server:
        pages = [raw(f"{server.url}/{name}/").join() for name in ("one", "two")]
        server.stop()
        assert [page.closed() for page in pages] == [1012, 1012]
    assert sorted(released) == ["one", "two"]


def test_what_was_taken_last_is_released_first(serve: Serve) -> None:
    app, released = _app(), list[str]()
    app.on_shutdown(lambda: released.append("bus"))
    app.on_shutdown(lambda: released.append("instrument on the bus"))
    serve(app).stop()
    assert released == ["instrument on the bus", "bus"]


def test_an_app_runs_again_after_it_was_stopped(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    server = serve(app)
    _works(raw(server.url), "1")
    server.stop()
    app.push_mods({"a": {"value": "while stopped"}})
    server = serve(app)
    page = raw(server.url)
    page.hello()
    assert props_of(page.layout(), "a")["value"] == "while stopped"
    _works(raw(server.url), "2")


def test_a_base_path(serve: Serve, raw: MakeRaw, tab: Any) -> None:
    server = serve(_app(url_base_pathname="/lab/laser/"))
    _works(raw(f"{server.url}/lab/laser/"), "1")
    page = tab(f"{server.url}/lab/laser/")
    page.wait_for_function("() => shown.textContent === 'got 1'")
    page.fill("#a", "2")
    page.wait_for_function("() => shown.textContent === 'got 2'")


def test_a_proxy_that_strips_its_prefix(serve: Serve, raw: MakeRaw) -> None:
    server = serve(_app(requests_pathname_prefix="/proxy/", routes_pathname_prefix="/"))
    assert _config(_read(server.url))["dash_devices"]["url"] == "/proxy/_dash-devices/socket"
    _works(raw(server.url), "1")


@pytest.mark.parametrize("server", [flask.Flask(__name__), object(), "quart"])
def test_a_server_that_is_no_quart_app_is_an_error(server: Any) -> None:
    with pytest.raises(ServerError, match="expected a Quart app"):
        _app(server=server)


def test_another_backend_is_an_error() -> None:
    with pytest.raises(ServerError, match="expected 'quart'"):
        _app(backend="flask")
