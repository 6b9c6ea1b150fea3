"""Section 5, lanes: one call at a time, in order, and nobody waits for somebody else's hardware."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices import lanes, threads
from dash_devices.dependencies import Input, Output
from dash_devices.services import Services

from ..support import TIMEOUT, Raw, wait_for


def make_app(*children: Any, **options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div(list(children))
    return app


def push_and_wait(app: dash_devices.Dash, mods: Any) -> None:
    """Push from this thread; returns when all calls that it caused have run."""
    asyncio.run(asyncio.wait_for(app.push_mods_coro(mods), TIMEOUT))


class Device:
    """Something that must not be entered twice; notes what it was told and how often two calls met in it."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.met = 0
        self._inside = 0

    def begin(self, value: Any) -> None:
        self._inside += 1
        self.met += self._inside > 1
        self.told.append(value)

    def end(self) -> None:
        self._inside -= 1

    def use(self, value: Any) -> Any:
        self.begin(value)
        time.sleep(0.001)  # work
        self.end()
        return value

    async def use_async(self, value: Any) -> Any:
        self.begin(value)
        await asyncio.sleep(0.001)  # work
        self.end()
        return value


class Gate:
    """A callback that stands still until it is let go."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, value: Any) -> None:
        self.calls.append(value)
        self.entered.set()
        if not self.open.wait(TIMEOUT):
            raise TimeoutError("the gate was never opened")

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *error: object) -> None:
        self.open.set()


@pytest.fixture
def gate() -> Any:
    with Gate() as gate:
        yield gate


# ---- 5.1 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["use", "use_async"])
def test_5_1_ordered_steps_are_ordered_calls(serve: Callable[..., Any], raw: Callable[..., Raw], kind: str) -> None:
    app, device = make_app(dcc.Slider(0, 100, value=-1, id="x"), html.Div(id="y")), Device()
    app.callback_shared(Output("y", "children"), Input("x", "value"))(getattr(device, kind))
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    for step in range(60):
        page.change("x", "value", step)
    other.until_value("y", "children", 59)
    page.until_value("y", "children", 59)
    assert device.told == [-1, *range(60)]
    assert device.met == 0
    assert app.get("y", "children") == 59


@pytest.mark.parametrize("kind", ["use", "use_async"])
def test_5_1_one_lane_over_all_clients(serve: Callable[..., Any], raw: Callable[..., Raw], kind: str) -> None:
    app, device = make_app(dcc.Input(id="x")), Device()
    app.callback_shared(None, Input("x", "value"))(getattr(device, kind))
    url = serve(app).url
    pages = [raw(url).join() for _ in range(3)]
    for step in range(20):
        for who, page in enumerate(pages):
            page.change("x", "value", [who, step])
    wait_for(lambda: len(device.told) == 60, "60 calls")
    assert device.met == 0
    for who in range(3):
        assert [step for other, step in device.told if other == who] == list(range(20))


def test_5_1_a_named_lane_joins_callbacks(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, device = make_app(dcc.Input(id="x"), dcc.Input(id="y"), dcc.Input(id="z")), Device()
    app.callback_shared(None, Input("x", "value"), lane="camera")(device.use)
    app.callback_shared(None, Input("y", "value"), lane="camera")(device.use_async)
    app.callback_s2(Output("z", "value"), Input("z", "n_submit"), lane="camera", prevent_initial_call=True)(device.use)
    page = raw(serve(app).url).join()
    wanted = []
    for step in range(20):
        for id in ("x", "y"):
            page.change(id, "value", f"{id}{step}")
            wanted.append(f"{id}{step}")
    press = {"id": "z", "property": "n_submit", "value": "s2"}
    body = {"output": "z.value", "outputs": {"id": "z", "property": "value"}, "inputs": [press]}
    assert page.request("callback", {**body, "changedPropIds": ["z.n_submit"]})["status"] == 200
    assert device.told == [*wanted, "s2"]
    assert device.met == 0


# ---- 5.2 ---------------------------------------------------------------------------------------------------------------
def test_5_2_every_change_is_delivered(serve: Callable[..., Any], raw: Callable[..., Raw], gate: Gate) -> None:
    app = make_app(dcc.Input(id="x"))
    app.callback_shared(None, Input("x", "value"))(gate)
    page = raw(serve(app).url).join()
    for step in range(200):
        page.change("x", "value", step)
    page.until("ack", n=200)
    gate.open.set()
    wait_for(lambda: len(gate.calls) == 200, "200 calls")
    assert gate.calls == list(range(200))


@pytest.mark.parametrize("option", [{"most_recent": True}, {"service": Services.SHARED_MOST_RECENT}])
def test_5_2_most_recent_keeps_one_waiting_call(
    serve: Callable[..., Any], raw: Callable[..., Raw], gate: Gate, option: dict[str, Any]
) -> None:
    app, calls = make_app(dcc.Input(id="x"), dcc.Input(id="y"), dcc.Input(id="z")), []

    def newest(x: Any, y: Any, z: Any) -> None:
        calls.append((x, y, z, set(dash_devices.ctx.triggered_prop_ids)))
        gate((x, y, z))

    app.callback_shared(None, Input("x", "value"), Input("y", "value"), Input("z", "value"), **option)(newest)
    page = raw(serve(app).url).join()
    page.change("x", "value", "first")
    assert gate.entered.wait(TIMEOUT)
    for step in range(50):
        last = page.change("x" if step % 2 else "y", "value", step)
    page.until("ack", n=last)
    gate.open.set()
    wait_for(lambda: len(calls) == 2, "the newest call")
    push_and_wait(app, {"z": {"value": "end"}})
    assert calls == [
        ("first", None, None, {"x.value"}),
        (49, 48, None, {"x.value", "y.value"}),
        (49, 48, "end", {"z.value"}),
    ]


# ---- 5.3 ---------------------------------------------------------------------------------------------------------------
def test_5_3_a_full_lane_refuses_changes(
    serve: Callable[..., Any], raw: Callable[..., Raw], gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    app, others = make_app(dcc.Input(id="x"), dcc.Input(id="y"), lane_capacity=3), []
    gate.__dict__["__qualname__"] = "move_motor"
    app.callback_shared(None, Input("x", "value"))(gate)
    app.callback_shared(None, Input("y", "value"))(others.append)
    page = raw(serve(app).url).join()
    page.change("x", "value", 0)
    assert gate.entered.wait(TIMEOUT)
    for step in (1, 2, 3):
        page.change("x", "value", step)
    n = page.change("x", "value", 4)
    refused = page.until("nack", n=n)
    assert refused["code"] == "busy"
    assert refused["values"] == [["x", "value", 3]]
    assert "move_motor" in refused["message"]
    assert any("move_motor" in line and "most_recent" in line for line in caplog.messages)
    page.until("ack", n=page.change("y", "value", "the socket is not held back"))
    wait_for(lambda: others, "the other lane")
    gate.open.set()
    wait_for(lambda: len(gate.calls) == 4, "the calls that were accepted")
    page.until("ack", n=page.change("x", "value", 5))
    wait_for(lambda: len(gate.calls) == 5, "one more")
    assert gate.calls == [0, 1, 2, 3, 5]


def test_5_3_a_full_lane_takes_the_newest_most_recent(
    serve: Callable[..., Any], raw: Callable[..., Raw], gate: Gate
) -> None:
    app = make_app(dcc.Input(id="x"), lane_capacity=1)
    app.callback_shared(None, Input("x", "value"), most_recent=True)(gate)
    page = raw(serve(app).url).join()
    page.change("x", "value", 0)
    assert gate.entered.wait(TIMEOUT)
    for step in range(1, 10):
        page.change("x", "value", step)
    page.until("ack", n=10)
    gate.open.set()
    wait_for(lambda: len(gate.calls) == 2, "the newest")
    assert gate.calls == [0, 9]


def test_5_3_the_log_names_what_a_push_finds_full(
    serve: Callable[..., Any], raw: Callable[..., Raw], gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(dcc.Input(id="x"), lane_capacity=1)
    gate.__dict__["__qualname__"] = "move_motor"
    app.callback_shared(None, Input("x", "value"))(gate)
    raw(serve(app).url).join()
    for step in range(3):
        app.push_mods({"x": {"value": step}})
        assert gate.entered.wait(TIMEOUT)
    assert any("move_motor" in line and "most_recent" in line for line in caplog.messages)
    assert app.get("x", "value") == 2


def test_5_3_a_lane_holds_ten_thousand_calls() -> None:
    assert dash_devices.Dash(__name__)._engine.lanes.capacity == 10_000


@pytest.mark.browser
def test_5_3_the_refused_control_is_marked(serve: Callable[..., Any], tab: Callable[..., Any], gate: Gate) -> None:
    app = make_app(html.Button("go", id="go"), lane_capacity=1)
    app.callback_shared(None, Input("go", "n_clicks"))(gate)
    page = tab(serve(app).url)
    for _ in range(3):
        page.click("#go")
    page.wait_for_selector("#go[data-dash-devices=refused]")
    page.wait_for_function("dash_component_api.getLayout('go').props.n_clicks === 2")
    gate.open.set()
    wait_for(lambda: gate.calls == [1, 2], "the two that were taken")


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
