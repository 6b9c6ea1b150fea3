"""Section 5, lanes: callbacks that push into lanes, and chains that go round."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

from dash_devices.dependencies import Input, Output

from ..support import TIMEOUT, Raw, wait_for
from .tools import make_app, push_and_wait


# ---- 5.5 ---------------------------------------------------------------------------------------------------------------
def test_5_5_a_push_into_its_own_input_is_queued_behind(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, log = make_app(dcc.Input(id="x")), []

    @app.callback_shared(None, Input("x", "value"))
    def count(value: int) -> None:
        log.append(("begin", value))
        if value < 3:
            app.push_mods({"x": {"value": value + 1}})
        app.push_mods({"x": {"value": app.get("x", "value")}})  # changes nothing
        log.append(("end", value))

    page = raw(serve(app).url).join()
    page.change("x", "value", 1)
    page.until_value("x", "value", 3)
    push_and_wait(app, {"x": {"value": 9}})
    assert log == [(what, value) for value in (1, 2, 3, 9) for what in ("begin", "end")]


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_5_5_it_may_wait_for_a_push_into_its_own_lane(
    serve: Callable[..., Any], raw: Callable[..., Raw], kind: str
) -> None:
    app, ran = make_app(dcc.Input(id="x"), html.Div(id="y"), html.Div(id="z")), []

    async def wait(value: int) -> int:
        if value < 3:
            await app.push_mods_coro({"x": {"value": value + 1}, "y": {"children": value}})
            assert value in ran, "it did not wait for the other lane"
        return value

    def wait_sync(value: int) -> int:
        return asyncio.run(wait(value))

    app.callback_shared(Output("z", "children"), Input("x", "value"), prevent_initial_call=True)(
        wait if kind == "async" else wait_sync
    )
    app.callback_shared(None, Input("y", "children"))(ran.append)
    raw(serve(app).url).join()
    push_and_wait(app, {"x": {"value": 1}})
    wait_for(lambda: app.get("z", "children") == 3, "the last call")
    assert ran == [1, 2]


def test_5_5_two_lanes_may_wait_for_each_other(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, done = make_app(dcc.Input(id="a"), dcc.Input(id="b")), []
    both = threading.Barrier(2, timeout=TIMEOUT)

    def register(own: str, other: str) -> None:
        def wait(value: str) -> None:
            if value == "start":
                both.wait()
                asyncio.run(app.push_mods_coro({other: {"value": f"from {own}"}}))
            done.append((own, value))

        app.callback_shared(None, Input(own, "value"))(wait)

    register("a", "b")
    register("b", "a")
    raw(serve(app).url).join()
    app.push_mods({"a": {"value": "start"}})
    app.push_mods({"b": {"value": "start"}})
    wait_for(lambda: len(done) == 4, "all four calls", 5)


def test_5_5_a_serialized_callback_may_wait_for_a_push_into_its_lane(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app, seen = make_app(dcc.Input(id="x"), dcc.Input(id="z")), []
    app.callback_shared(None, Input("x", "value"), lane="camera")(seen.append)

    @app.callback_s2(Output("z", "value"), Input("z", "n_submit"), lane="camera", prevent_initial_call=True)
    async def snap(n: int) -> str:
        await app.push_mods_coro({"x": {"value": n}})
        return "done"

    page = raw(serve(app).url, timeout=5).join()
    press = {"id": "z", "property": "n_submit", "value": 1}
    body = {"output": "z.value", "outputs": {"id": "z", "property": "value"}, "inputs": [press]}
    assert page.request("callback", {**body, "changedPropIds": ["z.n_submit"]})["status"] == 200
    wait_for(lambda: seen == [1], "the pushed call")


# ---- 5.6 ---------------------------------------------------------------------------------------------------------------
def test_5_6_an_ancestor_runs_again_only_if_a_value_really_changed(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app, calls = make_app(dcc.Input(id="celsius"), dcc.Input(id="fahrenheit")), []

    @app.callback_shared(Output("fahrenheit", "value"), Input("celsius", "value"), prevent_initial_call=True)
    def to_fahrenheit(value: float) -> float:
        calls.append(("c", value))
        return round(value * 9 / 5 + 32)

    @app.callback_shared(Output("celsius", "value"), Input("fahrenheit", "value"), prevent_initial_call=True)
    async def to_celsius(value: float) -> int:
        calls.append(("f", value))
        return round((value - 32) * 5 / 9)

    raw(serve(app).url).join()
    push_and_wait(app, {"celsius": {"value": 20.3}})
    assert calls == [("c", 20.3), ("f", 69), ("c", 21), ("f", 70)]
    assert (app.get("celsius", "value"), app.get("fahrenheit", "value")) == (21, 70)


def test_5_6_an_endless_loop_is_cut_and_named(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app, calls = make_app(dcc.Input(id="a"), dcc.Input(id="b")), []

    @app.callback_shared(Output("b", "value"), Input("a", "value"), prevent_initial_call=True)
    def ping(value: int) -> int:
        calls.append(value)
        return value + 1

    @app.callback_shared(Output("a", "value"), Input("b", "value"), prevent_initial_call=True)
    def pong(value: int) -> int:
        calls.append(value)
        return value + 1

    raw(serve(app).url).join()
    push_and_wait(app, {"a": {"value": 0}})
    assert calls == list(range(100))
    loops = [line for line in caplog.messages if "ping -> " in line and "pong" in line]
    assert len(loops) == 1
    push_and_wait(app, {"a": {"value": 1000}})
    assert len(calls) == 200, "a cut loop must not hold what comes later"


def test_5_6_self_loops_work(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, calls = make_app(dcc.Slider(0, 500, value=7, id="x")), []

    @app.callback_shared(Output("x", "value"), Input("x", "value"))
    def clamp(value: int) -> int:
        calls.append(value)
        return min(value, 100)

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.change("x", "value", 150)
    page.until_value("x", "value", 100)
    other.until_value("x", "value", 100)
    push_and_wait(app, {"x": {"value": 50}})
    assert calls == [7, 150, 100, 50]


def test_5_6_a_loop_through_a_push_is_cut_too(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    app, calls = make_app(dcc.Input(id="a")), []

    @app.callback_shared(None, Input("a", "value"))
    def runaway(value: int) -> None:
        calls.append(value)
        app.push_mods({"a": {"value": value + 1}})

    raw(serve(app).url).join()
    push_and_wait(app, {"a": {"value": 0}})
    assert calls == list(range(100))
    assert any("runaway" in line for line in caplog.messages)
