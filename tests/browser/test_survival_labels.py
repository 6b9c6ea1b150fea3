"""A value never looks live when it is not, and nothing in the page moves for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.semantics.line import Line
from tests.support import ServerThread

from .survival import CONNECTED, make_app, opened

if TYPE_CHECKING:
    from playwright.sync_api import Page

PLACES = """() => [...document.querySelectorAll("#react-entry-point *")].map((element) => {
  const { x, y, width, height } = element.getBoundingClientRect();
  return [x, y, width, height];
})"""
LABELS = """() => Object.fromEntries(["note", "range", "power", "shown", "private"].map(
  (id) => [id, document.getElementById(id).dataset.dashDevices ?? ""]))"""
LOOKS = """(id) => {
  const { opacity, filter, outlineStyle } = getComputedStyle(document.getElementById(id));
  return [opacity, filter, outlineStyle];
}"""
STALE = {"note": "stale", "range": "stale", "power": "stale", "shown": "stale", "private": ""}
LIVE = dict.fromkeys(STALE, "")
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "color_scheme": "dark"}], ids=["desk", "phone"])
def test_without_a_line_what_is_shared_is_stale_and_nothing_moves(
    serve: Callable[..., ServerThread], tab: Callable[..., Page], options: dict[str, object]
) -> None:
    server = serve(make_app())
    with Line(server.port) as line:
        page = opened(tab, line.url, **options)
        places = page.evaluate(PLACES)
        line.cut()
        page.wait_for_selector("[data-dash-devices=stale]")
        assert page.evaluate(LABELS) == STALE
        assert page.evaluate(LOOKS, "shown") == ["0.5", "grayscale(1)", "none"]
        assert page.evaluate(LOOKS, "private") == ["1", "none", "none"]
        assert page.evaluate(PLACES) == places
        line.mend()
        page.wait_for_selector("[data-dash-devices]", state="detached")
        assert page.evaluate(LABELS) == LIVE
        assert page.evaluate(LOOKS, "shown") == ["1", "none", "none"]


def test_what_is_changed_without_a_line_is_pending_until_its_answer(
    serve: Callable[..., ServerThread], tab: Callable[..., Page]
) -> None:
    app = make_app()
    server = serve(app)
    with Line(server.port) as line:
        page = opened(tab, line.url)
        line.cut()
        page.wait_for_selector("[data-dash-devices=stale]")
        page.fill("#note", "second")
        page.keyboard.press("Enter")
        page.wait_for_selector("#note[data-dash-devices=pending]")
        assert page.evaluate(LABELS) == {**STALE, "note": "pending"}
        assert page.evaluate(LOOKS, "note")[2] == "dashed"
        line.mend()
        page.wait_for_function("() => dash_devices.unacked === 0")
        page.wait_for_function("() => document.getElementById('shown').textContent === 'second 30 low'")
        page.wait_for_selector("[data-dash-devices]", state="detached")
        assert app.get("note", "value") == "second"


def test_a_line_that_carries_nothing_is_found_out(serve: Callable[..., ServerThread], tab: Callable[..., Page]) -> None:
    app = make_app()
    server = serve(app)
    with Line(server.port) as line:
        page = opened(tab, line.url)
        line.lose(to_server=True, to_page=True)
        page.wait_for_selector("#shown[data-dash-devices=stale]", timeout=20_000)
        app.push_mods({"power": {"value": 71}})
        line.mend()
        page.wait_for_function(CONNECTED, timeout=20_000)
        page.wait_for_function("() => document.getElementById('shown').textContent === 'first 71 low'")
        page.wait_for_selector("[data-dash-devices]", state="detached")
