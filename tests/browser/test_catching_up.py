"""A server is killed and comes back: open pages set again what their initial calls had set in the program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dash_devices import Services

from ..running.support import Child
from ..semantics.helpers import holds, shows
from .survival import LINE_ERRORS, NOT_CONNECTED

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.fault("K1")

RUN = ["-m", "tests.browser.catching_up", "{port}"]
WORDS = """() => {
  const mark = document.getElementById("_dash-devices-mark");
  window.words = [];
  new MutationObserver(() => words.push([mark.textContent, mark.title])).observe(mark, { childList: true, attributes: true });
}"""
"""From now on, all that the mark says."""

LATE = "() => document.getElementById('_dash-devices-mark').textContent === 'Catching up…'"
CAUGHT_UP = """() => words.some(([said]) => said === "Catching up…") &&
  window.dash_devices.status === "connected" && document.getElementById("_dash-devices-mark").textContent === "" """

RERUN = [
    *("choose", "measure:caused", "went", "idle", "order", "obey:caused", "zoom", "preset"),
    *("gain-g0", "gain-g1", "sum-g0-g1", "panel"),
]
"""What ran initially and runs again in a page that is left alone; ``innermost`` is for each test to say."""


class Life:
    """One app on one port, in one process after another."""

    def __init__(self, stack: ExitStack, notes: Path, environment: dict[str, str]) -> None:
        self._stack, self._notes, self._environment = stack, notes, environment
        self.server = self._start(None)

    def _start(self, port: int | None) -> Child:
        child = Child(RUN, self._notes, port=port, environment=self._environment)
        return self._stack.enter_context(child).up()

    def restart(self) -> None:
        """Kill the process, and start another one on its port."""
        self.server.kill()
        self.server = self._start(self.server.port)

    @property
    def calls(self) -> Counter[str]:
        """The calls of callbacks in the process that runs now."""
        return Counter(word for word, pid in self.server.notes if pid == self.server.process.pid)

    def open(self, tab: Callable[..., Page], path: str = "/") -> Page:
        """The app in a tab, when its first calls are done."""
        page = tab(self.server.url + path, allow_errors=LINE_ERRORS)
        page.wait_for_function("() => document.getElementById('innermost')?.textContent === 'one'")
        page.wait_for_selector("#graph .main-svg")
        page.set_viewport_size({"width": 900, "height": 600})  # of which the graph reports something that nobody did
        page.wait_for_function("() => !dash_stores[0].getState().isLoading && zoom.textContent.includes('autosize')")
        page.evaluate(WORDS)
        return page

    def reads(self, page: Page, channel: str) -> None:
        """Wait until the page shows what this process measures."""
        shows(page, "reading", f"{channel} by {self.server.process.pid}")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Life]]:
    """``start(**environment) -> Life``; killed after the test."""
    with ExitStack() as stack:
        yield lambda **environment: Life(stack, tmp_path / "notes", environment)


def calls_of(*names: str) -> Counter[str]:
    return Counter([*RERUN, *names])


@pytest.mark.parametrize("service", [Services.PUSHER_ALL, Services.NORMAL], ids=["socket", "http"])
def test_a_page_sets_again_what_the_server_lost(start: Callable[..., Life], tab: Any, service: int) -> None:
    life = start(SERVICE=str(service))
    page = life.open(tab)
    life.reads(page, "one")
    page.evaluate("window.same = true")
    page.fill("#channel", "two")
    life.reads(page, "two")
    shows(page, "innermost", "two")
    life.restart()
    life.reads(page, "two")
    page.wait_for_function(CAUGHT_UP)
    assert life.calls == calls_of("innermost-two"), "each once, as an initial call; None outputs never"
    assert page.evaluate("same"), "without a reload"


def test_what_somebody_has_clicked_is_not_repeated(start: Callable[..., Life], tab: Any) -> None:
    life = start()
    page = life.open(tab)
    for _ in range(7):
        page.click("#go")
    shows(page, "went", "7 clicks")
    life.restart()
    page.wait_for_function(CAUGHT_UP)
    assert life.calls == calls_of("innermost-one") - Counter(["went"])
    page.click("#go")
    shows(page, "went", "8 clicks")
    assert life.calls["command:caused"] == 1


def test_a_click_that_went_through_a_store_is_not_repeated(start: Callable[..., Life], tab: Any) -> None:
    life = start()
    page = life.open(tab)
    page.click("#order")
    shows(page, "obeyed", "order 1")
    shows(page, "obeyed_here", "order 1")
    life.restart()
    page.wait_for_function(CAUGHT_UP)
    assert life.calls == calls_of("innermost-one") - Counter(["order", "obey:caused"])


def test_a_click_before_the_page_has_caught_up_is_not_repeated(start: Callable[..., Life], tab: Any) -> None:
    life = start()
    page = life.open(tab)
    life.restart()
    page.wait_for_function(LATE)
    page.click("#rest")
    shows(page, "idle", "1 rests")
    page.wait_for_function(CAUGHT_UP)
    assert (life.calls["idle:caused"], page.text_content("#idle")) == (1, "1 rests")


def test_the_mark_says_so_until_it_is_done(start: Callable[..., Life], tab: Any) -> None:
    life = start()
    page = life.open(tab)
    life.restart()
    page.wait_for_function(LATE)
    page.wait_for_function(CAUGHT_UP)
    words = page.evaluate("words")
    late = next(i for i, (said, _) in enumerate(words) if said == "Catching up…")
    assert ["", "connected"] not in words[:late], "it does not look live in between"
    assert words[-1] == ["", "connected"]


def test_the_app_may_switch_it_off(start: Callable[..., Life], tab: Any) -> None:
    life = start(RERUN="no")
    page = life.open(tab)
    life.restart()
    page.wait_for_function(NOT_CONNECTED)
    page.wait_for_function("() => dash_devices.status === 'connected'")
    page.fill("#channel", "two")
    shows(page, "innermost", "two")
    assert not {"idle", "zoom", "gain-g0"} & set(life.calls), "nothing but what was typed"
    assert life.calls["choose:caused"] == 1
    assert life.calls["choose"] == 0
    assert "Catching up…" not in [said for said, _ in page.evaluate("words")]


def test_once_for_each_restart(start: Callable[..., Life], tab: Any) -> None:
    life = start()
    page = life.open(tab)
    for _ in range(2):
        life.restart()
        page.wait_for_function(CAUGHT_UP)
        assert life.calls == calls_of("innermost-one")
        page.evaluate("words.length = 0")


def test_killed_again_before_the_page_has_caught_up(start: Callable[..., Life], tab: Any) -> None:
    life = start()
    page = life.open(tab)
    life.restart()
    page.wait_for_function(LATE)
    life.restart()
    page.wait_for_function(NOT_CONNECTED)
    page.evaluate("words.length = 0")
    page.wait_for_function(CAUGHT_UP)
    assert life.calls == calls_of("innermost-one")


def test_components_that_came_later_too(start: Callable[..., Life], tab: Any) -> None:
    life = start()
    page = life.open(tab)
    page.click("#to_live")
    shows(page, "fast", "speed 1")
    page.fill("#speed", "3")
    shows(page, "fast", "speed 3")
    life.restart()
    page.wait_for_function(CAUGHT_UP)
    assert life.calls == calls_of("innermost-one", "fast")
    page.evaluate("history.back()")
    shows(page, "home", "home")
    page.evaluate("words.length = 0")
    life.restart()
    page.wait_for_function(CAUGHT_UP)
    assert life.calls == calls_of("innermost-one"), "not what is there no longer"


def test_results_are_no_changes(start: Callable[..., Life], tab: Any, tmp_path: Path) -> None:
    """The server has kept the value of a watched property: a result does not replace it, and nothing runs because of it."""
    life = start(STATE=str(tmp_path / "state.db"))
    page = life.open(tab)
    page.wait_for_function("() => device.textContent.startsWith('power 10')")
    page.fill("#power", "7")
    page.wait_for_function("() => device.textContent.startsWith('power 7')")
    life.restart()
    page.wait_for_function(CAUGHT_UP)
    holds(page, "power", "7")
    assert life.calls == calls_of("innermost-one")
    page.fill("#power", "8")
    shows(page, "device", "power 8, call 2")  # the first one was at the start
