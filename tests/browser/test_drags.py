"""The main promise, in Chromium: every step of a drag arrives, in order, once, and all pages end on the server's value."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dash import dcc, html

import dash_devices
from dash_devices.dependencies import Input, Output
from tests.support import ServerThread, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

STEPS = 300

# Presses an arrow key on a slider's thumb every millisecond, as a drag does; a press before React has drawn the last one
# repeats its value, so with a target it goes on until the thumb stands there: then each step was one value.
DRAG = """async ([id, steps, key, target]) => {
  const thumb = document.querySelector(`#${id} [role=slider]`) || document.querySelector(`[id="${id}"] [role=slider]`);
  thumb.focus();
  const channel = new MessageChannel();
  const stands = () => Number(thumb.getAttribute("aria-valuenow"));
  for (let step = 0; target === null ? step < steps : stands() !== target; step++) {
    const due = performance.now() + 1;
    thumb.dispatchEvent(new KeyboardEvent("keydown", {key, code: key, bubbles: true, cancelable: true}));
    while (performance.now() < due) await new Promise((go) => { channel.port1.onmessage = go; channel.port2.postMessage(0); });
  }
}"""
SETTLED = "() => dash_devices.unacked === 0"
SHOWN = """(id) => document.querySelector(`#${id} [role=slider]`).getAttribute("aria-valuenow")"""


class Recorder:
    """What a callback was called with, and whether it was ever entered twice at a time."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.inside = 0
        self.most = 0

    def enter(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)

    def leave(self, left: Any, right: Any) -> None:
        changed = dash_devices.callback_context.triggered_id
        self.calls.append((changed, left if changed == "left" else right))
        self.inside -= 1

    def of(self, id: str) -> list[Any]:
        return [value for name, value in self.calls if name == id]


def make_app(plain: Recorder, coroutine: Recorder) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div(
        [
            dcc.Slider(0, 1000, 1, value=0, id="left", updatemode="drag"),
            dcc.Slider(0, 1000, 1, value=0, id="right", updatemode="drag"),
            dcc.Slider(0, 1000, 1, value=500, id="both", updatemode="drag"),
            *(html.Div(id=id) for id in ("plain", "coroutine", "shown")),
        ]
    )
    inputs = [Input("left", "value"), Input("right", "value")]

    @app.callback_shared(Output("plain", "children"), inputs, prevent_initial_call=True)
    def run_plain(left: int, right: int) -> str:
        plain.enter()
        time.sleep(0.002)  # the device
        plain.leave(left, right)
        return f"{left} {right}"

    @app.callback_shared(Output("coroutine", "children"), inputs, prevent_initial_call=True)
    async def run_coroutine(left: int, right: int) -> str:
        coroutine.enter()
        await asyncio.sleep(0.002)  # the device
        coroutine.leave(left, right)
        return f"{left} {right}"

    @app.callback_shared(Output("shown", "children"), Input("both", "value"))
    def show(value: int) -> str:
        return str(value)

    return app


def start_drag(page: Page, id: str, key: str = "ArrowRight", target: int | None = None) -> None:
    """Begin a drag in a page; `finish_drag` waits for its end."""
    page.wait_for_selector(f"#{id} [role=slider]")
    page.evaluate(f"(drag) => {{ window.drag = ({DRAG})(drag); }}", [id, STEPS, key, target])


def finish_drag(page: Page) -> None:
    page.evaluate("() => window.drag")
    page.wait_for_function(SETTLED)


def test_two_tabs_drag_one_slider_each(serve: Callable[..., ServerThread], tab: Callable[..., Page]) -> None:
    plain, coroutine = Recorder(), Recorder()
    server = serve(make_app(plain, coroutine))
    left, right = tab(server.url), tab(server.url)
    start_drag(left, "left", target=STEPS)
    start_drag(right, "right", target=STEPS)
    finish_drag(left)
    finish_drag(right)
    for recorder in (plain, coroutine):
        wait_for(lambda recorder=recorder: len(recorder.calls) == 2 * STEPS, "all calls", 30)
        assert recorder.of("left") == list(range(1, STEPS + 1))
        assert recorder.of("right") == list(range(1, STEPS + 1))
        assert recorder.most == 1
    for page in (left, right):
        for id in ("plain", "coroutine"):
            page.wait_for_function(f"() => document.querySelector('#{id}').textContent === '{STEPS} {STEPS}'")


def test_two_tabs_drag_the_same_slider(serve: Callable[..., ServerThread], tab: Callable[..., Page]) -> None:
    app = make_app(Recorder(), Recorder())
    server = serve(app)
    up, down = tab(server.url), tab(server.url)
    start_drag(up, "both", "ArrowRight")
    start_drag(down, "both", "ArrowLeft")
    finish_drag(up)
    finish_drag(down)
    value = app.get("both", "value")
    for page in (up, down):
        page.wait_for_function(f"() => ({SHOWN})('both') === '{value}'")
        page.wait_for_function(f"() => document.querySelector('#shown').textContent === '{value}'")


def test_a_slow_regular_callback_shows_a_result_for_each_run(
    serve: Callable[..., ServerThread], tab: Callable[..., Page]
) -> None:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div([dcc.Store(id="sensor", data=0), html.Div(id="slow"), html.Div(id="fast")])
    runs: list[int] = []
    ended = threading.Event()

    @app.callback(Output("slow", "children"), Input("sensor", "data"))
    def slow(value: int) -> str:
        runs.append(value)
        ended.wait(0.3)  # 300 ms of work, unless the test is over
        return f"slow {value}"

    app.clientside_callback("(value) => `fast ${value}`", Output("fast", "children"), Input("sensor", "data"))
    server = serve(app)
    page = tab(server.url)
    page.wait_for_function("() => document.querySelector('#slow').textContent === 'slow 0'")
    page.evaluate(
        """() => {
          window.results = [];
          const slow = document.querySelector('#slow');
          const all = {childList: true, characterData: true, subtree: true};
          new MutationObserver(() => results.push(slow.textContent)).observe(slow, all);
        }"""
    )
    runs.clear()
    for value in range(1, 16):
        app.push_mods({"sensor": {"data": value}})
        page.wait_for_function(f"() => document.querySelector('#fast').textContent === 'fast {value}'")
        ended.wait(0.1)  # a push every 100 ms, three for each run
    page.wait_for_function("() => document.querySelector('#slow').textContent === 'slow 15'")
    ended.set()
    assert page.evaluate("() => window.results") == [f"slow {value}" for value in runs]
    assert 4 <= len(runs) < 15
