"""The client of ``examples/python_client.py`` between the swarm's pages: it survives the same faults, and misses nothing."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from ..support import ServerThread
from .proxy import Proxy
from .swarm import until

EXAMPLE = Path(__file__).parents[2] / "examples" / "python_client.py"
Serve = Callable[..., ServerThread]


@pytest.fixture
def client_class() -> Any:
    """The example's `Client`."""
    spec = importlib.util.spec_from_file_location("python_client", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Client


def make_app(calls: list[Any]) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div(id="shown")])

    @app.callback_shared(Output("shown", "children"), [Input("a", "value")], prevent_initial_call=True)
    def run(value: str) -> str:
        calls.append(value)
        return value

    return app


def run_beside(server: ServerThread, make: Any, story: Callable[[Any, Proxy], Coroutine[Any, Any, None]]) -> None:
    """Run a story with a client that reaches the server through a line with faults."""

    async def all_of_it() -> None:
        async with Proxy(server.port) as proxy:
            client = make(f"ws://127.0.0.1:{proxy.port}/_dash-devices/socket")
            task = asyncio.get_running_loop().create_task(client.run())
            try:
                await asyncio.wait_for(client.ready.wait(), 10)
                await story(client, proxy)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(all_of_it())


def test_it_follows_and_changes(serve: Serve, client_class: Any) -> None:
    calls: list[Any] = []
    app = make_app(calls)

    async def story(client: Any, proxy: Proxy) -> None:
        assert client.get("a", "value") == "0"
        await client.change("a", "value", "mine")
        assert client.get("a", "value") == "mine"
        await until(lambda: client.get("shown", "children") == "mine", 5)
        await asyncio.to_thread(app.push_mods, {"a": {"value": "theirs"}})
        await until(lambda: client.get("a", "value") == "theirs", 5)
        assert calls == ["mine", "theirs"]

    run_beside(serve(app), client_class, story)


def test_it_loses_nothing_while_its_line_breaks(serve: Serve, client_class: Any) -> None:
    calls: list[Any] = []
    app = make_app(calls)

    async def story(client: Any, proxy: Proxy) -> None:
        for number in range(300):
            await client.change("a", "value", f"{number}")
            if number % 60 == 30:
                proxy.cut()  # with changes on their way, and answers
            await asyncio.sleep(0)
        await until(lambda: not client.pending and len(calls) >= 300, 30)
        await until(lambda: client.get("shown", "children") == "299", 5)
        assert calls == [f"{number}" for number in range(300)]

    run_beside(serve(app), client_class, story)


def test_it_answers_for_what_it_holds(serve: Serve, client_class: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app([])
    monkeypatch.setattr("dash_devices.vitals.CHECK_EVERY", 1)  # every ping but the first asks for the hash
    monkeypatch.setattr("dash_devices.vitals.PING_SECONDS", 1)

    async def checked(times: int) -> None:
        wanted = app.metrics["heartbeats"] + times
        await until(lambda: app.metrics["heartbeats"] >= wanted, 10)

    async def story(client: Any, proxy: Proxy) -> None:
        await client.change("a", "value", "mine")
        await asyncio.to_thread(app.push_mods, {"shown": {"children": "theirs"}})
        await checked(3)
        assert not app.metrics.get("divergences", 0)
        client.held["a", "value"] = (client.held["a", "value"][0] - 1, "what nobody sent")
        await until(lambda: app.metrics.get("divergences", 0), 10)
        await until(lambda: client.get("a", "value") == "mine", 10)
        assert client.line.close_code is None

    run_beside(serve(app), client_class, story)
