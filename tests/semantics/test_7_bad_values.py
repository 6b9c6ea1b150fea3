"""Section 7, push_mods: values without a JSON form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

from dash_devices.dependencies import Input, Output

from ..support import Raw
from .tools import make_app, push_and_wait, told


# ---- 7.7 ---------------------------------------------------------------------------------------------------------------
class Strange:
    """Nothing that JSON knows."""


UNSERIALIZABLE = {
    "object": (Strange(), "Strange"),
    "nested": ({"rows": [1, Strange()]}, "dict"),
    "in a component": (html.Div(Strange()), "Div"),
    "set": ({1, 2}, "set"),
    "bytes": (b"bytes", "bytes"),
    "lone surrogate": ("\ud800", "str"),
}


@pytest.mark.parametrize("name", UNSERIALIZABLE)
@pytest.mark.parametrize("to", ["all", "one"])
def test_7_7_a_value_that_cannot_be_serialised(
    serve: Callable[..., Any], raw: Callable[..., Raw], name: str, to: str
) -> None:
    value, kind = UNSERIALIZABLE[name]
    app = make_app(html.Div(id="a"), html.Div(id="b"))
    page = raw(serve(app).url).join()
    before = app.metrics["seq"]
    client = None if to == "all" else app.clients[0]
    with pytest.raises(TypeError, match=rf"b\.title.*{kind}"):
        app.push_mods({"a": {"title": "good"}, "b": {"title": value}}, client=client)
    with pytest.raises(TypeError, match=rf"b\.title.*{kind}"):
        asyncio.run(app.push_mods_coro({"a": {"title": "good"}, "b": {"title": value}}, client=client))
    assert app.metrics["seq"] == before
    assert app.get("a", "title") is None
    assert told(app, page) == [], "nothing is sent, and the page is still there"


def test_7_7_round_and_round_is_an_error_too() -> None:
    app = make_app(html.Div(id="a"))
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TypeError, match=r"a\.title.*list"):
        app.push_mods({"a": {"title": value}})


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_7_7_not_a_number_becomes_null(serve: Callable[..., Any], raw: Callable[..., Raw], bad: float) -> None:
    app = make_app(html.Div(id="a"))
    page = raw(serve(app).url).join()
    app.push_mods([Output("a", "title", bad), Output("a", "lang", [{"x": bad}]), Output("a", "dir", {1: bad})])
    assert told(app, page) == [["a", "title", None], ["a", "lang", [{"x": None}]], ["a", "dir", {"1": None}]]


def test_7_7_in_a_result_it_is_logged_and_harms_nothing(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(dcc.Input(id="x"), html.Div(id="a"), html.Div(id="b"))

    @app.callback_shared(Output("a", "title"), Output("b", "title"), Input("x", "value"), prevent_initial_call=True)
    def result(x: Any) -> Any:
        return x, Strange() if x == "bad" else x

    page = raw(serve(app).url).join()
    push_and_wait(app, {"x": {"value": "bad"}})
    assert any("b.title" in line and "Strange" in line for line in caplog.messages)
    push_and_wait(app, {"x": {"value": "good"}})
    assert [t for t in told(app, page) if t[0] != "x"] == [["a", "title", "good"], ["b", "title", "good"]]


@pytest.mark.parametrize("to", ["all", "one"])
def test_7_7_a_value_too_large_for_the_pages_is_the_authors_error(
    serve: Callable[..., Any], raw: Callable[..., Raw], to: str
) -> None:
    app = make_app(html.Div(id="a"), max_value=1_000)
    page = raw(serve(app).url).join()
    client = None if to == "all" else app.clients[0]
    app.push_mods({"a": {"title": "x" * 998}}, client=client)
    page.until_value("a", "title", "x" * 998)
    with pytest.raises(TypeError, match=r"a\.title: expected at most .*max_value"):
        app.push_mods({"a": {"title": "x" * 999}}, client=client)
    assert [len(value) for _, _, value in told(app, page)] == [998], "nothing more is sent, and the page is still there"


def test_7_7_a_result_too_large_costs_its_own_output_only(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(dcc.Input(id="n"), html.Div(id="a"), html.Div(id="b"), max_value=1_000)
    app.callback_shared(Output("a", "title"), [Input("n", "value")])(lambda n: "x" * int(n or 0))
    app.callback_shared(Output("b", "title"), [Input("n", "value")])(lambda n: n)
    page = raw(serve(app).url).join()
    page.change("n", "value", "2000")
    page.until_value("b", "title", "2000")
    page.change("n", "value", "10")
    page.until_value("a", "title", "x" * 10)
    assert "a.title: expected at most" in caplog.text
