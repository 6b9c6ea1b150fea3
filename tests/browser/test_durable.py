"""Two tabs over a restart with durable state: what they changed stays, and nobody is told that it was not confirmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.durable.support import make_app
from tests.semantics.helpers import Calls, holds, shows
from tests.semantics.line import Line
from tests.support import ServerThread

from .survival import CONNECTED, LINE_ERRORS, NOT_CONNECTED

if TYPE_CHECKING:
    from playwright.sync_api import Page

Serve = Callable[..., ServerThread]
OpenTab = Callable[..., "Page"]
LABELS = """() => {
  window.labels = [];
  const labelled = () => [...document.querySelectorAll("[data-dash-devices]")];
  const note = () => labels.push(...labelled().map(({ dataset }) => dataset.dashDevices));
  new MutationObserver(note).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-dash-devices"] });
}"""
"""From now on every label that the page shows."""
MARK = "() => document.getElementById('_dash-devices-mark').textContent"


def test_what_two_tabs_changed_stays_and_is_confirmed(serve: Serve, tab: OpenTab, tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    server = serve(make_app(state=state))
    with Line(server.port) as line:
        first, second = (tab(line.url, allow_errors=LINE_ERRORS) for _ in range(2))
        names = [page.evaluate("dash_devices.tab") for page in (first, second)]
        for page in (first, second):
            page.evaluate("window.same = true")
            page.evaluate(LABELS)
        first.fill("#a", "5")
        second.fill("#b", "7")
        for page in (first, second):
            shows(page, "shown", "5 7")
        line.cut()
        first.wait_for_function(NOT_CONNECTED)
        first.fill("#a", "6")  # nobody has heard of it
        assert first.evaluate("dash_devices.unacked") == 1
        server.stop()
        calls = Calls()
        line.target = serve(make_app(calls, state=state)).port
        assert calls.next() == ("5", "7")
        line.mend()
        for page in (first, second):
            page.wait_for_function(CONNECTED)
            shows(page, "shown", "6 7")
            holds(page, "a", "6")
            holds(page, "b", "7")
            assert page.evaluate("window.same")
            assert page.evaluate("dash_devices.unacked") == 0
            assert set(page.evaluate("labels")) <= {"stale", "pending"}
            assert page.locator("[data-dash-devices]").count() == 0
            assert page.evaluate(MARK) == ""
        assert calls.next() == ("6", "7"), "run once"
        assert calls.none_left
        assert [page.evaluate("dash_devices.tab") for page in (first, second)] == names
        second.fill("#b", "8")
        shows(first, "shown", "6 8")


def test_a_bad_file_is_told_in_the_page_until_it_is_clicked_away(serve: Serve, tab: OpenTab, tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    state.write_bytes(b"rubbish")
    page = tab(serve(make_app(state=state)).url)
    page.wait_for_function("() => document.getElementById('_dash-devices-mark').textContent.includes('is kept as')")
    assert "The values are those of the layout." in page.evaluate(MARK)
    page.click("#_dash-devices-mark")
    assert page.evaluate(MARK) == ""
    page.fill("#a", "1")
    shows(page, "shown", "1 0")
