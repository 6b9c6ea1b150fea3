"""Section 3.4: an optional Input whose component is nowhere keeps no callback from running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices.dependencies import ALL, MATCH, Input, Output, State

from .helpers import Calls, ask_regular, shows
from .tools import make_app, push_and_wait

Given = Callable[..., Any]


def optional(id: Any = "extra") -> Input:
    return Input(id, "value", allow_optional=True)


@pytest.mark.fault("F10")
def test_3_4_an_optional_input_that_is_nowhere_is_none(serve: Given) -> None:
    calls = Calls()
    app = make_app(dcc.Input(id="a", value=1), html.Div(id="out"), html.Div(id="box"))
    app.push_mods({"extra": {"value": "of nothing"}})

    @app.callback_shared(
        Output("out", "children"), Input("a", "value"), optional(), State("note", "value", allow_optional=True)
    )
    def work(*values: Any) -> str:
        calls((*values, dash_devices.ctx.inputs, bool(dash_devices.ctx.triggered)))
        return str(values)

    serve(app)
    assert calls.next() == (1, None, None, {"a.value": 1, "extra.value": None}, False), "at startup"
    push_and_wait(app, {"a": {"value": 2}})
    assert calls.next()[:2] == (2, None)
    push_and_wait(app, {"box": {"children": dcc.Input(id="extra", value=7)}})
    assert calls.next()[:4] == (2, 7, None, {"a.value": 2, "extra.value": 7}), "once it is there"
    push_and_wait(app, {"extra": {"value": 8}})
    assert calls.next()[:2] == (2, 8)
    push_and_wait(app, {"box": {"children": None}})
    push_and_wait(app, {"a": {"value": 3}})
    assert calls.next()[:2] == (3, None), "gone again"
    assert calls.none_left


@pytest.mark.fault("F10")
@pytest.mark.parametrize("way", ["regular result", "mount"])
def test_3_4_an_optional_input_that_one_page_shows(serve: Given, raw: Given, way: str) -> None:
    calls = Calls()
    app = make_app(dcc.Input(id="a", value=1), html.Div(id="out"), html.Div(id="box"))
    app.callback_shared(Output("out", "children"), Input("a", "value"), optional())(lambda *values: calls(values))
    app.callback(Output("box", "children"), Input("a", "n_submit"), prevent_initial_call=True)(
        lambda n: dcc.Input(id="extra", value=7)
    )
    page = raw(serve(app).url).join()
    assert calls.next() == (1, None)
    if way == "mount":
        page.send({"type": "mount", "values": [["extra", "value", 7]]})
    else:
        ask_regular(page, "box.children", [("a", "n_submit", 1)])
    assert calls.next() == (1, 7)
    page.until("ack", n=page.change("extra", "value", 8))
    assert calls.next() == (1, 8)
    assert calls.none_left


@pytest.mark.fault("F10")
def test_3_4_the_others_are_waited_for(serve: Given) -> None:
    calls = Calls()
    app = make_app(html.Div(id="out"), html.Div(id="box"))
    app.callback_shared(Output("out", "children"), Input("a", "value"), optional())(lambda *values: calls(values))
    serve(app)
    push_and_wait(app, {"box": {"children": dcc.Input(id="extra", value=7)}})
    assert calls.none_left
    push_and_wait(app, {"box": {"children": [dcc.Input(id="extra", value=7), dcc.Input(id="a", value=1)]}})
    assert calls.next() == (1, 7)
    assert calls.none_left


@pytest.mark.fault("F10")
def test_3_4_optional_inputs_with_wildcards(serve: Given) -> None:
    calls = Calls()

    def row(n: int, *more: Any) -> html.Div:
        return html.Div([html.Div(id={"t": "out", "n": n}), dcc.Input(id={"t": "in", "n": n}, value=n), *more])

    app = make_app(html.Div(row(1), id="box"))
    app.callback_shared(
        Output({"t": "out", "n": MATCH}, "children"),
        Input({"t": "in", "n": MATCH}, "value"),
        optional({"t": "extra", "n": MATCH}),
        optional({"t": "none", "n": ALL}),
    )(lambda *values: calls(values))
    serve(app)
    assert calls.next() == (1, None, [])
    push_and_wait(app, {"box": {"children": row(1, dcc.Input(id={"t": "extra", "n": 1}, value=7))}})
    assert calls.next() == (1, 7, [])
    assert calls.none_left


@pytest.mark.browser
@pytest.mark.fault("F10")
def test_3_4_as_with_a_regular_callback(serve: Given, tab: Given) -> None:
    """The same dependencies, shared and regular: the same calls."""
    calls: dict[str, Calls] = {"shared": Calls(), "regular": Calls()}
    app = make_app(
        dcc.Input(id="a", value="1"),
        html.Button("more", id="more"),
        html.Div(id="box"),
        *(html.Div(id=kind) for kind in calls),
        suppress_callback_exceptions=True,
    )
    for kind, record in calls.items():
        callback = app.callback_shared if kind == "shared" else app.callback

        def work(*values: Any, record: Calls = record) -> str:
            record((*values, dash_devices.ctx.inputs))
            return f"{values}"

        callback(
            Output(kind, "children"), Input("a", "value"), optional(), State("note", "value", allow_optional=True)
        )(work)
    app.callback(Output("box", "children"), Input("more", "n_clicks"), prevent_initial_call=True)(
        lambda n: dcc.Input(id="extra", value=7)
    )
    page = tab(serve(app).url)
    for steps, text in ((lambda: None, "('1', None, None)"), (lambda: page.click("#more"), "('1', 7, None)")):
        steps()
        for kind in calls:
            shows(page, kind, text)
        assert calls["shared"].next() == calls["regular"].next()
    page.fill("#a", "2")
    for kind in calls:
        shows(page, kind, "('2', 7, None)")
    assert calls["shared"].next() == calls["regular"].next()
    assert all(record.none_left for record in calls.values())
