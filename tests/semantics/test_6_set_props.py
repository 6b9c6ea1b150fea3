"""Section 6, results: what a callback writes before it returns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

from dash_devices import set_props
from dash_devices.dependencies import Input, Output

from ..support import TIMEOUT, Raw, wait_for
from .helpers import ask_regular
from .tools import make_app, told


# ---- 6.4 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_6_4_set_props_in_a_shared_callback_reaches_all_pages_at_once(
    serve: Callable[..., Any], raw: Callable[..., Raw], kind: str
) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="y"), html.Div(id="bar"), html.Div(id={"type": "o", "index": 0}))
    go_on = threading.Event()

    def progress() -> None:
        set_props("bar", {"children": "half", "title": "so far"})
        set_props({"type": "o", "index": 0}, {"children": "dict"})

    def work(n: int) -> str:
        progress()
        assert go_on.wait(TIMEOUT)
        return "done"

    async def work_async(n: int) -> str:
        progress()
        assert await asyncio.to_thread(go_on.wait, TIMEOUT)
        return "done"

    app.callback_shared(Output("y", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        work if kind == "sync" else work_async
    )
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.change("go", "n_clicks", 1)
    try:
        for one in (page, other):
            one.until_value({"type": "o", "index": 0}, "children", "dict")
            assert ["bar", "children", "half"] in told(app, one)
            assert ["bar", "title", "so far"] in told(app, one)
        assert app.get("y", "children") is None, "it still runs"
    finally:
        go_on.set()
    page.until_value("y", "children", "done")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_6_4_in_a_regular_one_it_reaches_its_page_at_once(
    serve: Callable[..., Any], raw: Callable[..., Raw], kind: str
) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="y"), html.Div(id="bar"))
    go_on = threading.Event()

    def work(n: int) -> str:
        set_props("bar", {"children": "half"})
        assert go_on.wait(TIMEOUT)
        return "done"

    async def work_async(n: int) -> str:
        set_props("bar", {"children": "half"})
        assert await asyncio.to_thread(go_on.wait, TIMEOUT)
        return "done"

    app.callback(Output("y", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        work if kind == "sync" else work_async
    )
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    press = {"id": "go", "property": "n_clicks", "value": 1}
    body = {"output": "y.children", "outputs": {"id": "y", "property": "children"}, "inputs": [press]}
    page.send({"type": "request", "ref": 99, "route": "callback", "query": "", "body": {**body, "changedPropIds": []}})
    try:
        page.until_value("bar", "children", "half")
        assert not any(message["type"] == "reply" and message["ref"] == 99 for message in page.seen)
    finally:
        go_on.set()
    reply = page.until("reply", ref=99)
    assert reply["body"]["response"] == {"y": {"children": "done"}}
    assert told(app, other) == []


def test_6_4_set_props_into_a_shared_control_is_a_change(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="y"), dcc.Input(id="power"))
    heard: list[Any] = []
    app.callback_shared(None, Input("power", "value"))(heard.append)

    @app.callback(Output("y", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def result(n: int) -> Any:
        set_props("power", {"value": 5})
        return "done"

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    assert ask_regular(page, "y.children", [("go", "n_clicks", 1)])["status"] == 200
    other.until_value("power", "value", 5)
    wait_for(lambda: heard == [5], "the shared callback")
    assert app.get("power", "value") == 5


def test_6_4_set_props_of_an_initial_call_is_no_change(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="y"), dcc.Input(id="power", value=1), dcc.Input(id="unset"))
    heard: list[Any] = []
    app.callback_shared(None, Input("power", "value"), Input("unset", "value"))(heard.append)

    @app.callback(Output("y", "children"), Input("go", "n_clicks"))
    def result(n: int) -> Any:
        set_props("power", {"value": 5})
        set_props("unset", {"value": 6})
        return "done"

    page = raw(serve(app).url).join()
    body = {"output": "y.children", "outputs": {"id": "y", "property": "children"}, "changedPropIds": []}
    body["inputs"] = [{"id": "go", "property": "n_clicks", "value": None}]
    assert page.request("callback", body)["status"] == 200
    assert told(app, page) == [["unset", "value", 6]], "adopted where the server has no value"
    assert heard == []
