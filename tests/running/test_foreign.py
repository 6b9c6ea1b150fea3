"""``app.asgi`` under servers that are not ours."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from ..semantics.helpers import ask_regular, props_of
from ..support import TIMEOUT, Raw, wait_for
from .support import Child, Foreign, hypercorn, uvicorn

MakeRaw = Callable[..., Raw]
TRY_AGAIN = (1001, 1006, 1011, 1012)  # codes after which a page tries again

UNDER: dict[str, Callable[[Any], Foreign]] = {
    "uvicorn": lambda app: uvicorn(app.asgi),
    "uvicorn without lifespan": lambda app: uvicorn(app.asgi, lifespan="off"),
    "uvicorn with wsproto": lambda app: uvicorn(app.asgi, ws="wsproto"),
    "hypercorn": lambda app: hypercorn(app.asgi),
}


class Made:
    """An app with a device, and what happened to it."""

    def __init__(self) -> None:
        self.touched = threading.Event()
        self.released = threading.Event()
        self.app = app = dash_devices.Dash(__name__)
        app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div(id="shown"), html.Div(id="own")])

        @app.callback_shared(Output("shown", "children"), [Input("a", "value")])
        def device(value: Any) -> Any:
            self.touched.set()
            return value

        app.callback(Output("own", "children"), [Input("a", "n_blur")])(lambda count: f"regular {count}")
        app.on_shutdown(self.released.set)


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.mark.parametrize("under", UNDER)
def test_the_socket_works_under_any_server(made: Made, under: str) -> None:
    app = made.app
    with UNDER[under](app) as server, Raw(server.url, origin=server.url) as one, Raw(server.url) as two:
        one.join()
        assert made.touched.wait(TIMEOUT)
        two.hello()
        assert props_of(two.layout(), "a")["value"] == "0"
        one.change("a", "value", "5")
        assert one.until("ack", n=1)
        two.until_value("shown", "children", "5")
        thread = threading.Thread(target=lambda: app.push_mods({"shown": {"title": "pushed"}}))
        thread.start()
        for page in (one, two):
            page.until_value("shown", "title", "pushed")
        thread.join()
        reply = ask_regular(one, "own.children", [("a", "n_blur", 1)])
        assert reply["body"]["response"] == {"own": {"children": "regular 1"}}
        big = "x" * 1_000_000
        app.push_mods({"shown": {"title": big}})
        two.until_value("shown", "title", big)
        assert [client.address for client in app.clients] == ["127.0.0.1"] * 2


@pytest.mark.parametrize("under", UNDER)
def test_pages_are_told_to_try_again_and_the_hook_runs(made: Made, under: str) -> None:
    if under == "hypercorn" and sys.version_info >= (3, 12):
        pytest.skip("Hypercorn 0.18 itself waits for open sockets for ever there, and tells no app that it ends")
    with UNDER[under](made.app) as server, Raw(server.url) as page:
        page.join()
        server.stop()
        assert page.closed() in TRY_AGAIN
    assert made.released.is_set() == ("without lifespan" not in under)


@pytest.mark.parametrize("under", ["uvicorn", "uvicorn without lifespan"])
def test_the_first_layout_over_http_starts_the_devices_too(made: Made, under: str) -> None:
    from urllib.request import urlopen

    with UNDER[under](made.app) as server, urlopen(f"{server.url}/_dash-layout") as response:
        assert response.status == 200
        assert b'"children":"0"' in response.read(), "the page waits for the callbacks of the start"


def test_a_page_in_a_browser_under_uvicorn(made: Made, tab: Any) -> None:
    with UNDER["uvicorn"](made.app) as server:
        page = tab(server.url)
        page.fill("#a", "7")
        page.wait_for_function("() => shown.textContent === '7'")
        page.close()


def test_a_second_worker_is_refused(child: Callable[..., Child]) -> None:
    server = child(["-m", "uvicorn", "tests.running.child:server", "--port", "{port}", "--workers", "2"])
    server.says("serve it with one worker process")
    server.says("Application startup complete")
    wait_for(lambda: server.notes, "the device")
    assert len({pid for word, pid in server.notes if word == "device"}) == 1


def test_one_worker_of_a_server_with_workers_is_fine(child: Callable[..., Child], raw: MakeRaw) -> None:
    server = child(["-m", "uvicorn", "tests.running.child:server", "--port", "{port}", "--workers", "1"]).up()
    page = raw(server.url).join()
    page.change("a", "value", "1")
    page.until_value("shown", "children", "1")
    server.process.terminate()
    assert page.closed() in TRY_AGAIN
    server.ended()
    assert server.notes[-1][0] == "released"
