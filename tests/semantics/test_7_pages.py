"""Section 7, push_mods: to all, to one, to nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices import Patch, ctx
from dash_devices.dependencies import Input, Output

from ..support import TIMEOUT, Raw, wait_for, wire_id
from .helpers import Calls, props_of, shows
from .tools import make_app, push_and_wait, told

LAMP = {"type": "lamp", "index": 1}


# ---- 7.3 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_7_3_to_all_stored_sent_and_run(serve: Callable[..., Any], raw: Callable[..., Raw], kind: str) -> None:
    app = make_app(dcc.Input(id="x", value=0), html.Div(id="y"))
    calls = Calls()

    def call(value: Any) -> Any:
        calls((value, ctx.client, ctx.triggered_id))
        return f"{value} W"

    async def call_async(value: Any) -> Any:
        return call(value)

    app.callback_shared(Output("y", "children"), Input("x", "value"), prevent_initial_call=True)(
        call if kind == "sync" else call_async
    )
    url = serve(app).url
    pages = [raw(url).join(), raw(url).join()]
    seq = app.push_mods({"x": {"value": 5}})
    for page in pages:
        assert page.until_value("x", "value", 5)["seq"] >= seq
    assert calls.next() == (5, None, "x")
    wait_for(lambda: app.get("y", "children") == "5 W", "the result")
    late = raw(url)
    late.hello()
    layout = late.layout()
    assert (props_of(layout, "x")["value"], props_of(layout, "y")["children"]) == (5, "5 W")


def test_7_3_an_unchanged_value_still_runs_them(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(html.Button(id="go"))
    calls = Calls()
    app.callback_shared(None, Input("go", "n_clicks"))(calls)
    raw(serve(app).url).join()
    for _ in range(3):
        push_and_wait(app, {"go": {"n_clicks": 1}})
    assert calls.take(3) == [1, 1, 1]
    assert calls.none_left


# ---- 7.4 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("coroutine", [False, True])
@pytest.mark.parametrize("by", ["client", "id"])
def test_7_4_to_one_client(serve: Callable[..., Any], raw: Callable[..., Raw], by: str, coroutine: bool) -> None:
    app = make_app(html.Div("layout", id="y"))
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    client = app.clients[page.welcome["tab"]]
    to = client if by == "client" else client.id
    mods = [Output("y", "children", "for you"), Output(LAMP, "title", "too")]
    if coroutine:
        asyncio.run(asyncio.wait_for(app.push_mods_coro(mods, client=to), TIMEOUT))
    else:
        app.push_mods(mods, client=to)
    assert told(app, page) == [["y", "children", "for you"], [wire_id(LAMP), "title", "too"]]
    assert told(app, other) == []
    assert app.get("y", "children") == "layout", "not stored"


def test_7_4_one_client_gets_each_patch_and_event(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Graph(id="g", figure={"data": [{"y": []}]}), html.Div([], id="list"), html.Button(id="go"))
    url = serve(app).url
    pushed = threading.Event()

    async def push() -> None:  # on the loop: nothing is sent in between
        client = app.clients[0]
        for step in range(3):
            patch = Patch()
            patch.append(step)
            app.push_mods(Output("list", "children", patch), client=client)
            app.push_mods(Output("g", "extendData", {"y": [[step]]}), client=client)
            app.push_mods(Output("list", "title", step), client=client)
        pushed.set()

    @app.callback_shared(None, Input("go", "n_clicks"))
    async def clicked(n: int) -> None:
        await push()

    page = raw(url).join()
    page.change("go", "n_clicks", 1)
    assert pushed.wait(TIMEOUT)
    sent = [t for t in told(app, page) if t[0] != "go"]
    assert [t[2]["y"] for t in sent if t[1] == "extendData"] == [[[0]], [[1]], [[2]]]
    patches = [t[2]["operations"] for t in sent if t[1] == "children"]
    assert [op["params"]["value"] for operations in patches for op in operations] == [0, 1, 2]
    assert [t[2] for t in sent if t[1] == "title"][-1] == 2


def test_7_4_into_a_watched_property_it_is_a_change_by_that_client(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = make_app(dcc.Input(id="x"))
    calls = Calls()
    app.callback_shared(None, Input("x", "value"))(lambda value: calls((value, ctx.client and ctx.client.id)))
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    app.push_mods({"x": {"value": 5}}, client=page.welcome["tab"])
    for one in (page, other):
        one.until_value("x", "value", 5)
    assert calls.next() == (5, page.welcome["tab"])
    assert app.get("x", "value") == 5


def test_7_4_nobody_of_that_name_is_an_error(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(html.Div(id="y"))
    page = raw(serve(app).url).join()
    with pytest.raises(TypeError, match="client"):
        app.push_mods({"y": {"children": 1}}, client="nobody")
    assert told(app, page) == []


@pytest.mark.browser
def test_7_4_regular_callbacks_fire_there(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(html.Div("-", id="message"), html.Div("-", id="heard"))

    @app.callback(Output("heard", "children"), Input("message", "children"), prevent_initial_call=True)
    def hear(message: str) -> str:
        return f"heard {message}"

    url = serve(app).url
    page, other = tab(url), tab(url)
    app.push_mods({"message": {"children": "one"}}, client=app.clients[0])
    shows(page, "heard", "heard one")
    app.push_mods({"message": {"children": "all"}})
    for one in (page, other):
        shows(one, "heard", "heard all")
    app.push_mods({"message": {"children": "two"}}, client=app.clients[1])
    shows(other, "heard", "heard two")
    assert page.text_content("#message") == "all"
    assert page.text_content("#heard") == "heard all"


# ---- 7.5 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.browser
def test_7_5_what_no_page_shows_is_harmless_and_waits(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(
        html.Button("own", id="own"),
        html.Button("side", id="side"),
        html.Div(id="box"),
        html.Div(id="box2"),
        html.Div(id="y"),
    )

    @app.callback(Output("box", "children"), Input("own", "n_clicks"), prevent_initial_call=True)
    def mount(n: int) -> Any:
        return [html.Div("layout", id="later"), dcc.Input("layout", id={"type": "late", "index": 1})]

    app.clientside_callback(
        """(n) => ({namespace: "dash_html_components", type: "Div", props: {id: "later2", children: "layout"}})""",
        Output("box2", "children"),
        Input("side", "n_clicks"),
        prevent_initial_call=True,
    )
    page = tab(serve(app).url)
    for step in ("old", "new"):
        app.push_mods(
            [
                Output("later", "children", f"{step} value"),
                Output("later2", "children", f"{step} value 2"),
                Output({"type": "late", "index": 1}, "value", f"{step} text"),
                Output("nowhere", "children", "lost"),
                Output("y", "no_such_property", step),
                Output("y", "children", step),
            ]
        )
        shows(page, "y", step)
    page.click("#own")
    shows(page, "later", "new value")
    page.wait_for_function("() => document.querySelector('#box input').value === 'new text'")
    page.click("#side")
    shows(page, "later2", "new value 2")


def test_7_5_the_server_puts_the_last_value_into_late_layouts(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = dash_devices.Dash(__name__)
    present: list[Any] = []
    app.layout = lambda: html.Div(list(present))
    url = serve(app).url
    page = raw(url).join()
    app.push_mods({"later": {"children": "pushed", "title": "t"}})
    assert told(app, page) == [["later", "children", "pushed"], ["later", "title", "t"]], "the page keeps it"
    present.append(html.Div("layout", id="later"))
    late = raw(url)
    late.hello()
    props = props_of(late.layout(), "later")
    assert (props["children"], props["title"]) == ("pushed", "t")
