"""What an author's function may do to its lane and to the values it was given."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html
from dash.exceptions import PreventUpdate

import dash_devices
from dash_devices.dependencies import ALLSMALLER, MATCH, Input, Output, State

from ..semantics.helpers import Calls, ask_regular
from ..support import TIMEOUT, Raw, wait_for

Serve = Callable[..., Any]
Open = Callable[..., Raw]


def make_app(*children: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div([html.Button(id="go", n_clicks=0), html.Div(id="out"), *children])
    return app


def start(serve: Serve, app: dash_devices.Dash) -> Any:
    """The port answers a moment before the server runs, and what is pushed before that only sets the initial state."""
    server = serve(app)
    wait_for(lambda: app._engine.running, "the server runs")
    return server


def test_a_callback_that_changes_its_arguments_changes_nobody_elses(serve: Serve, raw: Open) -> None:
    app = make_app(dcc.Store(id="rows", data=[1]))
    app.share("rows", "data")

    @app.callback_shared(None, Input("go", "n_clicks"), State("rows", "data"))
    def spoil(n: int, rows: list[int]) -> None:
        rows.append(n)
        raise PreventUpdate

    start(serve, app)
    asyncio.run(app.push_mods_coro({"go": {"n_clicks": 1}}))
    assert app.get("rows", "data") == [1]
    app.get("rows", "data").append(9)
    assert app.get("rows", "data") == [1]


def test_calls_that_wait_keep_the_values_they_were_queued_with(serve: Serve) -> None:
    app, calls, gate = make_app(dcc.Store(id="rows", data=[])), Calls(), threading.Event()

    @app.callback_shared(None, Input("go", "n_clicks"), State("rows", "data"))
    def add(n: int, rows: list[int]) -> None:
        gate.wait(TIMEOUT)
        rows.append(n)
        calls(rows)

    start(serve, app)
    for n in (1, 2):
        app.push_mods({"go": {"n_clicks": n}})
    gate.set()
    assert calls.take(2) == [[1], [2]]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_no_error_stops_a_lane(serve: Serve, error: type[BaseException]) -> None:
    app, calls = make_app(), Calls()

    @app.callback_shared(None, Input("go", "n_clicks"))
    def fail(n: int) -> None:
        calls(n)
        raise error

    start(serve, app)
    for n in (1, 2, 3):
        app.push_mods({"go": {"n_clicks": n}})
    assert calls.take(3) == [1, 2, 3]
    wait_for(lambda: app.metrics.get("call_errors") == 3, "three errors are counted")


def test_a_coroutine_that_waited_for_something_cancelled_is_an_error(serve: Serve) -> None:
    app, calls = make_app(html.Div(id="busy")), Calls()

    @app.callback_shared(None, Input("go", "n_clicks"), running=(Output("busy", "children"), "yes", "no"))
    async def wait(n: int) -> None:
        calls(n)
        task = asyncio.ensure_future(asyncio.sleep(TIMEOUT))
        task.cancel()
        await task

    start(serve, app)
    app.push_mods({"go": {"n_clicks": 1}})
    app.push_mods({"go": {"n_clicks": 2}})
    assert calls.take(2) == [1, 2]
    wait_for(lambda: app.metrics.get("call_errors") == 2, "both errors are counted")
    assert app.get("busy", "children") == "no"


def test_sys_exit_in_a_coroutine_does_not_end_the_server(serve: Serve) -> None:
    app, calls = make_app(), Calls()

    @app.callback_shared(None, Input("go", "n_clicks"))
    async def leave(n: int) -> None:
        calls(n)
        sys.exit(3)

    start(serve, app)
    app.push_mods({"go": {"n_clicks": 1}})
    app.push_mods({"go": {"n_clicks": 2}})
    assert calls.take(2) == [1, 2]
    wait_for(lambda: app.metrics.get("call_errors") == 2, "both errors are counted")


def test_a_running_value_without_a_json_form_is_an_error_of_its_callback_only(serve: Serve) -> None:
    app, calls = make_app(html.Div(id="busy")), Calls()

    @app.callback_shared(
        None, Input("go", "n_clicks"), running=(Output("busy", "children"), "yes", object()), lane="one"
    )
    def work(n: int) -> None:
        calls(n)

    start(serve, app)
    for n in (1, 2):
        app.push_mods({"go": {"n_clicks": n}})
    assert calls.take(2) == [1, 2]
    wait_for(lambda: app.metrics.get("call_errors") == 2, "both errors are counted")


def test_a_lane_goes_on_when_the_loop_of_who_waited_for_it_is_closed(serve: Serve) -> None:
    app, calls, gate = make_app(), Calls(), threading.Event()

    @app.callback_shared(None, Input("go", "n_clicks"))
    def slow(n: int) -> None:
        calls(n)
        gate.wait(TIMEOUT)

    start(serve, app)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(app.push_mods_coro({"go": {"n_clicks": 1}}), 0.05))
    app.push_mods({"go": {"n_clicks": 2}})
    gate.set()
    assert calls.take(2) == [1, 2]


def test_state_with_allsmaller_is_what_is_smaller(serve: Serve, raw: Open) -> None:
    calls = Calls()
    rows = [dcc.Input(id={"type": "row", "index": i}, value=f"row {i}") for i in range(4)]
    app = make_app(*rows, *[html.Button(id={"type": "go", "index": i}) for i in range(4)])

    @app.callback_shared(
        None, Input({"type": "go", "index": MATCH}, "n_clicks"), State({"type": "row", "index": ALLSMALLER}, "value")
    )
    def sums(n: int, smaller: list[str]) -> None:
        calls(smaller)

    server = start(serve, app)
    page = raw(server.url).join()
    state = [({"type": "row", "index": i}, "value", f"page {i}") for i in range(4)]
    page.change({"type": "go", "index": 2}, "n_clicks", 1, state)
    assert calls.next() == ["page 0", "page 1"]


ERRORS = [StopIteration, SystemExit, KeyboardInterrupt, asyncio.CancelledError]


@pytest.mark.parametrize("error", ERRORS)
def test_no_error_leaves_a_request_unanswered(serve: Serve, raw: Open, error: type[BaseException]) -> None:
    app = make_app()

    @app.callback(Output("out", "children"), Input("go", "n_clicks"))
    def fail(n: int) -> None:
        raise error

    @app.callback(Output("out", "title"), Input("go", "n_clicks"))
    async def fail_async(n: int) -> None:
        raise RuntimeError if error is StopIteration else error

    @app.callback_s2(Output("out", "className"), Input("go", "n_clicks"))
    async def fail_serialized(n: int) -> None:
        raise RuntimeError if error is StopIteration else error

    page = raw(start(serve, app).url).join()
    for property in ("children", "title", "className"):
        assert ask_regular(page, f"out.{property}", [("go", "n_clicks", 1)])["status"] == 500
