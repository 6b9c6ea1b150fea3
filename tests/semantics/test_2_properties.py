"""Section 2: watched, shown and private properties."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import ALL, ALLSMALLER, MATCH, ctx, dcc, html
from dash_devices.dependencies import Input, Output, State

from ..support import Raw
from .helpers import Calls, holds, props_of, recorder, shows, until_all, watched


def test_2_1_watched(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="given"), dcc.Input(id="b"), dcc.Input(id="c", value="other")])
    app.callback_shared(None, Input("a", "value"))(recorder(calls))
    app.share("b", "value")
    url = serve(app).url
    first, second = raw(url).join(), raw(url).join()
    assert watched(first.welcome["watch"]) == {"a.value", "b.value"}
    assert app.get("a", "value") == "given"
    first.change("a", "value", "one")
    second.until_value("a", "value", "one")
    second.change("b", "value", "two")
    first.until_value("b", "value", "two")
    assert (app.get("a", "value"), app.get("b", "value"), calls.next()) == ("one", "two", "one")
    nack = first.until("nack", n=first.change("c", "value", "refused"))
    assert nack["code"] == "not_found"
    assert app.get("c", "value") == "other"
    newcomer = raw(url)
    newcomer.hello()
    layout = newcomer.layout()
    assert [props_of(layout, id).get("value") for id in "abc"] == ["one", "two", "other"]


def test_2_2_shown(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value="x"), dcc.Input(id="b"), dcc.Input(id="c")])
    app.callback_shared(Output("b", "value"), Input("a", "value"))(lambda value: f"<{value}>")
    url = serve(app).url
    first, second = raw(url).join(), raw(url).join()
    assert watched(first.welcome["watch"]) == {"a.value"}
    app.push_mods({"c": {"value": "pushed"}})
    first.change("a", "value", "y")
    for page in (first, second):
        until_all(page, ("c", "value", "pushed"), ("b", "value", "<y>"))
    for property in ("b", "c"):
        assert first.until("nack", n=first.change(property, "value", "mine"))["code"] == "not_found"
    assert (app.get("b", "value"), app.get("c", "value")) == ("<y>", "pushed")
    newcomer = raw(url)
    newcomer.hello()
    layout = newcomer.layout()
    assert [props_of(layout, id)["value"] for id in "abc"] == ["y", "<y>", "pushed"]


def test_2_2_what_is_typed_into_a_shown_control_is_private(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value="x"), dcc.Input(id="b"), html.Div(id="local")])
    app.callback_shared(Output("b", "value"), Input("a", "value"))(lambda value: f"<{value}>")
    app.callback(Output("local", "children"), Input("b", "value"))(lambda value: value)
    url = serve(app).url
    first, second = tab(url), tab(url)
    holds(first, "b", "<x>")
    first.fill("#b", "mine")
    shows(first, "local", "mine")
    first.fill("#a", "y")
    for page in (first, second):
        holds(page, "b", "<y>")
        shows(page, "local", "<y>")
    first.fill("#b", "mine again")
    shows(first, "local", "mine again")
    second.fill("#a", "z")
    holds(first, "b", "<z>")
    assert app.metrics["changes"] == 2
    assert "changes_refused" not in app.metrics


def test_2_3_state_is_read_from_the_page_of_the_event(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, calls, free = dash_devices.Dash(), Calls(), threading.Event()
    app.layout = html.Div([dcc.Input(id="s", value="layout"), html.Div(id="b"), html.Div(id="c")])

    def first_step(value: Any) -> Any:
        assert free.wait(10)
        return value

    app.callback_shared(Output("b", "children"), Input("a", "value"))(first_step)
    chained = app.callback_shared(
        Output("c", "children"), Input("b", "children"), State("s", "value"), State("t", "value")
    )
    chained(lambda value, s, t: calls((value, s, t)))
    url = serve(app).url
    first, second = raw(url).join(), raw(url).join()
    assert first.welcome["watch"][0]["state"] == [["s", "value"], ["t", "value"]]
    assert calls.next() == (None, "layout", None)
    first.change("a", "value", 1, state=[("s", "value", "of first"), ("t", "value", 11)])
    second.change("a", "value", 2, state=[("s", "value", "of second"), ("t", "value", 22)])
    free.set()
    assert calls.take(2) == [(1, "of first", 11), (2, "of second", 22)]
    second.change("a", "value", 3)  # a page without these components
    assert calls.next() == (3, "layout", None)
    app.push_mods({"s": {"value": "pushed"}})
    second.change("a", "value", 4)
    assert calls.next() == (4, "pushed", None)
    app.push_mods({"a": {"value": 5}})
    assert calls.next() == (5, "pushed", None)


def test_2_3_state_as_it_stood_in_the_page_at_the_event(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app, calls, busy, free = dash_devices.Dash(), Calls(), threading.Event(), threading.Event()
    names = html.Div([dcc.Input(id={"type": "name", "index": n}, value=f"n{n}", className=f"name{n}") for n in (0, 1)])
    app.layout = html.Div([html.Button("go", id="go"), dcc.Input(id="s", value="layout"), names, html.Div(id="b")])

    @app.callback_shared(Output("b", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def go(n: int) -> int:
        busy.set()
        assert free.wait(10)
        return n

    @app.callback_shared(
        None, Input("b", "children"), State("s", "value"), State({"type": "name", "index": ALL}, "value")
    )
    def chained(n: int, s: str, names: list[str]) -> None:
        calls((n, s, names))

    url = serve(app).url
    first, second = tab(url), tab(url)
    first.fill("#s", "typed")
    first.fill(".name1 input", "changed")
    second.fill("#s", "elsewhere")
    first.click("#go")
    assert busy.wait(10)
    first.fill("#s", "too late")
    free.set()
    assert calls.next() == (1, "typed", ["n0", "changed"])
    second.click("#go")
    assert calls.next()[1:] == ("elsewhere", ["n0", "n1"])
    assert calls.none_left


def gain(index: Any, **props: Any) -> dcc.Input:
    return dcc.Input(id={"type": "gain", "index": index}, className=f"gain{index}", **props)


def test_2_4_patterns_in_shared_callbacks(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, triggered = dash_devices.Dash(), Calls()
    pairs = [html.Div([gain(n, value=n), html.Div(id={"type": "db", "index": n})]) for n in range(3)]
    app.layout = html.Div([*pairs, html.Div(id="sum"), html.Div(id="below")])
    every, one = Input({"type": "gain", "index": ALL}, "value"), Input({"type": "gain", "index": MATCH}, "value")

    @app.callback_shared(Output("sum", "children"), every)
    def total(values: list[int]) -> int:
        triggered(ctx.triggered_id)
        return sum(values)

    app.callback_shared(Output({"type": "db", "index": MATCH}, "children"), one)(lambda value: f"{value} dB")
    app.callback_shared(
        Output({"type": "db", "index": MATCH}, "title"), one, Input({"type": "gain", "index": ALLSMALLER}, "value")
    )(lambda value, smaller: f"{value} after {smaller}")
    url = serve(app).url
    page, other = raw(url), raw(url).join()
    page.hello()
    layout = page.layout()
    assert props_of(layout, "sum")["children"] == 3
    dbs = [props_of(layout, {"type": "db", "index": n}) for n in range(3)]
    assert [(db["children"], db["title"]) for db in dbs] == [
        ("0 dB", "0 after []"),
        ("1 dB", "1 after [0]"),
        ("2 dB", "2 after [0, 1]"),
    ]
    assert triggered.next() is None
    page.change({"type": "gain", "index": 1}, "value", 10)
    db1 = {"type": "db", "index": 1}
    for one_page in (page, other):
        until_all(one_page, ("sum", "children", 12), (db1, "children", "10 dB"), (db1, "title", "10 after [0]"))
    assert triggered.next() == {"type": "gain", "index": 1}
    until_all(other, ({"type": "gain", "index": 1}, "value", 10))
    app.push_mods(Output({"type": "gain", "index": 2}, "value", 20))
    until_all(page, ("sum", "children", 30), ({"type": "db", "index": 2}, "title", "20 after [0, 10]"))
    assert app.get({"index": 2, "type": "gain"}, "value") == 20


def test_2_4_all_is_told_of_new_components(serve: Callable[..., Any]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([html.Div([gain(0, value=0)], id="box"), html.Div(id="sum"), html.Div(id="marker")])
    app.callback_shared(Output("sum", "children"), Input({"type": "gain", "index": ALL}, "value"), lane="one")(
        recorder(calls)
    )
    app.callback_shared(None, Input("marker", "children"), lane="one")(recorder(calls))
    serve(app)
    assert calls.next() == [0]
    app.push_mods({"box": {"children": [gain(0, value=0), gain(1, value=1)]}})
    app.push_mods({"marker": {"children": "end"}})
    assert calls.take(2) == [[0, 1], "end"]


def test_2_4_dict_ids_in_the_page(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = dash_devices.Dash()
    pairs = [
        html.Div([gain(n, value=f"{n}"), html.Div(id={"type": "db", "index": n}, className=f"db{n}")]) for n in (0, "b")
    ]
    app.layout = html.Div([*pairs, html.Div(id="all")])
    app.callback_shared(Output("all", "children"), Input({"type": "gain", "index": ALL}, "value"))("+".join)
    one = Input({"index": MATCH, "type": "gain"}, "value")
    app.callback_shared(Output({"type": "db", "index": MATCH}, "children"), one)(lambda value: f"{value} dB")
    url = serve(app).url
    first, second = tab(url), tab(url)
    first.fill(".gain0 input", "7")
    second.fill(".gainb input", "8")
    for page in (first, second):
        shows(page, "all", "7+8")
        page.wait_for_function("() => document.querySelector('.db0').textContent === '7 dB'")
        page.wait_for_function("() => document.querySelector('.dbb').textContent === '8 dB'")
        page.wait_for_function(
            "() => document.querySelector('.gain0 input').value === '7' && document.querySelector('.gainb input').value === '8'"
        )


def test_2_5_persistence_is_dropped(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div(
        [
            dcc.Input(id="a", value="x", persistence=True),
            dcc.Input(id="empty", persistence=True),
            dcc.Input(id="private", value="x", persistence=True),
            html.Div(id="box"),
        ]
    )
    app.callback_shared(None, Input("a", "value"), Input("empty", "value"), Input("late", "value"))(
        lambda *values: None
    )
    url = serve(app).url
    for page in (raw(url), raw(url)):
        page.hello()
        layout = page.layout()
        assert not props_of(layout, "a").get("persistence")
        assert not props_of(layout, "empty").get("persistence")
        assert props_of(layout, "private")["persistence"] is True
    for id in ("a", "empty"):
        warned = [record for record in caplog.records if record.message.startswith(f"{id}: persistence")]
        assert len(warned) == 1


def test_2_5_persisted_values_of_the_browser_do_not_return(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = dash_devices.Dash()
    app.layout = lambda: html.Div(
        [dcc.Input(id="a", value="given", persistence=True), dcc.Input(id="b", value="", persistence=True)]
    )
    app.share("a", "value")
    url = serve(app).url
    page = tab(url)
    page.fill("#b", "kept by the browser")
    page.fill("#a", "mine")
    page.wait_for_function("() => dash_devices.unacked === 0")
    app.push_mods({"a": {"value": "the server's"}})
    holds(page, "a", "the server's")
    page.reload()
    holds(page, "b", "kept by the browser")
    holds(page, "a", "the server's")
    assert app.get("a", "value") == "the server's"


@pytest.mark.parametrize(
    ("id", "property", "instead"),
    [("clock", "n_intervals", "push_mods"), ("url", "pathname", "regular"), ("url", "search", "regular")],
)
def test_2_5_inputs_that_differ_from_page_to_page(id: str, property: str, instead: str) -> None:
    app = dash_devices.Dash()
    with pytest.warns(UserWarning, match=rf"{id}\.{property}.*{instead}"):
        app.callback_shared(Output("a", "children"), Input(id, property))(lambda value: value)
