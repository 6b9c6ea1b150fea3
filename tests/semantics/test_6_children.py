"""Section 6, results: components that come back, and what shared callbacks do not have."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices.dependencies import Input, Output
from dash_devices.exceptions import PreventUpdate

from ..support import TIMEOUT, Raw
from .helpers import Calls, ask_regular, props_of, shows
from .tools import make_app, push_and_wait


# ---- 6.7 ---------------------------------------------------------------------------------------------------------------
def nothing(value: Any) -> Any:
    return value


def control(**props: Any) -> dcc.Input:
    return dcc.Input(id="power", **props)


def test_6_7_what_is_inside_of_components_that_stay_stays_too(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    """The page makes it anew as it was once given; the newest values come behind."""
    app = make_app(html.Div(id="panel"))
    page = raw(serve(app).url).join()
    app.push_mods({"panel": {"children": dcc.Checklist(id="list")}})
    label = html.Div(html.Div(id="deep"), id="inner", title="old")
    app.push_mods({"list": {"options": [{"label": label, "value": 1}]}})
    app.push_mods({"deep": {"children": html.Div("old", id="deepest")}})
    app.push_mods({"inner": {"title": "new"}, "deepest": {"children": "new"}})
    seq = app.push_mods({"panel": {"children": dcc.Checklist(id="list")}})
    mods = page.until("mods", seq=seq)["mods"]
    told = [f"{id}.{name}" for id, name, _ in mods]
    assert told == ["panel.children", "list.options", "inner.title", "deep.children", "deepest.children"]
    assert [mods[2][2], mods[4][2]] == ["new", "new"]


@pytest.mark.parametrize("how", ["output", "push"])
def test_6_7_children_that_bring_an_id_back_the_newer_seq_wins(
    serve: Callable[..., Any], raw: Callable[..., Raw], how: str
) -> None:
    app = make_app(dcc.Input(id="x"), html.Div(control(value=1), id="box"))
    app.callback_shared(None, Input("power", "value"))(lambda value: None)

    @app.callback_shared(Output("box", "children"), Input("x", "value"), prevent_initial_call=True)
    def rebuild(children: Any) -> Any:
        return children

    def bring(**props: Any) -> None:
        push_and_wait(
            app, {"box": {"children": control(**props)}} if how == "push" else {"x": {"value": control(**props)}}
        )

    url = serve(app).url
    page = raw(url).join()
    page.change("power", "value", 5)
    page.until("ack", n=1)
    bring(value=2)
    page.until_value("power", "value", 2)
    assert app.get("power", "value") == 2, "the children are newer"
    page.change("power", "value", 7)
    page.until("ack", n=2)
    bring()
    page.until_value("power", "value", 7)
    assert app.get("power", "value") == 7, "what the children do not give stays"
    page.change("power", "value", 8)
    page.until("ack", n=3)
    late = raw(url)
    late.hello()
    assert props_of(late.layout(), "power")["value"] == 8, "the change is newer than the children"


def test_6_7_layouts_and_regular_results_carry_the_shared_values(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = dash_devices.Dash(__name__)
    app.layout = lambda: html.Div([html.Button(id="go"), html.Div(control(value=1), id="box"), html.Div(id="shown")])
    app.callback_shared(Output("shown", "children"), Input("power", "value"))(nothing)

    @app.callback(Output("box", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def rebuild(n: int) -> Any:
        return [control(value=n), html.Div("old", id="shown")]

    url = serve(app).url
    page = raw(url).join()
    page.change("power", "value", 5)
    page.until_value("shown", "children", 5)
    late = raw(url)
    late.hello()
    layout = late.layout()
    assert (props_of(layout, "power")["value"], props_of(layout, "shown")["children"]) == (5, 5)
    result = ask_regular(late, "box.children", [("go", "n_clicks", 1)])["body"]["response"]
    assert (props_of(result, "power")["value"], props_of(result, "shown")["children"]) == (5, 5)


@pytest.mark.browser
def test_6_7_the_page_shows_the_value_that_won(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(
        html.Button("own", id="own"),
        html.Button("all", id="all"),
        html.Div(control(value="layout"), id="box"),
        html.Div(id="y"),
    )
    app.callback_shared(Output("y", "children"), Input("power", "value"))(nothing)
    app.callback(Output("box", "children"), Input("own", "n_clicks"), prevent_initial_call=True)(
        lambda n: [control(value="regular"), html.I(f"own {n}", id="stamp")]
    )
    app.callback_shared(None, Input("all", "n_clicks"))(
        lambda n: Output("box", "children", [control(value="shared"), html.I(f"all {n}", id="stamp")])
    )
    page = tab(serve(app).url)
    shows(page, "y", "layout")
    page.fill("#power", "typed")
    shows(page, "y", "typed")
    page.click("#own")
    shows(page, "stamp", "own 1")
    assert page.input_value("#power") == "typed"
    page.click("#all")
    shows(page, "stamp", "all 1")
    assert page.input_value("#power") == "shared"
    assert app.get("power", "value") == "shared"


# ---- 6.8 ---------------------------------------------------------------------------------------------------------------
def test_6_8_no_node_in_the_graph_of_dash(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Input(id="x"), html.Div(id="y"), html.Div(id="z"))
    app.callback_shared(Output("y", "children"), Input("x", "value"))(nothing)
    app.callback(Output("z", "children"), Input("x", "value"))(nothing)
    page = raw(serve(app).url).join()
    assert [one["output"] for one in page.request("dependencies")["body"]] == ["z.children"]


@pytest.mark.parametrize("kind", ["result", "error", "prevent"])
@pytest.mark.parametrize("rows", ["one", "list"])
def test_6_8_running_is_sent_as_mods(serve: Callable[..., Any], raw: Callable[..., Raw], kind: str, rows: str) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="y"))
    go_on = threading.Event()
    row = (Output("go", "disabled"), True, False)

    @app.callback_shared(
        Output("y", "children"),
        Input("go", "n_clicks"),
        running=row if rows == "one" else [row],
        prevent_initial_call=True,
    )
    def work(n: int) -> str:
        assert go_on.wait(TIMEOUT)
        if kind == "error":
            raise ValueError("no device")
        if kind == "prevent":
            raise PreventUpdate
        return "done"

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.change("go", "n_clicks", 1)
    try:
        for one in (page, other):
            one.until_value("go", "disabled", True)
    finally:
        go_on.set()
    for one in (page, other):
        message = one.until_value("go", "disabled", False)
        assert (["y", "children", "done"] in message["mods"]) is (kind == "result")


@pytest.mark.browser
def test_6_8_no_loading_and_no_updating(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(html.Button("go", id="go"), dcc.Loading(html.Div("old", id="y")), html.Div(id="n"))
    go_on, inside = threading.Event(), threading.Event()
    app.title = "devices"

    @app.callback_shared(Output("y", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def work(n: int) -> str:
        inside.set()
        assert go_on.wait(TIMEOUT)
        return "new"

    page = tab(serve(app).url)
    page.wait_for_function("() => document.title === 'devices'")
    page.evaluate(
        "window.titles = []; new MutationObserver(() => titles.push(document.title))"
        ".observe(document.head, {subtree: true, childList: true, characterData: true})"
    )
    page.click("#go")
    assert inside.wait(TIMEOUT)
    app.push_mods({"n": {"children": "a mod came while it ran"}})
    shows(page, "n", "a mod came while it ran")
    assert page.locator(".dash-spinner, .dash-default-spinner, [class*=spinner]").count() == 0
    assert page.text_content("#y") == "old"
    go_on.set()
    shows(page, "y", "new")
    assert page.evaluate("titles") == []


def test_6_7_a_value_that_children_bring_back_is_a_change(serve: Callable[..., Any]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([html.Div(control(value=1), id="box"), html.Div(id="marker")])
    app.callback_shared(None, Input("power", "value"), lane="one")(calls)
    app.callback_shared(None, Input("marker", "children"), lane="one")(calls)
    serve(app)
    for value in (1, 2):  # the same value is no change, another one is
        app.push_mods({"box": {"children": control(value=value)}})
    app.push_mods({"marker": {"children": "end"}})
    assert calls.take(2) == [2, "end"], "the device follows what the page shows"


def test_6_7_so_is_the_first_value_of_a_component_that_was_there(serve: Callable[..., Any]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([html.Div(control(), id="box"), html.Div(id="marker")])
    app.callback_shared(None, Input("power", "value"), lane="one")(calls)
    app.callback_shared(None, Input("marker", "children"), lane="one")(calls)
    serve(app)
    for given in ({}, {"value": 1}):
        app.push_mods({"box": {"children": control(**given)}})
    app.push_mods({"marker": {"children": "end"}})
    assert calls.take(2) == [1, "end"]
