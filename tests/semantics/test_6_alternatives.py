"""Section 6, results: what else a callback may return."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

from dash_devices import ctx
from dash_devices.dependencies import Input, Output

from ..support import Raw, wait_for, wire_id
from .helpers import ask_regular, dependency, holds, shows
from .tools import make_app, push_and_wait, told


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
