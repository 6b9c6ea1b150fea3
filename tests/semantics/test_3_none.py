"""Section 3.3: callbacks without outputs never run by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from ..support import Raw
from .helpers import Calls, shows


def test_3_3_none_outputs_never_run_at_startup(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, calls, ended = dash_devices.Dash(), Calls(), Calls()
    late = html.Div([html.Button(id="late"), html.Div(id="late_out")])
    app.layout = html.Div([dcc.Input(id="a", value="v"), html.Button(id="go"), html.Div(id="b"), html.Div(id="box")])
    app.callback_shared(Output("b", "children"), Input("a", "value"))(lambda value: f"<{value}>")
    app.callback_shared(None, Input("go", "n_clicks"))(lambda n: calls(("none", n)))
    app.callback_shared(Input("go", "n_clicks"))(lambda n: calls(("without", n)))
    app.callback_shared(None, Input("b", "children"))(lambda text: calls(("chain", text)))
    app.callback_shared(Input("b", "children"))(lambda text: calls(("chain without", text)))
    app.callback_shared(None, Input("late", "n_clicks"))(lambda n: calls(("late", n)))
    app.callback_shared(None, Input("late_out", "children"))(lambda text: calls(("late chain", text)))
    app.callback_shared(Output("late_out", "children"), Input("late", "n_clicks"))(lambda n: ended(n) or f"late {n}")
    page = raw(serve(app).url).join()
    assert app.get("b", "children") == "<v>"
    app.push_mods({"box": {"children": late}})
    assert ended.next() is None
    page.until_value("late_out", "children", "late None")
    page.change("go", "n_clicks", 1)
    page.change("a", "value", "w")
    page.change("late", "n_clicks", 1)
    expected = {
        ("none", 1),
        ("without", 1),
        ("chain", "<w>"),
        ("chain without", "<w>"),
        ("late", 1),
        ("late chain", "late 1"),
    }
    assert set(calls.take(6)) == expected
    assert calls.none_left


def test_3_3_regular_none_outputs_never_run_at_page_load(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app, calls = dash_devices.Dash(suppress_callback_exceptions=True), Calls()
    app.layout = html.Div(
        [html.Button("x", id="x"), html.Button("more", id="more"), html.Div(id="box"), html.Div(id="b")]
    )
    app.callback(None, [Input("x", "n_clicks")])(lambda n: calls(("none", n)))
    app.callback_shared(None, [Input("x", "n_clicks")])(lambda n: calls(("shared none", n)))
    app.callback(Input("x", "n_clicks"))(lambda n: calls(("Dash's own form", n)))
    app.callback(None, [Input("late", "n_clicks")])(lambda n: calls(("late", n)))
    app.callback_shared(None, [Input("late", "n_clicks")])(lambda n: calls(("shared late", n)))
    app.callback(Input("late", "n_clicks"))(lambda n: calls(("Dash's own late", n)))
    app.callback(Output("box", "children"), Input("more", "n_clicks"), prevent_initial_call=True)(
        lambda n: [html.Button("late", id="late"), html.Div(id="there")]
    )
    app.callback(Output("there", "children"), Input("late", "n_clicks"))(lambda n: f"with output {n}")
    page = tab(serve(app, debug=False).url)
    assert calls.next() == ("Dash's own form", None)
    page.click("#more")
    shows(page, "there", "with output None")
    page.click("#x")
    page.click("#late")
    names = ("none", "shared none", "Dash's own form", "late", "shared late", "Dash's own late")
    assert set(calls.take(6)) == {(name, 1) for name in names}
    assert calls.none_left
