"""Section 10.6: what the server tells pages of the initial calls that they repeat after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dash._callback import GLOBAL_CALLBACK_LIST, GLOBAL_CALLBACK_MAP

import dash_devices
from dash_devices import Services, dcc, html
from dash_devices.dependencies import Input, Output
from dash_devices.errors import RegistrationError

from ..support import Raw, ServerThread

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]

pytestmark = pytest.mark.fault("K1")


def _app(**options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, leave_after=60, **options)
    app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div(id="x"), html.Div(id="y"), html.Div(id="z")])
    return app


@pytest.fixture
def no_globals() -> Iterator[None]:
    """Callbacks of the module-level decorators are forgotten after the test."""
    yield
    GLOBAL_CALLBACK_LIST.clear()
    GLOBAL_CALLBACK_MAP.clear()


def test_10_6_the_welcome_says_how_widely_pages_spread(serve: Serve, raw: MakeRaw) -> None:
    server = serve(_app())
    pages = [raw(server.url).join() for _ in range(3)]
    assert [page.welcome["rerun"] for page in pages] == [2_000, 2_005, 2_010]
    back = raw(serve(_app()).url)
    assert back.resume(pages[0])["rerun"] == 2_000


def test_10_6_the_app_switches_it_off(serve: Serve, raw: MakeRaw) -> None:
    assert raw(serve(_app(rerun=False)).url).join().welcome["rerun"] == 0


def test_10_6_a_callback_switches_it_off(serve: Serve, raw: MakeRaw, no_globals: None) -> None:
    app = _app()
    app.callback(Output("x", "children"), Input("a", "value"), rerun=False)(str)
    dash_devices.callback(Output("y", "children"), Input("a", "value"), rerun=False)(str)
    dash_devices.callback_s2(Output("y", "title"), Input("a", "value"), rerun=False)(str)
    app.callback_s2(Output("z", "children"), Input("a", "value"), rerun=False)(str)
    app.callback(Output("z", "title"), Input("a", "value"))(str)
    page = raw(serve(app).url).join()
    listed = {one["output"]: one.get("rerun") for one in page.request("dependencies")["body"]}
    off = {"x.children", "y.children", "y.title", "z.children"}
    assert listed == dict.fromkeys(off, False) | {"z.title": None}


@pytest.mark.parametrize("service", [Services.SHARED, Services.SHARED_MOST_RECENT])
def test_10_6_a_shared_callback_has_no_such_option(service: int) -> None:
    with pytest.raises(RegistrationError, match=r"rerun= .* it runs at every start of the server"):
        _app().callback(Output("x", "children"), Input("a", "value"), service=service, rerun=False)(str)
    with pytest.raises(RegistrationError, match="rerun="):
        _app().callback_shared(Output("x", "children"), Input("a", "value"), rerun=True)(str)
