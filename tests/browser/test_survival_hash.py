"""What a real page says it holds is what the server thinks it holds, whatever way it got there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices import vitals
from dash_devices.dependencies import ALL, Input, Output
from tests.semantics.line import Line
from tests.support import ServerThread, wait_for

from .survival import CONNECTED, LINE_ERRORS, NOT_CONNECTED

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _app(routed: list[Any]) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, leave_after=60)
    app.layout = html.Div(
        [
            dcc.Location(id="url"),
            dcc.Input(id="note", value="first"),
            *(dcc.Input(id={"type": "gain", "index": index}, value=0) for index in (1.0, 0.5)),
            *(html.Div("-", id=id) for id in ("shown", "sum", "é☕", "routed")),
        ]
    )

    @app.callback_shared(Output("shown", "children"), [Input("note", "value"), Input("url", "pathname")])
    def show(*values: Any) -> str:
        return str(values)

    @app.callback_shared(Output("sum", "children"), [Input({"type": "gain", "index": ALL}, "value")])
    def add(values: list[Any]) -> str:
        return str(values)

    @app.callback(Output("routed", "children"), Input("url", "pathname"))
    def route(path: str | None) -> str:
        routed.append(path)
        return str(path)

    return app


def test_a_page_holds_what_the_server_thinks(
    serve: Callable[..., ServerThread], tab: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "PING_SECONDS", 0.1)
    monkeypatch.setattr(vitals, "CHECK_EVERY", 1)
    routed: list[Any] = []
    with pytest.warns(UserWarning, match=r"url\.pathname differs"):
        app = _app(routed)
    server = serve(app)

    def checked() -> None:
        beats = app.metrics["heartbeats"]
        wait_for(lambda: app.metrics["heartbeats"] >= beats + 3, "heartbeats with checks")
        assert app.metrics["divergences"] == 0

    with Line(server.port) as line:
        page = tab(line.url, allow_errors=LINE_ERRORS)
        page.wait_for_function("() => document.getElementById('routed').textContent === '/'")
        checked()
        assert routed == ["/"]  # the value that was adopted at mounting comes back, and tells nobody again
        page.fill("#note", "second")
        app.push_mods([Output({"type": "gain", "index": 1.0}, "value", 7), Output("é☕", "children", "pushed")])
        page.wait_for_function("() => document.getElementById('é☕').textContent === 'pushed'")
        checked()
        line.cut()
        page.wait_for_function(NOT_CONNECTED)
        app.push_mods({"note": {"value": "third"}, "sum": {"title": "new"}})
        page.fill("#note", "fourth")
        line.mend()
        page.wait_for_function(CONNECTED)
        page.wait_for_function("() => dash_devices.unacked === 0")
        checked()
