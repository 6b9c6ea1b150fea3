"""Section 6, results: what a callback returns, and where that goes."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy
import plotly.graph_objects as go
import pytest
from dash import dcc, html

import dash_devices
from dash_devices import Patch, ctx, no_update, set_props
from dash_devices.dependencies import ALL, MATCH, Input, Output, State
from dash_devices.exceptions import PreventUpdate, RegistrationError

from ..support import TIMEOUT, Raw, wait_for, wire_id
from .helpers import ask_regular, dependency, holds, props_of, shows

numbers = itertools.count()


def make_app(*children: Any, **options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div(list(children))
    return app


def push_and_wait(app: dash_devices.Dash, mods: Any) -> None:
    """Push from this thread; returns when all calls that it caused have run."""
    asyncio.run(asyncio.wait_for(app.push_mods_coro(mods), TIMEOUT))


def told(app: dash_devices.Dash, page: Raw) -> list[list[Any]]:
    """All triples that a page was sent until now."""
    marker = next(numbers)
    app.push_mods({"marker": {"children": marker}})
    page.until_value("marker", "children", marker)
    triples = [t for m in page.seen for t in m.get("mods", []) + m.get("props", []) + m.get("events", [])]
    return [t for t in triples if t[0] != "marker"]


def component(kind: str, **props: Any) -> dict[str, Any]:
    """An html component as it is on the wire."""
    return {"props": props, "type": kind, "namespace": "dash_html_components"}


# ---- 6.1 ---------------------------------------------------------------------------------------------------------------
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


# ---- 6.2 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", ["text", 7, ["a", "b"], ("a",), {"y": {"children": 1}}, object(), [], html.Div("x")])
def test_6_2_without_output_what_is_returned_is_ignored(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    app = make_app(html.Button(id="go"), html.Button(id="own"), html.Div(id="y"))
    ran = threading.Event()

    @app.callback_shared(None, Input("go", "n_clicks"))
    def shared(n: int) -> Any:
        return value

    @app.callback(None, Input("own", "n_clicks"))
    def regular(n: int) -> Any:
        ran.set()
        return value

    page = raw(serve(app).url).join()
    push_and_wait(app, {"go": {"n_clicks": 1}})
    reply = ask_regular(page, dependency(page, "own.n_clicks"), [("own", "n_clicks", 1)])
    assert reply["status"] in (200, 204)
    assert ran.is_set()
    assert told(app, page) == [["go", "n_clicks", 1]]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_6_2_unless_it_is_an_alternative_result(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="y"))

    @app.callback_shared(None, Input("go", "n_clicks"))
    def shared(n: int) -> Any:
        return Output("y", "children", f"clicked {n}")

    page = raw(serve(app).url).join()
    page.change("go", "n_clicks", 3)
    page.until_value("y", "children", "clicked 3")


# ---- 6.3 ---------------------------------------------------------------------------------------------------------------
def alternative(form: str) -> Any:
    """An alternative result in one of its forms: what each writes begins with the message."""
    message = Output("message", "children", "Wrong!")
    lamp = Output({"type": "lamp", "index": 1}, "className", "red")
    return {"one": message, "list": [message, lamp], "tuple": (message, lamp, Output("nowhere", "title", 0))}[form]


def triples(form: str) -> list[list[Any]]:
    lamp = wire_id({"type": "lamp", "index": 1})
    every = [["message", "children", "Wrong!"], [lamp, "className", "red"], ["nowhere", "title", 0]]
    return every[: {"one": 1, "list": 2, "tuple": 3}[form]]


@pytest.mark.parametrize("form", ["one", "list", "tuple"])
def test_6_3_a_shared_alternative_result_goes_to_all(
    serve: Callable[..., Any], raw: Callable[..., Raw], form: str
) -> None:
    app = make_app(dcc.Input(id="x"), html.Div(id="y"), html.Div(id="z"), html.Div(id="message"))
    heard: list[Any] = []

    @app.callback_shared(
        Output("y", "children"), Output("z", "children"), Input("x", "value"), prevent_initial_call=True
    )
    def result(x: Any) -> Any:
        return alternative(form)

    app.callback_shared(None, Input("message", "children"))(heard.append)
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.change("x", "value", "secret")
    for one in (page, other):
        mods = one.until_value("message", "children", "Wrong!")["mods"]
        assert [t for t in mods if t[0] != "x"] == triples(form), "one atomic mod, nothing else"
    wait_for(lambda: heard == ["Wrong!"], "the shared callback that listens to it")
    assert app.get("y", "children") is None


@pytest.mark.parametrize("form", ["one", "list", "tuple"])
def test_6_3_a_regular_one_goes_to_its_page(serve: Callable[..., Any], raw: Callable[..., Raw], form: str) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="y"), html.Div(id="z"), html.Div(id="message"))

    @app.callback(Output("y", "children"), Output("z", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def result(n: int) -> Any:
        return alternative(form)

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    reply = ask_regular(page, "..y.children...z.children..", [("go", "n_clicks", 1)])
    assert reply["body"]["response"] == {}, "the declared outputs stay as they are"
    beside = [[id, name, value] for id, props in reply["body"]["sideUpdate"].items() for name, value in props.items()]
    assert sorted(beside + told(app, page)) == sorted(triples(form))
    assert told(app, other) == []


@pytest.mark.browser
def test_6_3_a_regular_one_into_a_shared_control_is_a_change(
    serve: Callable[..., Any], tab: Callable[..., Any]
) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="y"), dcc.Input(id="power"))
    heard: list[Any] = []

    @app.callback_shared(None, Input("power", "value"))
    def power(value: Any) -> None:
        heard.append((value, ctx.client.id if ctx.client else None))

    @app.callback(Output("y", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def result(n: int) -> Any:
        return Output("power", "value", "5")

    url = serve(app).url
    page, other = tab(url), tab(url)
    page.click("#go")
    for one in (page, other):
        holds(one, "power", "5")
    wait_for(lambda: heard == [("5", app.clients[0].id)], "the shared callback, with the client")


@pytest.mark.browser
def test_6_3_the_right_callbacks_fire_in_the_page(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(html.Button("go", id="go"), html.Div("y", id="y"), html.Div(id="message"), html.Div("-", id="heard"))

    @app.callback(Output("y", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def result(n: int) -> Any:
        return [Output("message", "children", f"Wrong {n}")]

    @app.callback(Output("heard", "children"), Input("message", "children"), prevent_initial_call=True)
    def hear(message: str) -> str:
        return f"heard {message}"

    url = serve(app).url
    page, other = tab(url), tab(url)
    page.click("#go")
    shows(page, "message", "Wrong 1")
    shows(page, "heard", "heard Wrong 1")
    assert page.text_content("#y") == "y"
    other.click("#go")
    shows(other, "heard", "heard Wrong 1")
    page.click("#go")
    shows(page, "heard", "heard Wrong 2")
    assert other.text_content("#heard") == "heard Wrong 1"


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
        while not go_on.is_set():
            await asyncio.sleep(0.001)
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
        while not go_on.is_set():
            await asyncio.sleep(0.001)
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


# ---- 6.5 ---------------------------------------------------------------------------------------------------------------
def test_6_5_a_patch_is_applied_at_the_server_and_sent_as_it_is(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = make_app(html.Button(id="go"), dcc.Store(id="log", data={"rows": [0], "n": 0}))
    heard: list[Any] = []

    @app.callback_shared(Output("log", "data"), Input("go", "n_clicks"), prevent_initial_call=True)
    def add(n: int) -> Patch:
        patch = Patch()
        patch["rows"].append(n)
        patch["n"] = n
        return patch

    app.callback_shared(None, Input("log", "data"))(heard.append)
    url = serve(app).url
    page, resting = raw(url).join(), raw(url).join()
    for n in (1, 2):
        page.change("go", "n_clicks", n)
        message = page.until("mods")
        (sent,) = [value for id, property, value in message["mods"] if id == "log"]
        assert [op["operation"] for op in sent["operations"]] == ["Append", "Assign"], "a page in step gets the patch"
        assert sent["operations"][0]["params"]["value"] == n
    whole = {"rows": [0, 1, 2], "n": 2}
    assert app.get("log", "data") == whole
    wait_for(lambda: heard == [{"rows": [0, 1], "n": 1}, whole], "listeners see the whole value")
    late = raw(url)
    late.hello()
    assert props_of(late.layout(), "log")["data"] == whole, "a newcomer gets the whole value"
    assert resting.seen[-1]["type"] in ("reply", "mods")


def test_6_5_pages_that_are_not_in_step_get_the_whole_value(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Store(id="log", data=[0]), leave_after=60)
    url = serve(app).url
    behind, before = raw(url).join(), raw(url).join()
    app.push_mods({"log": {"data": [1]}})
    before.until_value("log", "data", [1])
    behind.seq = 0  # it has never heard of the push
    for page in (behind, before):
        page.drop()
    wait_for(lambda: not any(client.connected for client in app.clients), "the lines to be lost")
    patch = Patch()
    patch.append(2)
    app.push_mods({"log": {"data": patch}})
    resumed = raw(url)
    resumed.resume(before)
    ((_, _, value),) = resumed.until("mods")["mods"]
    assert [op["operation"] for op in value["operations"]] == ["Append"]
    resumed = raw(url)
    resumed.resume(behind)
    assert resumed.until("mods")["mods"] == [["log", "data", [1, 2]]]


def test_6_5_a_patch_without_a_base_is_an_error_and_changes_nothing(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(html.Button(id="go"), dcc.Store(id="log"), html.Div(id="y"))

    @app.callback_shared(
        Output("y", "children"), Output("log", "data"), Input("go", "n_clicks"), prevent_initial_call=True
    )
    def add(n: int) -> Any:
        patch = Patch()
        patch["rows"].append(n)
        return f"added {n}", patch

    page = raw(serve(app).url).join()
    push_and_wait(app, {"go": {"n_clicks": 1}})
    assert any("add" in line and "Patch" in line for line in caplog.messages)
    assert told(app, page) == [["go", "n_clicks", 1]], "all outputs of a callback or none"
    patch = Patch()
    patch["rows"].append(1)
    with pytest.raises(TypeError, match="rows"):
        app.push_mods([Output("y", "children", "half"), Output("log", "data", patch)])
    assert told(app, page) == [["go", "n_clicks", 1]]


@pytest.mark.browser
def test_6_5_pages_show_what_was_patched(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(html.Button("go", id="go"), html.Div([], id="list"))

    @app.callback_shared(Output("list", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def add(n: int) -> Patch:
        patch = Patch()
        patch.append(html.Span(f"{n} ", id=f"row{n}"))
        return patch

    url = serve(app).url
    page, other = tab(url), tab(url)
    for n in (1, 2, 3):
        page.click("#go")
        wait_for(lambda n=n: len(app.get("list", "children")) == n, "the server's copy")
    for one in (page, other, tab(url)):
        shows(one, "list", "1 2 3 ")


# ---- 6.6 ---------------------------------------------------------------------------------------------------------------
def nothing(value: Any) -> Any:
    return value


def test_6_6_two_shared_callbacks_on_one_output() -> None:
    app = make_app(dcc.Input(id="x"), html.Div(id="y"))
    app.callback_shared(Output("y", "children"), Input("x", "value"))(nothing)
    with pytest.raises(RegistrationError, match=r"y\.children.*allow_duplicate"):
        app.callback_shared(Output("y", "children"), Input("x", "n_submit"))(nothing)
    app.callback_shared(Output("y", "children", allow_duplicate=True), Input("x", "n_blur"), prevent_initial_call=True)(
        nothing
    )


def test_6_6_with_allow_duplicate_the_seq_decides(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Input(id="x"), dcc.Input(id="z"), html.Div(id="y"))
    app.callback_shared(Output("y", "children"), Input("x", "value"), prevent_initial_call=True)(nothing)
    app.callback_shared(Output("y", "children", allow_duplicate=True), Input("z", "value"), prevent_initial_call=True)(
        nothing
    )
    page = raw(serve(app).url).join()
    for id, value in (("x", 1), ("z", 2), ("x", 3)):
        page.change(id, "value", value)
        page.until_value("y", "children", value)
    assert app.get("y", "children") == 3


@pytest.mark.parametrize("order", ["shared first", "regular first"])
@pytest.mark.parametrize("outputs", ["one", "several", "duplicate"])
def test_6_6_a_shared_and_a_regular_one_on_one_output(order: str, outputs: str) -> None:
    app = make_app(dcc.Input(id="x"), html.Div(id="y"), html.Div(id="z"))
    output = Output("y", "children", allow_duplicate=True) if outputs == "duplicate" else Output("y", "children")
    declared = [output, Output("z", "children")] if outputs == "several" else [output]

    def shared() -> None:
        app.callback_shared(Output("y", "children"), Input("x", "value"))(nothing)

    def regular() -> None:
        app.callback(*declared, Input("x", "value"), prevent_initial_call=True)(nothing)

    first, second = (shared, regular) if order == "shared first" else (regular, shared)
    first()
    before = len(app._callback_list), len(app._engine.registry.callbacks)
    with pytest.raises(RegistrationError, match=r"y\.children.*shared.*regular"):
        second()
    assert (len(app._callback_list), len(app._engine.registry.callbacks)) == before, "everything else goes on"


# ---- 6.7 ---------------------------------------------------------------------------------------------------------------
def control(**props: Any) -> dcc.Input:
    return dcc.Input(id="power", **props)


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
    page.wait_for_function("document.title === 'devices'")
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
