"""Section 5, lanes: nobody waits for somebody else's hardware."""

from __future__ import annotations

import queue
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

from dash_devices import lanes, threads
from dash_devices.dependencies import Input, Output

from ..support import TIMEOUT, Raw, wait_for
from .tools import Gate, make_app, push_and_wait


@pytest.fixture
def gate() -> Any:
    with Gate() as gate:
        yield gate


# ---- 5.4 ---------------------------------------------------------------------------------------------------------------
def test_5_4_slow_callbacks_delay_nothing_else(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    many = 100
    app = make_app(*(dcc.Input(id=f"slow{i}") for i in range(many)), dcc.Input(id="quick"), html.Div(id="out"))
    gates = [Gate() for _ in range(many)]
    for i, gate in enumerate(gates):
        app.callback_shared(None, Input(f"slow{i}", "value"))(gate)

    @app.callback_shared(Output("out", "title"), Input("quick", "value"))
    def quick(value: Any) -> Any:
        return value

    @app.callback_shared(Output("out", "lang"), Input("quick", "value"))
    async def quick_async(value: Any) -> Any:
        return value

    @app.callback(Output("out", "children"), Input("out", "n_clicks"), prevent_initial_call=True)
    def regular(value: Any) -> Any:
        return value

    server = serve(app)
    page = raw(server.url).join()
    page.changes([f"slow{i}", "value", i] for i in range(many))
    for gate in gates:
        assert gate.entered.wait(TIMEOUT), "a lane waits for another one"
    try:
        page.change("quick", "value", "now")
        wait_for(lambda: app.get("out", "title") == app.get("out", "lang") == "now", "the other lanes")
        app.push_mods({"out": {"className": "pushed"}})
        page.until_value("out", "className", "pushed")
        click = {"id": "out", "property": "n_clicks", "value": 1}
        body = {"output": "out.children", "outputs": {"id": "out", "property": "children"}, "inputs": [click]}
        assert page.request("callback", {**body, "changedPropIds": ["out.n_clicks"]})["status"] == 200
        assert raw(server.url).join().seq > 0
        with urllib.request.urlopen(server.url, timeout=TIMEOUT) as answer:
            assert answer.status == 200
    finally:
        for gate in gates:
            gate.open.set()


def test_5_4_threads_come_as_needed_up_to_a_bound() -> None:
    pool, gates = threads.Threads(limit=3), [Gate() for _ in range(4)]
    for number, gate in enumerate(gates):
        pool.submit(lambda gate=gate, number=number: gate(number))
    for gate in gates[:3]:
        assert gate.entered.wait(TIMEOUT)
    assert not gates[3].entered.is_set()
    for gate in gates:
        gate.open.set()
    assert gates[3].entered.wait(TIMEOUT)
    assert threads.MAX_THREADS == 256


def test_5_4_a_thread_that_is_about_to_begin_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Gate(), Gate()

    class Handing(queue.SimpleQueue[Any]):
        """Hands the first work to its thread in the very moment in which more is submitted."""

        def get(self, *args: Any, **kwargs: Any) -> Any:
            work = super().get(*args, **kwargs)
            if not second.calls and not first.entered.is_set():
                pool.submit(lambda: second("second"))
            return work

    monkeypatch.setattr(threads, "queue", type("Queues", (), {"SimpleQueue": Handing, "Empty": queue.Empty}))
    pool = threads.Threads()
    pool.submit(lambda: first("first"))
    with first, second:
        assert first.entered.wait(TIMEOUT)
        assert second.entered.wait(TIMEOUT), "it waits behind the first one"


def test_5_4_a_long_call_is_named_in_the_log(
    serve: Callable[..., Any],
    raw: Callable[..., Raw],
    gate: Gate,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lanes.SLOW_SECONDS == 10
    monkeypatch.setattr(lanes, "SLOW_SECONDS", 0)
    app = make_app(dcc.Input(id="x"))
    gate.__dict__["__qualname__"] = "move_motor"
    app.callback_shared(None, Input("x", "value"))(gate)
    raw(serve(app).url).join()
    app.push_mods({"x": {"value": 1}})
    named = lambda: [line for line in caplog.messages if "move_motor" in line and "running" in line]  # noqa: E731
    wait_for(named, "a log line that names the callback")


def test_5_4_max_age_drops_a_call_that_waited_too_long(
    serve: Callable[..., Any],
    raw: Callable[..., Raw],
    gate: Gate,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(lanes, "time", type("Clock", (), {"monotonic": staticmethod(lambda: clock[0])}))
    app, moved = make_app(dcc.Input(id="x"), dcc.Input(id="y")), []

    def move_motor(value: Any) -> None:
        moved.append(value)

    app.callback_shared(None, Input("x", "value"), lane="motor")(gate)
    app.callback_shared(None, Input("y", "value"), lane="motor", max_age=2)(move_motor)
    raw(serve(app).url).join()
    app.push_mods({"x": {"value": 1}})
    assert gate.entered.wait(TIMEOUT)
    app.push_mods({"y": {"value": "old"}})
    clock[0] += 1.5
    app.push_mods({"y": {"value": "young"}})
    clock[0] += 1
    gate.open.set()
    push_and_wait(app, {"y": {"value": "new"}})
    assert moved == ["young", "new"]
    assert any("move_motor" in line and "max_age" in line for line in caplog.messages)
