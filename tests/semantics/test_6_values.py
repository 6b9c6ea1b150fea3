"""Section 6, results: values and the callback context, as in Dash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy
import plotly.graph_objects as go
import pytest
from dash import dcc, html

from dash_devices import ctx, no_update
from dash_devices.dependencies import ALL, MATCH, Input, Output, State
from dash_devices.exceptions import PreventUpdate

from ..support import Raw, wait_for
from .helpers import props_of
from .tools import make_app, push_and_wait, told


# ---- 6.1 ---------------------------------------------------------------------------------------------------------------
def component(kind: str, **props: Any) -> dict[str, Any]:
    """An html component as it is on the wire."""
    return {"props": props, "type": kind, "namespace": "dash_html_components"}


RESULTS = {
    "text": ("hello", "hello"),
    "none": (None, None),
    "component": (html.B("bold"), component("B", children="bold")),
    "components": ([html.B("a"), "b"], [component("B", children="a"), "b"]),
    "numpy": (numpy.arange(3), [0, 1, 2]),
    "numpy number": (numpy.float64(1.5), 1.5),
    "not a number": ([1.0, float("nan"), float("inf")], [1.0, None, None]),
    "numpy not a number": (numpy.array([1.0, numpy.nan]), [1.0, None]),
    "keys": ({1: "one"}, {"1": "one"}),
}


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", RESULTS)
def test_6_1_values_as_in_dash(serve: Callable[..., Any], raw: Callable[..., Raw], name: str, kind: str) -> None:
    value, wanted = RESULTS[name]
    app = make_app(dcc.Input(id="x"), html.Div("?", id="y"))

    def result(x: Any) -> Any:
        return value

    async def result_async(x: Any) -> Any:
        return value

    app.callback_shared(Output("y", "children"), Input("x", "value"), prevent_initial_call=True)(
        result if kind == "sync" else result_async
    )
    page = raw(serve(app).url).join()
    page.change("x", "value", 1)
    page.until_value("y", "children", wanted)


def test_6_1_figures_as_in_dash(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Input(id="x"), dcc.Graph(id="g"))

    @app.callback_shared(Output("g", "figure"), Input("x", "value"))
    def draw(x: Any) -> go.Figure:
        return go.Figure(go.Scatter(y=numpy.array([1, 2])), layout_title_text="drawn")

    figure = props_of(raw(serve(app).url).join().layout(), "g")["figure"]
    assert figure["layout"]["title"]["text"] == "drawn"
    assert figure["data"][0]["type"] == "scatter"


def test_6_1_no_update_and_prevent_update(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Input(id="x"), html.Div("a", id="a"), html.Div("b", id="b"))

    @app.callback_shared(
        Output("a", "children"), Output("b", "children"), Input("x", "value"), prevent_initial_call=True
    )
    def result(x: str) -> Any:
        if x == "prevent":
            raise PreventUpdate
        return {"none": no_update, "one": (no_update, "b1"), "both": ["a2", "b2"]}[x]

    page = raw(serve(app).url).join()
    for x in ("prevent", "none", "one"):
        push_and_wait(app, {"x": {"value": x}})
    assert [t for t in told(app, page) if t[0] != "x"] == [["b", "children", "b1"]]
    assert "call_errors" not in app.metrics
    page.change("x", "value", "both")
    message = page.until_value("a", "children", "a2")
    assert ["b", "children", "b2"] in message["mods"], "one atomic mod"


def test_6_1_several_and_dict_outputs(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Input(id="x", value=2), dcc.Input(id="s", value=10), html.Div(id="a"), html.Div(id="b"))

    @app.callback_shared(
        output={"sum": Output("a", "children"), "both": Output("b", "children")},
        inputs={"x": Input("x", "value")},
        state={"s": State("s", "value")},
    )
    def result(x: int, s: int) -> dict[str, Any]:
        assert set(ctx.outputs_grouping) == {"sum", "both"}
        return {"both": [x, s], "sum": x + s}

    raw(serve(app).url).join()
    assert (app.get("a", "children"), app.get("b", "children")) == (12, [2, 10])


def test_6_1_all_as_output(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    lamps = [html.Div(id={"type": "lamp", "index": i}) for i in range(3)]
    app = make_app(dcc.Input(id="x", value="on"), *lamps)

    @app.callback_shared(Output({"type": "lamp", "index": ALL}, "children"), Input("x", "value"))
    def result(x: str) -> list[Any]:
        assert [spec["id"]["index"] for spec in ctx.outputs_list] == [0, 1, 2]
        return [f"{x}{i}" if i != 1 else no_update for i in range(3)]

    raw(serve(app).url).join()
    assert [app.get({"type": "lamp", "index": i}, "children") for i in range(3)] == ["on0", None, "on2"]


def test_6_1_a_wrong_number_of_results_is_an_error_and_harms_nothing(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(dcc.Input(id="x"), html.Div(id="a"), html.Div(id="b"))

    @app.callback_shared(
        Output("a", "children"), Output("b", "children"), Input("x", "value"), prevent_initial_call=True
    )
    def result(x: list[str]) -> list[str]:
        return x

    page = raw(serve(app).url).join()
    push_and_wait(app, {"x": {"value": ["only one"]}})
    assert any("result" in record.getMessage() and record.levelname == "ERROR" for record in caplog.records)
    push_and_wait(app, {"x": {"value": ["1", "2"]}})
    assert [t for t in told(app, page) if t[0] != "x"] == [["a", "children", "1"], ["b", "children", "2"]]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_6_1_the_context_says_what_changed(serve: Callable[..., Any], raw: Callable[..., Raw], kind: str) -> None:
    app = make_app(
        dcc.Input(id="x", value=1), dcc.Input(id="y", value=2), dcc.Input(id="s", value=3), html.Div(id="out")
    )
    seen: list[dict[str, Any]] = []

    def look(x: Any, y: Any, s: Any) -> None:
        seen.append(
            {
                "truth": bool(ctx.triggered),
                "triggered": list(ctx.triggered),
                "id": ctx.triggered_id,
                "inputs": dict(ctx.inputs),
                "states": dict(ctx.states),
                "inputs_list": ctx.inputs_list,
                "outputs_list": ctx.outputs_list,
                "args": [(a.id, a.property, a.value, a.get("triggered", False)) for a in ctx.args_grouping],
            }
        )

    async def look_async(x: Any, y: Any, s: Any) -> None:
        await asyncio.sleep(0)
        look(x, y, s)

    app.callback_shared(Output("out", "children"), Input("x", "value"), Input("y", "value"), State("s", "value"))(
        look if kind == "sync" else look_async
    )
    page = raw(serve(app).url).join()
    page.changes([("x", "value", 10), ("y", "value", 20)], state=[("s", "value", 30)])
    page.change("y", "value", 21, state=[("s", "value", 31)])
    wait_for(lambda: len(seen) == 3, "three calls")
    start, both, one = seen
    assert (start["truth"], start["id"]) == (False, None)
    assert start["triggered"] == [{"prop_id": ".", "value": None}], "as in Dash: one empty row that counts as false"
    assert (start["inputs"], start["states"]) == ({"x.value": 1, "y.value": 2}, {"s.value": 3})
    assert (both["inputs"], both["states"]) == ({"x.value": 10, "y.value": 20}, {"s.value": 30})
    assert both["triggered"] == [{"prop_id": "x.value", "value": 10}, {"prop_id": "y.value", "value": 20}]
    assert (one["truth"], one["id"]) == (True, "y")
    assert one["triggered"] == [{"prop_id": "y.value", "value": 21}]
    assert one["inputs_list"] == [
        {"id": "x", "property": "value", "value": 10},
        {"id": "y", "property": "value", "value": 21},
    ] or [row["value"] for row in one["inputs_list"]] == [10, 21]
    assert one["outputs_list"] == {"id": "out", "property": "children"}
    assert one["args"] == [("x", "value", 10, False), ("y", "value", 21, True), ("s", "value", 31, False)]


def test_6_1_the_context_with_patterns(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    def gain(i: int) -> dict[str, Any]:
        return {"type": "gain", "index": i}

    app = make_app(
        *(dcc.Input(id=gain(i), value=i) for i in range(2)), *(html.Div(id={"type": "o", "index": i}) for i in range(2))
    )
    seen: list[Any] = []

    @app.callback_shared(
        Output({"type": "o", "index": MATCH}, "children"), Input({"type": "gain", "index": MATCH}, "value")
    )
    def one(value: int) -> int:
        seen.append((bool(ctx.triggered), ctx.triggered_id, ctx.outputs_list["id"], ctx.triggered[0]["value"]))
        return value * 10

    raw(serve(app).url).join()
    assert sorted(seen, key=str) == [(False, None, {"index": i, "type": "o"}, None) for i in range(2)]
    push_and_wait(app, Output(gain(1), "value", 7))
    assert seen[-1] == (True, {"index": 1, "type": "gain"}, {"index": 1, "type": "o"}, 7)
    assert app.get({"type": "o", "index": 1}, "children") == 70
