"""Section 4, a change made in a page: what people see in Chromium."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import Services, dcc, html
from dash_devices.dependencies import Input, Output

from ..support import Raw
from .helpers import Calls, holds, kept, shows

Given = Callable[..., Any]
CARET = "() => [document.getElementById('a').value, document.getElementById('a').selectionStart]"


def settled(page: Any) -> None:
    """Wait until every change of the page is acknowledged."""
    page.wait_for_function("() => dash_devices.unacked === 0")


@pytest.mark.parametrize("first", ["page", "other"])
def test_4_2_crossing_changes_converge(first: str, serve: Given, raw: Callable[..., Raw], gated_tab: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value="v")])
    app.share("a", "value")
    url = serve(app).url
    page, other = gated_tab(url), raw(url).join()
    page.evaluate("() => { gate.close(); gate.track('a', 'value'); }")
    if first == "page":
        page.fill("#a", "mine")
        other.until_value("a", "value", "mine")
        other.until("ack", n=other.change("a", "value", "theirs"))
        kept(page, "ack", "mods")
        page.fill("#a", "mine again")
        other.until_value("a", "value", "mine again")
        kept(page, "ack", "mods", "ack")
        for type in ("ack", "mods", "ack"):
            page.evaluate("(type) => gate.step(type)", type)
        assert page.evaluate("gate.tracked") == ["mine", "mine again"]
    else:
        other.until("ack", n=other.change("a", "value", "theirs"))
        kept(page, "mods")
        page.fill("#a", "mine")
        other.until_value("a", "value", "mine")
        kept(page, "mods", "ack")
        for type in ("mods", "ack"):
            page.evaluate("(type) => gate.step(type)", type)
        assert page.evaluate("gate.tracked") == ["mine"]
    page.evaluate("gate.open()")
    other.change("a", "value", "last")
    holds(page, "a", "last")
    assert app.get("a", "value") == "last"


def test_4_2_a_newer_value_is_shown_after_the_ack(serve: Given, raw: Callable[..., Raw], gated_tab: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value="v")])
    app.share("a", "value")
    url = serve(app).url
    page, other = gated_tab(url), raw(url).join()
    page.evaluate("gate.close()")
    page.fill("#a", "mine")
    other.until_value("a", "value", "mine")
    other.change("a", "value", "theirs")
    kept(page, "ack", "mods")
    assert page.evaluate("gate.read('a', 'value')") == "mine"
    page.evaluate("gate.open()")
    holds(page, "a", "theirs")


def test_4_2_no_caret_jumps_and_no_text_is_lost(serve: Given, raw: Callable[..., Raw], gated_tab: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value="hello")])
    app.share("a", "value")
    url = serve(app).url
    page, other = gated_tab(url), raw(url).join()
    page.click("#a")
    for key in ("End", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    page.evaluate("gate.close()")
    other.until("ack", n=other.change("a", "value", "theirs"))
    kept(page, "mods")
    page.keyboard.type("XY")
    other.until_value("a", "value", "helXYlo")
    kept(page, "mods", "ack", "ack")
    page.evaluate("gate.step('mods')")
    assert page.evaluate(CARET) == ["helXYlo", 5]
    page.evaluate("gate.step('ack')")
    page.keyboard.type("Z")
    other.until_value("a", "value", "helXYZlo")
    page.evaluate("gate.open()")
    settled(page)
    assert page.evaluate(CARET) == ["helXYZlo", 6]
    assert app.get("a", "value") == "helXYZlo"


TORN = """() => {
  window.torn = [];
  const text = (id) => document.getElementById(id).textContent;
  const look = () => {
    const shown = [text("b"), text("c"), document.getElementById("d").title];
    if (new Set(shown).size > 1) window.torn.push(shown);
  };
  const all = { subtree: true, childList: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(document.body, all);
}"""


def test_4_3_no_page_shows_half_of_the_outputs(serve: Given, raw: Callable[..., Raw], tab: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div(
        [dcc.Input(id="a", value="0"), html.Div(id="b"), html.Section(html.P(html.B(id="c"))), html.Div(id="d")]
    )
    app.callback_shared([Output("b", "children"), Output("c", "children"), Output("d", "title")], Input("a", "value"))(
        lambda value: [value] * 3
    )
    url = serve(app).url
    page, other = tab(url), raw(url).join()
    shows(page, "b", "0")
    page.evaluate(TORN)
    for number in range(1, 101):
        other.change("a", "value", f"{number}")
    shows(page, "c", "100")
    page.fill("#a", "mine")
    shows(page, "b", "mine")
    assert page.evaluate("window.torn") == []


def test_4_5_regular_and_clientside_callbacks_fire_in_each_page(
    serve: Given, raw: Callable[..., Raw], tab: Given
) -> None:
    app, calls = dash_devices.Dash(), Calls()
    ids = ("regular", "js", "shared", "pushed")
    app.layout = html.Div([dcc.Input(id="a", value="v"), *(html.Div(id=id) for id in ids)])
    app.callback(Output("regular", "children"), Input("a", "value"))(lambda value: f"py {value}")
    app.clientside_callback("(value) => `js ${value}`", Output("js", "children"), Input("a", "value"))
    app.callback_shared(Output("shared", "children"), Input("a", "value"), prevent_initial_call=True)(
        lambda value: calls(value) or f"shared {value}"
    )
    app.callback(Output("pushed", "children"), Input("shared", "children"), prevent_initial_call=True)(
        lambda value: f"after {value}"
    )
    url = serve(app).url
    pages, other = [tab(url), tab(url)], raw(url).join()
    other.change("a", "value", "w")
    for page in pages:
        for id, text in (("regular", "py w"), ("js", "js w"), ("shared", "shared w"), ("pushed", "after shared w")):
            shows(page, id, text)
    pages[0].fill("#a", "typed")
    for page in pages:
        for id, text in (("regular", "py typed"), ("js", "js typed"), ("pushed", "after shared typed")):
            shows(page, id, text)
    assert calls.take(2) == ["w", "typed"]
    for number in range(200):
        app.push_mods({"a": {"value": f"{number}"}})
    assert calls.take(200) == [f"{number}" for number in range(200)]
    for page in pages:
        for id, text in (("regular", "py 199"), ("js", "js 199"), ("pushed", "after shared 199")):
            shows(page, id, text)


@pytest.mark.parametrize("service", [Services.PUSHER_ALL, Services.NORMAL])
def test_4_6_mods_do_not_starve_a_callback(service: int, serve: Given, gated_tab: Given) -> None:
    app, runs, step = dash_devices.Dash(server_service=service), Calls(), threading.Semaphore(0)
    app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div(id="out"), html.Div(id="js")])
    app.share("a", "value")
    app.clientside_callback("(value) => `js ${value}`", Output("js", "children"), Input("a", "value"))

    @app.callback(Output("out", "children"), Input("a", "value"))
    def slow(value: str) -> str:
        runs(value)
        assert step.acquire(timeout=10)
        return f"done {value}"

    page = gated_tab(serve(app).url)
    assert runs.next() == "0"
    step.release()
    shows(page, "out", "done 0")
    page.evaluate("() => void gate.track('out', 'children')")
    value = 0
    for _ in range(3):
        value += 1
        app.push_mods({"a": {"value": f"{value}"}})
        assert runs.next() == f"{value}"
        for _ in range(3):  # while it runs
            value += 1
            app.push_mods({"a": {"value": f"{value}"}})
            holds(page, "a", f"{value}")
            shows(page, "js", f"js {value}")
        step.release()
        shows(page, "out", f"done {value - 3}")
        assert runs.next() == f"{value}"
        step.release()
        shows(page, "out", f"done {value}")
    assert page.evaluate("gate.tracked.filter(Boolean)") == [f"done {n}" for n in (0, 1, 4, 5, 8, 9, 12)]
    assert runs.none_left
