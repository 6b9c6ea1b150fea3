"""Section 3: what runs when the server starts, and what never does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import ALL, MATCH, dcc, html
from dash_devices.dependencies import Input, Output, State

from ..support import Raw, wait_for
from .helpers import Calls, ask_regular, props_of, recorder, shows, until_all, watched


def test_3_1_in_dependency_order_without_a_browser(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="v"), *(html.Div(id=id) for id in "bcd")])
    for input, output in (("c", "d"), ("b", "c"), ("a", "b")):  # registered from the end of the chain
        property = "value" if input == "a" else "children"

        def step(value: str, output: str = output) -> str:
            calls((output, value))
            return value + output

        app.callback_shared(Output(output, "children"), Input(input, property))(step)
    url = serve(app).url
    assert calls.take(3) == [("b", "v"), ("c", "vb"), ("d", "vbc")]
    for page in (raw(url), raw(url)):
        page.hello()
        assert props_of(page.layout(), "d")["children"] == "vbcd"
    page.change("a", "value", "w")
    page.until_value("d", "children", "wbcd")
    assert calls.take(3) == [("b", "w"), ("c", "wb"), ("d", "wbc")]
    assert calls.none_left


def test_3_1_each_in_its_lane(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, meeting = dash_devices.Dash(), threading.Barrier(3)
    app.layout = html.Div([dcc.Input(id="a"), *(html.Div(id=id) for id in "xyz")])

    def meet(value: Any) -> str:
        meeting.wait(10)  # passes only when all three are under way at once
        return "met"

    for id in "xyz":
        app.callback_shared(Output(id, "children"), Input("a", "value"))(meet)
    page = raw(serve(app).url)
    page.hello()
    layout = page.layout()
    assert [props_of(layout, id)["children"] for id in "xyz"] == ["met"] * 3


def test_3_1_pages_wait_for_startup(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, free = dash_devices.Dash(startup_wait=30), threading.Event()
    app.layout = html.Div([dcc.Input(id="a"), html.Div(id="b")])
    app.callback_shared(Output("b", "children"), Input("a", "value"))(lambda value: free.wait(10) and "ready")
    page = raw(serve(app).url)
    page.hello()
    page.send({"type": "request", "ref": 100, "route": "layout", "query": "", "body": None})
    page.send({"type": "request", "ref": 101, "route": "dependencies", "query": "", "body": None})
    assert page.until("reply")["ref"] == 101
    free.set()
    assert props_of(page.until("reply", ref=100)["body"], "b")["children"] == "ready"


def test_3_1_what_is_unfinished_arrives_as_a_mod(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, free = dash_devices.Dash(startup_wait=0.05), threading.Event()
    app.layout = html.Div([dcc.Input(id="a"), html.Div(id="b"), html.Div(id="c")])
    app.callback_shared(Output("b", "children"), Input("a", "value"))(lambda value: free.wait(10) and "late")
    app.callback_shared(Output("c", "children"), Input("a", "value"))(lambda value: "quick")
    page = raw(serve(app).url)
    page.hello()
    layout = page.layout()
    assert props_of(layout, "b")["children"] is None
    assert props_of(layout, "c")["children"] == "quick"
    free.set()
    assert page.until_value("b", "children", "late")["type"] == "mods"


def test_3_2_inputs_come_from_the_layout_and_earlier_pushes(serve: Callable[..., Any]) -> None:
    app, calls, made = dash_devices.Dash(), Calls(), Calls()

    def layout() -> html.Div:
        made("layout")
        return html.Div([dcc.Input(id="a", value="given"), dcc.Input(id="b", value="given"), html.Div(id="o")])

    app.layout = layout
    app.callback_shared(Output("o", "children"), Input("a", "value"), Input("b", "value"), State("c", "value"))(
        lambda *values: calls(values)
    )
    app.push_mods({"b": {"value": "early"}, "c": {"value": "pushed"}})
    while not made.none_left:
        made.next()  # Dash looks at the layout when it is set
    serve(app)
    assert calls.next() == ("given", "early", "pushed")
    assert made.take(2) == ["layout"] * 2  # one of them is Dash's own validation
    assert made.none_left
    assert (app.get("a", "value"), app.get("b", "value")) == ("given", "early")


def test_3_4_prevent_initial_call(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    calls = Calls()
    for number, app in enumerate((dash_devices.Dash(), dash_devices.Dash(prevent_initial_callbacks=True))):
        app.layout = html.Div([dcc.Input(id="a", value="v"), html.Div(id="b"), html.Div(id="c")])
        prevented: dict[str, Any] = {} if number else {"prevent_initial_call": True}
        app.callback_shared(Output("b", "children"), Input("a", "value"), **prevented)(lambda v: calls(("b", v)) or v)
        app.callback_shared(Output("c", "children"), Input("a", "value"), prevent_initial_call=False)(
            lambda v: calls(("c", v)) or v
        )
        page = raw(serve(app).url)
        page.hello()
        layout = page.layout()
        assert [props_of(layout, id).get("children") for id in "bc"] == [None, "v"]
        page.change("a", "value", "w")
        until_all(page, ("b", "children", "w"), ("c", "children", "w"))
        assert sorted(calls.take(3)) == [("b", "w"), ("c", "v"), ("c", "w")]
    assert calls.none_left


@pytest.mark.parametrize("way", ["push", "shared output", "regular result", "page", "announced by a page"])
def test_3_4_runs_once_when_its_ids_are_known(way: str, serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, calls, inside = dash_devices.Dash(), Calls(), [html.Div(id="marker")]
    chunk = [dcc.Input(id="late_in", value="v"), html.Div(id="late_out")]
    app.layout = lambda: html.Div([dcc.Input(id="a"), html.Div(id="box"), html.Div(id="mark_out"), *inside])
    app.callback_shared(Output("late_out", "children"), Input("late_in", "value"))(lambda v: calls(v) or f"<{v}>")
    app.callback_shared(Output("mark_out", "children"), Input("a", "value"), prevent_initial_call=True)(lambda v: v)
    app.callback_shared(Output("box", "children"), Input("b", "value"))(lambda v: chunk)
    app.callback(Output("panel", "children"), Input("c", "value"))(lambda v: chunk)
    url = serve(app).url
    page = raw(url).join()
    page.change("a", "value", "before")
    page.until_value("mark_out", "children", "before")
    assert calls.none_left
    if way == "push":
        app.push_mods({"box": {"children": chunk}})
    elif way == "shared output":
        page.change("b", "value", 1)
    elif way == "regular result":
        ask_regular(page, "panel.children", [("c", "value", 1)])
    elif way == "page":
        inside.extend(chunk)
        raw(url).join()
    else:
        app.push_mods({"box": {"children": chunk[1]}})
        page.send({"type": "mount", "values": [["late_in", "value", "v"]]})
    assert calls.next() == "v"
    page.until_value("late_out", "children", "<v>")
    app.push_mods({"box": {"children": chunk}})
    second = raw(url).join()
    second.change("a", "value", "after")
    second.until_value("mark_out", "children", "after")
    assert calls.none_left


def rows(*numbers: int) -> list[html.Div]:
    return [html.Div([dcc.Input(id={"t": "in", "n": n}, value=n), html.Div(id={"t": "out", "n": n})]) for n in numbers]


def test_3_4_match_runs_once_for_each_component(serve: Callable[..., Any]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([html.Div(id="box"), html.Div(id="marker")])
    app.callback_shared(
        Output({"t": "out", "n": MATCH}, "children"), Input({"t": "in", "n": MATCH}, "value"), lane="one"
    )(recorder(calls))
    app.callback_shared(None, Input("marker", "children"), lane="one")(recorder(calls))
    serve(app)

    app.push_mods({"box": {"children": rows(1, 2)}})
    assert sorted(calls.take(2)) == [1, 2]
    app.push_mods({"box": {"children": rows(1, 2)}})
    app.push_mods({"marker": {"children": "again"}})
    assert calls.next() == "again"
    assert calls.none_left


def test_3_4_match_runs_for_components_that_come_later(serve: Callable[..., Any]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([html.Div(id="box"), html.Div(id="marker")])
    app.callback_shared(
        Output({"t": "out", "n": MATCH}, "children"), Input({"t": "in", "n": MATCH}, "value"), lane="one"
    )(recorder(calls))
    app.callback_shared(None, Input("marker", "children"), lane="one")(recorder(calls))
    serve(app)
    app.push_mods({"box": {"children": rows(1, 2)}})
    assert sorted(calls.take(2)) == [1, 2]
    app.push_mods({"box": {"children": rows(1, 2, 3)}})
    app.push_mods({"marker": {"children": "end"}})
    assert calls.take(2) == [3, "end"]


def test_3_5_registered_while_pages_are_open(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="v"), html.Div(id="b")])
    page = raw(serve(app).url).join()
    assert page.welcome["watch"] == []
    assert page.until("nack", n=page.change("a", "value", "x"))["code"] == "not_found"
    app.callback_shared(Output("b", "children"), Input("a", "value"))(lambda v: calls(v) or f"<{v}>")
    assert calls.next() == "v"
    assert watched(page.until("watch")["watch"]) == {"a.value"}
    until_all(page, ("b", "children", "<v>"))
    page.change("a", "value", "w")
    page.until_value("b", "children", "<w>")
    assert calls.next() == "w"
    app.share("b", "title")
    assert watched(page.until("watch")["watch"]) == {"a.value", "b.title"}
    assert calls.none_left


def test_3_5_open_pages_watch_new_inputs_without_a_reload(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value="v"), html.Div(id="b"), html.Div(id="box")])
    url = serve(app).url
    first, second = tab(url), tab(url)
    first.evaluate("window.same_load = true")
    app.callback_shared(Output("b", "children"), Input("a", "value"))(lambda v: f"<{v}>")
    shows(first, "b", "<v>")
    first.fill("#a", "w")
    for page in (first, second):
        shows(page, "b", "<w>")
    assert first.evaluate("window.same_load")


def test_3_6_an_exception_at_startup(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app = dash_devices.Dash(startup_wait=30)
    app.layout = html.Div([dcc.Input(id="a", value="v"), *(html.Div(id=id) for id in "bcd")])

    @app.callback_shared(Output("b", "children"), Input("a", "value"))
    def broken(value: Any) -> None:
        raise RuntimeError("no such instrument")

    app.callback_shared(Output("c", "children"), Input("b", "children"))(lambda value: f"after {value}")
    app.callback_shared(Output("d", "children"), Input("a", "value"))(lambda value: f"<{value}>")
    page = raw(serve(app).url)
    page.hello()
    layout = page.layout()
    assert [props_of(layout, id)["children"] for id in "bcd"] == [None, "after None", "<v>"]
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "broken" in record.message
    assert record.exc_info is not None
    assert "no such instrument" in str(record.exc_info[1])
    page.change("a", "value", "w")
    page.until_value("d", "children", "<w>")
    wait_for(lambda: app.metrics["call_errors"] == 2, "the second error")


def test_3_4_a_callback_with_all_runs_again_when_a_component_appears_that_fits(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div([html.Div(id="box"), html.Div(id="sum")])

    @app.callback_shared(Output("sum", "children"), Input({"type": "gain", "index": ALL}, "value"))
    def add(values: list[int]) -> str:
        return f"sum {values}"

    client = raw(serve(app).url)
    client.hello()
    client.layout()
    app.push_mods({"box": {"children": [dcc.Input(id={"type": "gain", "index": 0}, value=3)]}})
    wait_for(lambda: app.get("sum", "children") == "sum [3]", "the sum of one")
    more = [dcc.Input(id={"type": "gain", "index": number}, value=3 + number) for number in (0, 1)]
    app.push_mods({"box": {"children": more}})
    wait_for(lambda: app.get("sum", "children") == "sum [3, 4]", "the sum of two")
