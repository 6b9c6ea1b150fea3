"""Section 4, a change made in a page: what is one, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from .helpers import Calls, holds, recorder, said, shows

Given = Callable[..., Any]


def test_4_7_what_mounting_reports_is_no_change(serve: Given, gated_tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div(
        [
            dcc.Location(id="url"),
            dcc.Tabs([dcc.Tab("one", label="one"), dcc.Tab("two", label="two")], id="tabs"),
            dcc.Slider(0, 10, value=4, id="slider"),
            dcc.Store(id="store", data={"x": 1}),
            dcc.Graph(id="graph"),
            html.Button("go", id="go"),
        ]
    )
    watched = [
        ("tabs", "value"),
        ("slider", "drag_value"),
        ("store", "data"),
        ("store", "modified_timestamp"),
        ("graph", "relayoutData"),
    ]
    for id, property in [*watched, ("url", "hash")]:
        app.callback_shared(None, Input(id, property))(lambda value, id=id: calls((id, value)))
    app.callback_shared(None, Input("go", "n_clicks"))(lambda n: calls(("go", n)))
    url = serve(app).url
    first, second = gated_tab(url), gated_tab(url)
    for page in (first, second):
        page.wait_for_selector("#graph .main-svg", state="attached", timeout=30_000)
    first.click("#go")
    assert calls.next() == ("go", 1)
    assert [change["values"] for change in said(first, "change")] == [[["go", "n_clicks", 1]]]
    assert app.get("tabs", "value") == "tab-1"  # nobody had a value: the first page's is taken
    first.click("text=two")
    assert calls.next() == ("tabs", "tab-2")
    second.wait_for_function("() => gate.read('tabs', 'value') === 'tab-2'")
    assert said(second, "change") == []
    third = gated_tab(url)
    third.wait_for_function("() => gate.read('tabs', 'value') === 'tab-2'")
    third.wait_for_selector("#graph .main-svg", state="attached", timeout=30_000)
    third.click("#go")
    assert calls.next()[0] == "go"
    assert calls.none_left
    assert [change["values"][0][:2] for change in said(third, "change")] == [["go", "n_clicks"]]


def test_4_7_a_figure_that_is_fitted_into_another_width_is_no_change(serve: Given, gated_tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Graph(id="graph", relayoutData={"x": 1}), html.Button("go", id="go")])
    app.callback_shared(None, Input("graph", "relayoutData"))(lambda value: calls(value))
    app.callback_shared(None, Input("go", "n_clicks"))(lambda n: calls(n))
    page = gated_tab(serve(app).url)
    page.wait_for_selector("#graph .main-svg", state="attached", timeout=30_000)
    page.click("#go")  # somebody is at the page: the graph is not one that only mounts any more
    assert calls.next() == 1
    page.wait_for_function("() => gate.read('graph', 'relayoutData').x")
    page.evaluate("gate.before = gate.sent.length")
    page.set_viewport_size({"width": 500, "height": 500})
    page.wait_for_function(
        "() => gate.sent.slice(gate.before).some(({ values }) => values?.some(([id, , value]) => value?.autosize))"
    )
    page.click("#go")
    assert calls.next() == 2
    assert [change["values"][0][:2] for change in said(page, "change")] == [["go", "n_clicks"]] * 2


def test_4_7_initial_results_are_no_changes_but_later_ones_are(serve: Given, gated_tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div(
        [
            dcc.Input(id="k", value="k0"),
            *(dcc.Input(id=id) for id in ("kept", "empty", "js")),
            html.Button("go", id="go"),
        ]
    )
    app.callback(Output("kept", "value"), Input("k", "value"))(lambda value: f"kept {value}")
    app.callback(Output("empty", "value"), Input("k", "value"))(lambda value: f"empty {value}")
    app.clientside_callback("(value) => `js ${value}`", Output("js", "value"), Input("k", "value"))
    for id in ("kept", "empty", "js"):
        app.callback_shared(None, Input(id, "value"))(recorder(calls))
    app.callback_shared(None, Input("go", "n_clicks"))(recorder(calls))
    app.push_mods({"kept": {"value": "server"}, "js": {"value": "server js"}})
    page = gated_tab(serve(app).url)
    holds(page, "empty", "empty k0")
    holds(page, "kept", "server")
    holds(page, "js", "server js")
    page.click("#go")
    assert calls.next() == 1
    assert (app.get("kept", "value"), app.get("js", "value"), app.get("empty", "value")) == (
        "server",
        "server js",
        "empty k0",
    )
    page.fill("#k", "k1")
    assert set(calls.take(3)) == {"kept k1", "empty k1", "js k1"}
    assert calls.none_left
    assert app.get("kept", "value") == "kept k1"


def test_4_7_a_chain_of_initial_results_is_no_change(serve: Given, gated_tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div(
        [dcc.Input(id="k", value="k0"), dcc.Input(id="kept"), dcc.Input(id="js"), html.Button("go", id="go")]
    )
    app.callback(Output("kept", "value"), Input("k", "value"))(lambda value: f"kept {value}")
    app.clientside_callback("(value) => `js ${value}`", Output("js", "value"), Input("kept", "value"))
    for id in ("kept", "js"):
        app.callback_shared(None, Input(id, "value"))(recorder(calls))
    app.callback_shared(None, Input("go", "n_clicks"))(recorder(calls))
    app.push_mods({"kept": {"value": "server"}, "js": {"value": "server js"}})
    page = gated_tab(serve(app).url)
    holds(page, "kept", "server")
    page.wait_for_function(
        "() => gate.sent.some(({ type, values }) => type !== 'request' && values?.some(([id]) => id === 'js'))"
    )
    page.click("#go")
    assert calls.next() == 1
    assert calls.none_left
    assert app.get("js", "value") == "server js"


def test_4_8_what_changes_nothing_is_not_reported(serve: Given, gated_tab: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    control = dcc.Input(id="a", value="v")
    app.layout = html.Div(
        [html.Div(control, id="box"), html.Button("again", id="again"), html.Button("same", id="same")]
    )
    app.callback_shared(None, Input("a", "value"))(recorder(calls))
    app.callback(Output("box", "children"), Input("again", "n_clicks"), prevent_initial_call=True)(
        lambda n: [control, f"drawn {n}"]
    )
    app.callback(
        Output("a", "value"), Output("same", "children"), Input("same", "n_clicks"), prevent_initial_call=True
    )(lambda n: ("w", f"same {n}"))
    page = gated_tab(serve(app).url)
    page.fill("#a", "w")
    assert calls.next() == "w"
    page.evaluate("() => dash_clientside.set_props('a', { value: 'w' })")
    page.evaluate("() => dash_clientside.set_props('a', { style: { color: 'red' } })")
    page.click("#again")
    page.wait_for_function("() => document.getElementById('box').textContent.includes('drawn 1')")
    holds(page, "a", "w")
    page.click("#same")
    shows(page, "same", "same 1")
    page.fill("#a", "x")
    assert calls.next() == "x"
    assert [change["values"] for change in said(page, "change")] == [[["a", "value", "w"]], [["a", "value", "x"]]]
    assert calls.none_left
