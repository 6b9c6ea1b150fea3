"""Section 5, lanes: one call at a time, in order, up to a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices.dependencies import Input, Output
from dash_devices.services import Services

from ..support import TIMEOUT, Raw, wait_for
from .tools import Device, Gate, make_app, push_and_wait


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
    page.wait_for_function("() => dash_component_api.getLayout('go').props.n_clicks === 2")
    gate.open.set()
    wait_for(lambda: gate.calls == [1, 2], "the two that were taken")
