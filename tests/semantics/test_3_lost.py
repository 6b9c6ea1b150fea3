"""Section 3.4: a callback whose ALL or ALLSMALLER lost a component runs again, with what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices import Patch
from dash_devices.dependencies import ALL, ALLSMALLER, MATCH, Input, Output, State

from ..support import wait_for, wire_id
from .helpers import Calls, ask_regular, shows
from .tools import make_app, push_and_wait

Given = Callable[..., Any]


def rows(*numbers: int) -> list[dcc.Input]:
    return [dcc.Input(id={"type": "row", "n": n}, value=n) for n in numbers]


def total_app(calls: Calls, *children: Any, **options: Any) -> dash_devices.Dash:
    """A total of all rows; and callbacks that never run by themselves."""
    app = make_app(*children, html.Div(id="total"), html.Div(id="mark"), dcc.Input(id="x"), **options)
    all_rows = Input({"type": "row", "n": ALL}, "value")
    app.callback_shared(Output("total", "children"), all_rows)(
        lambda values: (
            calls((sum(values), dash_devices.ctx.triggered_id, bool(dash_devices.ctx.triggered))) or sum(values)
        )
    )
    app.callback_shared(None, all_rows)(lambda values: calls("none output"))
    app.callback_shared(Output("mark", "title"), all_rows, prevent_initial_call=True)(lambda values: calls("prevented"))
    return app


def again(total: int) -> tuple[int, None, bool]:
    """A call that nothing triggered."""
    return total, None, False


@pytest.mark.fault("F11")
@pytest.mark.parametrize("origin", ["layout", "push"])
@pytest.mark.parametrize("how", ["push", "empty", "patch", "output", "outer", "set_props"])
def test_3_4_a_total_without_a_row_that_is_gone(serve: Given, how: str, origin: str) -> None:
    calls = Calls()
    app = total_app(calls, html.Div(html.Div(rows(1, 2, 3), id="box"), id="panel"))
    app.callback_shared(
        Output("box", "children", allow_duplicate=True), Input("x", "value"), prevent_initial_call=True
    )(lambda value: rows(1, 3))
    app.callback_shared(None, Input("x", "n_blur"))(lambda n: dash_devices.set_props("box", {"children": rows(1, 3)}))
    serve(app)
    assert calls.next() == again(6)
    if origin == "push":
        push_and_wait(app, {"box": {"children": rows(1, 2, 3)}})
    patch = Patch()
    del patch[1]
    mods = {
        "push": {"box": {"children": rows(1, 3)}},
        "empty": {"box": {"children": []}},
        "patch": {"box": {"children": patch}},
        "output": {"x": {"value": 1}},
        "outer": {"panel": {"children": html.Div(rows(1, 3), id="box")}},
        "set_props": {"x": {"n_blur": 1}},
    }
    push_and_wait(app, mods[how])
    assert calls.next() == again(0 if how == "empty" else 4)
    assert app.get("total", "children") == (0 if how == "empty" else 4)
    assert calls.none_left


@pytest.mark.fault("F11")
def test_3_4_only_where_an_output_is_left(serve: Given) -> None:
    calls = Calls()
    app = total_app(calls, html.Div([*rows(1, 2), html.Div(id={"out": 1})], id="box"))
    app.callback_shared(Output({"out": ALL}, "children"), Input({"type": "row", "n": ALL}, "value"), lane="outs")(
        lambda values: calls(("outs", values)) or [0] * len(dash_devices.ctx.outputs_list)
    )
    serve(app)
    assert sorted(map(str, calls.take(2))) == ["('outs', [1, 2])", "(3, None, False)"]
    push_and_wait(app, {"box": {"children": "nothing is left"}})
    assert calls.next() == again(0)
    assert calls.none_left


@pytest.mark.fault("F11")
def test_3_4_what_only_gets_another_place_is_not_lost(serve: Given) -> None:
    calls = Calls()
    app = total_app(calls, html.Div(rows(1, 2), id="here"), html.Div(id="there"))
    serve(app)
    assert calls.next() == again(3)
    for mods in (
        {"here": {"children": rows(1)}, "there": {"children": rows(2)}},
        {"there": {"children": []}, "here": {"children": rows(1, 2)}},
        {"here": {"children": rows(2, 1)}},
    ):
        push_and_wait(app, mods)
    assert calls.none_left
    assert app.get("total", "children") == 3


@pytest.mark.fault("F11")
def test_3_4_with_match_the_row_that_lost_one(serve: Given) -> None:
    """Two cards with items and a sum each."""

    def cards(*items: list[int]) -> list[html.Div]:
        return [
            html.Div(
                [*(dcc.Input(id={"card": n, "item": i}, value=i) for i in each), html.Div(id={"card": n, "sum": ""})]
            )
            for n, each in enumerate(items)
        ]

    calls = Calls()
    app = make_app(html.Div(cards([1, 2], [3, 4]), id="box"))
    app.callback_shared(Output({"card": MATCH, "sum": ""}, "children"), Input({"card": MATCH, "item": ALL}, "value"))(
        lambda values: calls(values)
    )
    serve(app)
    assert sorted(calls.take(2)) == [[1, 2], [3, 4]]
    push_and_wait(app, {"box": {"children": cards([1, 2], [4])}})
    assert calls.next() == [4]
    push_and_wait(app, {"box": {"children": cards([1, 2])}})
    assert calls.none_left, "the sum went, too"


@pytest.mark.fault("F11")
def test_3_4_allsmaller(serve: Given) -> None:
    calls = Calls()
    row = lambda n: html.Div([dcc.Input(id={"t": "in", "n": n}, value=n), html.Div(id={"t": "out", "n": n})])  # noqa: E731
    app = make_app(html.Div([row(n) for n in (1, 2, 3)], id="box"))
    app.callback_shared(Output({"t": "out", "n": MATCH}, "children"), Input({"t": "in", "n": ALLSMALLER}, "value"))(
        lambda v: calls(v) or str(v)
    )
    serve(app)
    assert sorted(calls.take(3)) == [[], [1], [1, 2]]
    push_and_wait(app, {"box": {"children": [row(1), row(3)]}})
    assert calls.next() == [1]
    assert calls.none_left, "the row below is as it was"
    push_and_wait(app, Output({"t": "in", "n": 1}, "value", 7))
    assert calls.next() == [7], "those above it are called, and nobody else"
    assert calls.none_left
    assert app.get({"t": "out", "n": 3}, "children") == "[7]"


@pytest.mark.fault("F11")
def test_3_4_a_callback_that_takes_a_row_away_is_not_called_for_it(serve: Given, raw: Given) -> None:
    """As in Dash: the buttons that delete rows are often inputs of the callback that does it."""
    calls = Calls()
    button = lambda n: html.Button(id={"type": "delete", "n": n})  # noqa: E731
    app = total_app(calls, html.Div([*rows(1, 2), button(1), button(2)], id="box"))

    @app.callback_shared(
        Output("box", "children"), Input({"type": "delete", "n": ALL}, "n_clicks"), State("box", "children")
    )
    def delete(clicks: list[Any], children: list[Any]) -> Any:
        gone = dash_devices.ctx.triggered_id
        calls(("delete", gone and gone["n"]))
        return [one for one in children if gone is None or one["props"]["id"]["n"] != gone["n"]]

    page = raw(serve(app).url).join()
    assert sorted(map(str, calls.take(2))) == ["('delete', None)", "(3, None, False)"]
    page.change({"type": "delete", "n": 1}, "n_clicks", 1)
    assert calls.take(2) == [("delete", 1), again(2)]
    wait_for(lambda: app.get("total", "children") == 2, "the total")
    push_and_wait(app, {"mark": {"children": "end"}})
    assert calls.none_left


@pytest.mark.fault("F11")
def test_3_4_a_page_that_showed_a_row_does_not_keep_it(serve: Given, raw: Given) -> None:
    calls = Calls()
    app = total_app(calls, html.Div(rows(1, 2), id="box"))
    url = serve(app).url
    page = raw(url).join()
    mount = {"type": "mount", "values": [[wire_id({"type": "row", "n": n}), "value", n] for n in (1, 2)]}
    page.send(mount)
    page.request("dependencies")
    assert calls.next() == again(3)
    push_and_wait(app, {"box": {"children": rows(1)}})
    assert calls.next() == again(1)
    page.send(mount)  # it has not heard of that yet
    page.request("dependencies")
    push_and_wait(app, {"box": {"children": rows(1)}})
    assert calls.none_left
    push_and_wait(app, {"box": {"children": rows(1, 2)}})
    assert calls.next() == again(3), "it is back"


@pytest.mark.fault("F11")
def test_3_4_rows_that_one_page_alone_showed(serve: Given, raw: Given) -> None:
    """They go with the page, and come back with it."""
    calls = Calls()
    app = total_app(calls, html.Div(rows(1), id="box"), html.Div(id="own"), leave_after=0)
    app.callback(Output("own", "children"), Input("x", "n_submit"), prevent_initial_call=True)(lambda n: rows(4, 5))
    url = serve(app).url
    page = raw(url).join()
    assert calls.next() == again(1)
    ask_regular(page, "own.children", [("x", "n_submit", 1)])
    assert calls.next() == again(10)
    page.drop()
    assert calls.next() == again(1)
    back = raw(url)
    back.resume(page)
    assert calls.next() == again(10)
    back.close()
    assert calls.next() == again(1)
    assert calls.none_left


@pytest.mark.browser
@pytest.mark.fault("F11")
def test_3_4_a_deleted_row_in_the_page(serve: Given, tab: Given) -> None:
    app = total_app(Calls(), html.Div(rows(1, 2, 3), id="box"), html.Button("delete", id="delete"))

    @app.callback_shared(Output("box", "children"), Input("delete", "n_clicks"), prevent_initial_call=True)
    def delete(n: int) -> Patch:
        patch = Patch()
        del patch[0]
        return patch

    url = serve(app).url
    page, other = tab(url), tab(url)
    for one in (page, other):
        shows(one, "total", "6")
    page.click("#delete")
    for one in (page, other):
        shows(one, "total", "5")
