"""Section 6.7: whole children that bring components again: what was given counts, outputs keep what their callbacks said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices.dependencies import ALL, MATCH, Input, Output
from dash_devices.exceptions import PreventUpdate

from .helpers import Calls, holds, props_of, shows
from .tools import Gate, make_app, push_and_wait, told

Given = Callable[..., Any]

FIRST = [dcc.Input(id="gain", value="1"), html.Div(id="said")]


def tabs_app(calls: Calls) -> dash_devices.Dash:
    app = make_app(dcc.Tabs([dcc.Tab(label=n, value=n) for n in "12"], "1", id="tabs"), html.Div(id="page"))
    app.callback_shared(Output("page", "children"), Input("tabs", "value"))(
        lambda value: FIRST if value == "1" else html.Div("two", id="second")
    )
    app.callback_shared(Output("said", "children"), Input("gain", "value"))(lambda v: calls(v) or f"gain {v}")
    return app


@pytest.mark.fault("F7")
@pytest.mark.parametrize("how", ["output", "push"])
def test_6_7_an_output_inside_is_there_again(serve: Given, raw: Given, how: str) -> None:
    calls = Calls()
    app = tabs_app(calls)
    url = serve(app).url
    page = raw(url).join()
    assert calls.next() == "1"
    page.until("ack", n=page.change("gain", "value", "7"))
    assert calls.next() == "7"
    for value, children in (("2", html.Div("two", id="second")), ("1", FIRST)):
        push_and_wait(app, {"tabs": {"value": value}} if how == "output" else {"page": {"children": children}})
    assert app.get("gain", "value") == "1", "what was given is newer"
    assert app.get("said", "children") == "gain 1", "and its callback ran"
    assert calls.next() == "1"
    push_and_wait(app, {"tabs": {"value": "1"}} if how == "output" else {"page": {"children": FIRST}})
    assert app.get("said", "children") == "gain 1", "nothing else came: the value stays"
    assert calls.none_left
    assert ["said", "children", None] not in told(app, page)
    late = raw(url)
    late.hello()
    assert props_of(late.layout(), "said")["children"] == "gain 1"


@pytest.mark.browser
@pytest.mark.fault("F7")
def test_6_7_tab_two_and_tab_one(serve: Given, tab: Given) -> None:
    app = tabs_app(Calls())
    url = serve(app).url
    page, other = tab(url), tab(url)
    shows(other, "said", "gain 1")
    for label, id in (("2", "second"), ("1", "said")):
        page.get_by_text(label, exact=True).click()
        for one in (page, other):
            one.wait_for_selector(f"#{id}")
    for one in (page, other, tab(url)):
        holds(one, "gain", "1")
        shows(one, "said", "gain 1")


@pytest.mark.fault("F7")
def test_6_7_null_is_not_given_and_anything_else_is(serve: Given, raw: Given) -> None:
    app = make_app(html.Div(html.Div("-", id="reading", title="-"), id="panel"))
    page = raw(serve(app).url).join()
    app.push_mods({"reading": {"children": "42 V", "title": "volts", "lang": "en"}})
    app.push_mods({"panel": {"children": html.Div(id="reading", title="new")}})
    assert [app.get("reading", name) for name in ("children", "title", "lang")] == ["42 V", "new", "en"]
    names = [f"{id}.{name}" for id, name, _ in told(app, page)]
    assert names == ["panel.children", "reading.title", "reading.children", "reading.lang"], "what stays comes behind"
    app.push_mods({"panel": {"children": html.Div("", id="reading", title=None)}})
    assert [app.get("reading", name) for name in ("children", "title", "lang")] == ["", None, "en"]


@pytest.mark.fault("F7")
def test_6_7_an_output_of_a_callback_that_does_not_run_by_itself_is_what_was_given(serve: Given) -> None:
    app = make_app(dcc.Input(id="x"), html.Div(html.Div("old", id="said"), id="panel"))
    app.callback_shared(Output("said", "children"), Input("x", "value"), prevent_initial_call=True)(lambda v: v)
    serve(app)
    push_and_wait(app, {"x": {"value": "by callback"}})
    push_and_wait(app, {"panel": {"children": html.Div("given", id="said")}})
    assert app.get("said", "children") == "given"


def rows(*values: int) -> list[html.Div]:
    return [
        html.Div([dcc.Input(id={"t": "in", "n": n}, value=value), html.Div("given", id={"t": "out", "n": n})])
        for n, value in enumerate(values)
    ]


def rows_app(calls: Any) -> dash_devices.Dash:
    app = make_app(html.Div(rows(10, 20), id="box"))
    app.callback_shared(Output({"t": "out", "n": MATCH}, "children"), Input({"t": "in", "n": MATCH}, "value"))(calls)
    return app


def outputs(app: dash_devices.Dash) -> list[Any]:
    return [app.get({"t": "out", "n": n}, "children") for n in range(2)]


@pytest.mark.fault("F7")
def test_6_7_rows_that_are_made_anew_keep_their_outputs(serve: Given) -> None:
    calls = Calls()
    app = rows_app(lambda v: calls(v) or f"out {v}")
    serve(app)
    assert sorted(calls.take(2)) == [10, 20]
    push_and_wait(app, {"box": {"children": rows(10, 20)}})
    assert outputs(app) == ["out 10", "out 20"]
    assert calls.none_left
    push_and_wait(app, {"box": {"children": rows(10, 25)}})
    assert outputs(app) == ["out 10", "out 25"]
    assert calls.next() == 25
    assert calls.none_left, "the other row had no other value"


@pytest.mark.fault("F7")
def test_6_7_a_row_that_was_gone_runs_once_when_it_is_back(serve: Given) -> None:
    calls = Calls()
    app = rows_app(lambda v: calls((v, bool(dash_devices.ctx.triggered))) or f"out {v}")
    serve(app)
    calls.take(2)
    for again, expected in ((20, (20, False)), (25, (25, True))):
        push_and_wait(app, {"box": {"children": rows(10)}})
        push_and_wait(app, {"box": {"children": rows(10, again)}})
        assert calls.next() == expected, "as initial, or because of its other value"
        assert outputs(app) == ["out 10", f"out {again}"]
    assert calls.none_left


@pytest.mark.fault("F7")
def test_6_7_without_a_value_the_callback_runs_again(serve: Given) -> None:
    calls = Calls()

    def say(value: str) -> str:
        calls((value, bool(dash_devices.ctx.triggered)))
        if value == "1":
            raise PreventUpdate
        return f"gain {value}"

    app = make_app(html.Div(FIRST, id="page"), html.Div(id="other"))
    app.callback_shared(Output("said", "children"), Input("gain", "value"))(say)
    app.callback_shared(Output("other", "children"), Input("gain", "value"))(lambda value: value)
    serve(app)
    assert calls.next() == ("1", False)
    push_and_wait(app, {"page": {"children": FIRST}})
    assert calls.next() == ("1", False), "as initial"
    push_and_wait(app, {"gain": {"value": "2"}})
    assert calls.next() == ("2", True)
    push_and_wait(app, {"page": {"children": FIRST}})
    assert calls.next() == ("1", True), "once, because of the other value"
    push_and_wait(app, {"page": {"children": FIRST}})
    assert app.get("said", "children") == "gain 2"
    assert calls.none_left


@pytest.mark.fault("F7")
def test_6_7_not_while_such_a_run_is_under_way(serve: Given) -> None:
    app = make_app(html.Div(FIRST, id="page"), startup_wait=0)
    with Gate() as gate:
        app.callback_shared(Output("said", "children"), Input("gain", "value"))(gate)
        serve(app)
        assert gate.entered.wait(10)
        app.push_mods({"page": {"children": FIRST}})
        app.push_mods({"page": {"children": FIRST}})
    push_and_wait(app, {"gain": {"value": "2"}})
    assert gate.calls == ["1", "2"]


def test_6_7_no_callback_runs_because_of_what_itself_brought(serve: Given) -> None:
    """As in Dash; here it would go on for ever."""
    calls = Calls()
    app = make_app(dcc.Input(id="x", value=1), html.Div(id="box"))

    @app.callback_shared(
        Output("box", "children"), Output("inner", "title"), Input("x", "value"), Input({"n": ALL}, "value")
    )
    def build(value: int, values: list[Any]) -> Any:
        calls(value)
        inner = html.Div([dcc.Input(id={"n": value})], id="inner")
        return [inner], dash_devices.no_update

    serve(app)
    app.push_mods({"box": {"children": html.Div(id="inner")}})
    assert calls.next() == 1
    push_and_wait(app, {"x": {"value": 2}})
    assert calls.next() == 2
    push_and_wait(app, {"x": {"value": 3}})
    assert calls.next() == 3
    assert calls.none_left


def test_6_7_what_has_another_place_now_is_no_longer_in_the_old_one(serve: Given, raw: Given) -> None:
    app = make_app(html.Div([html.Div(id="outer"), html.P()], id="panel"))
    url = serve(app).url
    app.push_mods({"outer": {"children": html.Div(id="inner")}})
    app.push_mods({"inner": {"children": "text"}})
    app.push_mods({"panel": {"children": html.Div(html.Div(id="outer"), id="inner")}})
    assert app.get("outer", "children") is None
    late = raw(url)
    late.hello()
    layout = late.layout()
    assert str(layout).count("'inner'") == str(layout).count("'outer'") == 1
    assert props_of(layout, "inner")["children"]["props"]["id"] == "outer"


def test_6_7_what_is_inside_of_a_component_that_comes_back_is_known_again(serve: Given, raw: Given) -> None:
    app = make_app(html.Div(html.Div(id="box"), id="panel"))
    app.share({"n": ALL}, "value")
    page = raw(serve(app).url).join()
    app.push_mods({"box": {"children": dcc.Input(id={"n": 1}, value=1)}})
    app.push_mods({"panel": {"children": "empty"}})
    assert page.until("nack", n=page.change({"n": 1}, "value", 2))["code"] == "not_found"
    app.push_mods({"panel": {"children": html.Div(id="box")}})
    page.until("ack", n=page.change({"n": 1}, "value", 3))
    assert app.get({"n": 1}, "value") == 3
