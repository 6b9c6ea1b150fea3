"""Section 11: what people do every day with values of pages, and with components, is not kept from them."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
import numpy as np
import plotly.graph_objects as go
import pytest

import dash_devices
from dash_devices import ALL, Patch, ctx, dcc, html, set_props
from dash_devices.dependencies import Input, Output, State

from ..support import Raw, ServerThread
from .helpers import Calls, ask_regular, until_all

pytestmark = pytest.mark.fault("A2")

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]

FIGURE = {
    "data": [{"type": "scatter", "x": [1], "y": [2], "meta": {"props": 1, "namespace": "x"}}],
    "layout": {"title": {}},
}
ROWS = [{"make": "Ford", "price": 3, "props": {"a": [1]}}, {"make": "Opel", "price": None}]
LAYOUT_ROW = {"props": {"children": "first"}, "type": "Div", "namespace": "dash_html_components"}


def app_with(*layout: Any, **options: Any) -> dash_devices.Dash:
    """An app with a store that pages write, a button, and places for what comes of it."""
    app = dash_devices.Dash(__name__, **options)
    rows = html.Div(id="rows", children=[html.Div("first")])
    app.layout = html.Div([dcc.Store(id="box"), html.Button(id="go"), rows, html.Div(id="shown"), *layout])
    app.share("box", "data")
    return app


def text(component: Any) -> Any:
    """A component as the wire has it."""
    return {key: value for key, value in component.to_plotly_json().items() if key != "id"}


@pytest.mark.parametrize(
    "value",
    [
        "words",
        0,
        1.5,
        True,
        None,
        [],
        ROWS,
        FIGURE,
        {"namespace": "prod", "type": "pod"},
        "__proto__",
        ["namespace", "type", "props"],
    ],
)
def test_11_2_data_of_a_page_goes_where_the_author_wants(serve: Serve, raw: MakeRaw, value: Any) -> None:
    app = app_with(dcc.Graph(id="graph"), dcc.Store(id="copy"))
    many = [Output("shown", "children"), Output("graph", "figure"), Output("copy", "data")]

    @app.callback_shared(many, Input("box", "data"), State("private", "data"), prevent_initial_call=True)
    def put(value: Any, state: Any) -> Any:
        set_props("copy", {"modified_timestamp": value})
        app.push_mods({"pushed": {"data": value}})
        return [html.Div(value), dcc.Markdown(str(value))], value, [value, state]

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.change("box", "data", value, state=[("private", "data", value)])
    assert page.until("ack")
    shown = [text(html.Div(value)), text(dcc.Markdown(str(value)))]
    message = other.until_value("copy", "data", [value, value])
    assert ["shown", "children", shown] in message["mods"]
    assert ["graph", "figure", value] in message["mods"]
    assert app.get("pushed", "data") == value


@pytest.mark.parametrize("begins", ["layout", "pushed"])
def test_11_2_rows_that_grow_by_one(serve: Serve, raw: MakeRaw, begins: str) -> None:
    """Dash's idiom: what is shown comes back as State, and goes out again with one more."""
    app = app_with()

    @app.callback_shared(Output("rows", "children"), Input("go", "n_clicks"), State("rows", "children"))
    def add(n: Any, rows: Any) -> Any:
        new = [html.Div([f"row {n}", dcc.Input(value=n)], id={"type": "row", "index": n})]
        return rows + new if n else rows

    if begins == "pushed":
        app.push_mods({"rows": {"children": [html.Div("first")]}})
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    shown = [LAYOUT_ROW]
    for n in (1, 2):
        page.change("go", "n_clicks", n, state=[("rows", "children", shown)])
        row = html.Div([f"row {n}", dcc.Input(value=n)], id={"type": "row", "index": n})
        shown = [
            *shown,
            {
                **text(row),
                "props": {**row.to_plotly_json()["props"], "children": [f"row {n}", text(dcc.Input(value=n))]},
            },
        ]
        other.until_value("rows", "children", shown)
    assert app.get("rows", "children") == shown


def changed(rows: Any) -> Any:
    """A row is written into, in place."""
    rows[0]["props"]["style"] = {"color": "red"}
    return rows


COPIES: dict[str, Callable[[Any], Any]] = {
    "as it came": lambda rows: rows,
    "sum": lambda rows: operator.add(rows, [html.Hr(), *rows[:1]]),
    "deepcopy": copy.deepcopy,
    "copy": lambda rows: [copy.copy(row) for row in rows],
    "method": lambda rows: [row.copy() for row in rows],
    "merged": lambda rows: [row | {"props": {"children": "other"}} for row in rows],
    "one of them": lambda rows: rows[0],
    "inside of one": lambda rows: html.Div(rows[0]),
    "with what is inside": lambda rows: html.Div(rows[0]["props"]["children"]),
    "tuple": tuple,
    "numpy": lambda rows: np.array([None, *rows], dtype=object)[1:],
    "changed": changed,
    "in a dict with numbers": lambda rows: dcc.Slider(marks={0: {"label": rows[0]}, 5: "5"}),
    "beside a figure": lambda rows: [dcc.Graph(figure=go.Figure(go.Bar(y=[1]))), *rows],
    "patch": lambda rows: _patch(rows[0]),
}


def _patch(row: Any) -> Patch:
    patch = Patch()
    patch.append(row)
    patch.prepend(html.Div(np.arange(2).tolist()))
    return patch


@pytest.mark.parametrize("made", COPIES)
def test_11_2_what_a_callback_got_it_may_give(serve: Serve, made: str) -> None:
    """As Input, State, by ``app.get``; as result, alternative result, push and ``set_props``."""
    app, calls = app_with(html.Div(id="copy", children=[])), Calls()

    @app.callback_shared(Output("copy", "children"), Input("rows", "children"), State("rows", "children"))
    def pass_on(rows: Any, state: Any) -> Any:
        app.push_mods({"a": {"children": []}})
        app.push_mods({"a": {"children": COPIES[made](state)}})
        set_props("b", {"children": []})
        set_props("b", {"children": COPIES[made](app.get("rows", "children"))})
        calls("passed on")
        return COPIES[made](rows)

    app.callback_shared(Output("c", "title"), Input("copy", "children"))(lambda rows: Output("c", "children", rows))
    rows = [html.Div([html.B("x"), html.I("y")]), html.Span("z")]
    app.push_mods({"rows": {"children": rows}})
    serve(app)
    assert calls.next() == "passed on"
    app.push_mods({"rows": {"children": rows}})
    assert calls.next() == "passed on"
    assert "call_errors" not in app.metrics


def test_11_2_components_in_options_and_data(serve: Serve, raw: MakeRaw) -> None:
    def choice(name: str) -> dict[str, Any]:
        return {"label": dmc.Center([html.I(className="icon"), html.Span(name)]), "value": name}

    app = app_with(
        dcc.Checklist(id="list", options=[choice("a")]), dmc.SegmentedControl(id="segments", data=[choice("a")])
    )
    outputs = [Output("list", "options"), Output("segments", "data")]

    @app.callback_shared(
        outputs, Input("go", "n_clicks"), State("list", "options"), State("segments", "data"), prevent_initial_call=True
    )
    def more(n: Any, options: Any, data: Any) -> Any:
        return [*options, choice(f"b{n}")], [*data, choice(f"b{n}")]

    url = serve(app).url
    page, other = raw(url), raw(url).join()
    page.hello()
    page.layout()
    for n in (1, 2):
        shown = [app.get("list", "options"), app.get("segments", "data")]
        page.change("go", "n_clicks", n, state=[("list", "options", shown[0]), ("segments", "data", shown[1])])
        assert page.until("ack", n=n)
        while len(app.get("segments", "data")) < n + 1:
            other.receive()
    assert [one["value"] for one in app.get("list", "options")] == ["a", "b1", "b2"]
    assert "call_errors" not in app.metrics


def test_11_2_wildcard_state_keeps_its_length(serve: Serve, raw: MakeRaw) -> None:
    ids = [{"type": "row", "index": n} for n in range(3)]
    app, calls = (
        app_with(*(html.Div(id=id, children=html.B(n) if n == 1 else f"{n}") for n, id in enumerate(ids))),
        Calls(),
    )
    read = app.callback_shared(None, Input("go", "n_clicks"), State({"type": "row", "index": ALL}, "children"))
    read(lambda n, rows: calls(rows))
    page = raw(serve(app).url).join()
    bold = text(html.B(1))
    page.change(
        "go", "n_clicks", 1, state=[(id, "children", bold if n == 1 else f"typed {n}") for n, id in enumerate(ids)]
    )
    assert calls.next() == ["typed 0", bold, "typed 2"]


def test_11_2_regular_callbacks_give_their_page_what_it_sent(serve: Serve, raw: MakeRaw) -> None:
    """As in Dash; and they may push, and write with ``set_props``, what they make."""
    app = app_with(html.Div(id="own"))

    @app.callback(Output("own", "children"), Input("go", "n_blur"), State("own", "children"), State("text", "value"))
    def add(n: Any, rows: Any, typed: Any) -> Any:
        app.push_mods({"rows": {"children": [*app.get("rows", "children"), html.Div(typed)]}})
        set_props("beside", {"children": rows})
        return [*rows, html.Div(typed), *app.get("rows", "children")]

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    reply = ask_regular(
        page, "own.children", [("go", "n_blur", 1)], [("own", "children", [LAYOUT_ROW]), ("text", "value", "t")]
    )
    one, more = LAYOUT_ROW, text(html.Div("t"))
    assert reply["body"]["response"]["own"]["children"] == [one, more, one, more]
    until_all(page, ("beside", "children", [LAYOUT_ROW]))
    other.until_value("rows", "children", [LAYOUT_ROW, text(html.Div("t"))])


def test_11_2_state_of_what_a_page_of_its_own_brought(serve: Serve, raw: MakeRaw) -> None:
    """As the rows in a page of a multi-page app."""
    app, calls = app_with(html.Div(id="content")), Calls()

    @app.callback(Output("content", "children"), Input("go", "n_blur"))
    def page_of_its_own(n: Any) -> Any:
        return html.Div([html.Div(id="brought", children=[html.Div("first")]), dcc.Input(id="inner", value="given")])

    @app.callback_shared(
        Output("brought", "children"), Input("add", "n_clicks"), State("brought", "children"), prevent_initial_call=True
    )
    def add(n: Any, rows: Any) -> Any:
        calls(ctx.triggered_id)
        return [*rows, html.Div("second")]

    app.callback_shared(Output("inner", "title"), Input("inner", "value"))(calls)
    page = raw(serve(app).url).join()
    assert ask_regular(page, "content.children", [("go", "n_blur", 1)])["status"] == 200
    assert calls.next() == "given"
    page.change("add", "n_clicks", 1, state=[("brought", "children", [LAYOUT_ROW])])
    page.until_value("brought", "children", [LAYOUT_ROW, text(html.Div("second"))])


def test_11_2_components_from_pages_where_they_are_wanted(serve: Serve, raw: MakeRaw) -> None:
    app = app_with(html.Div(id="own"))
    app.callback_shared(Output("shown", "children"), Input("own", "children"), components=True)(lambda rows: rows)
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.change("own", "children", [LAYOUT_ROW])
    other.until_value("shown", "children", [LAYOUT_ROW])
    app.push_mods({"rows": {"children": [LAYOUT_ROW]}}, components=True)
    other.until_value("rows", "children", [LAYOUT_ROW])
