"""A page is interrupted in the middle of its use, and goes on: right state, and nothing lost that its user was doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.semantics.line import Line
from tests.support import ServerThread

from .survival import CONNECTED, NOT_CONNECTED, USES, cdp, make_app, opened

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from playwright.sync_api import Page

Interruption = Callable[["Page", Line], "AbstractContextManager[None]"]

SHOW = """(state) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""


@contextmanager
def cut(page: Page, line: Line) -> Iterator[None]:
    """The server cannot be reached."""
    line.cut()
    page.wait_for_function(NOT_CONNECTED)
    yield
    line.mend()


@contextmanager
def offline(page: Page, line: Line) -> Iterator[None]:
    """The machine has no network."""
    network = cdp(page)
    settings = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {"offline": True, **settings})
    with cut(page, line):
        yield
    network.send("Network.emulateNetworkConditions", {"offline": False, **settings})


@contextmanager
def frozen(page: Page, line: Line) -> Iterator[None]:
    """The browser stops the page altogether; its line breaks meanwhile."""
    life = cdp(page)
    life.send("Page.setWebLifecycleState", {"state": "frozen"})
    line.cut()
    line.mend()
    yield
    life.send("Page.setWebLifecycleState", {"state": "active"})


@contextmanager
def hidden(page: Page, line: Line) -> Iterator[None]:
    """Somebody looks at another tab."""
    page.evaluate(SHOW, "hidden")
    with cut(page, line):
        yield
    page.evaluate(SHOW, "visible")


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("interruption", [cut, offline, frozen, hidden])
def test_an_interrupted_page_goes_on(
    serve: Callable[..., ServerThread], tab: Callable[..., Page], interruption: Interruption, use: str
) -> None:
    app = make_app()
    server = serve(app)
    start, look = USES[use]
    with Line(server.port) as line:
        page = opened(tab, line.url)
        page.wait_for_function("() => document.getElementById('shown').textContent === 'first 30 low'")
        before = start(page)
        with interruption(page, line):
            app.push_mods({"power": {"value": 70}})
        page.wait_for_function("() => document.getElementById('shown').textContent === 'first 70 low'")
        page.wait_for_function(
            "() => document.querySelector('#power [role=slider]').getAttribute('aria-valuenow') === '70'"
        )
        page.wait_for_function(CONNECTED)
        assert page.evaluate(look) == before
        assert page.locator("[data-dash-devices]").count() == 0


def test_a_hidden_page_waits_until_it_is_seen(serve: Callable[..., ServerThread], tab: Callable[..., Page]) -> None:
    server = serve(make_app())
    with Line(server.port) as line:
        page = opened(tab, line.url)
        page.evaluate(
            "() => { window.opened = 0; window.WebSocket = class extends WebSocket "
            "{ constructor(url) { super(url); window.opened++; } }; }"
        )
        page.evaluate(SHOW, "hidden")
        line.cut()
        page.wait_for_function(NOT_CONNECTED)
        page.wait_for_function(
            "() => new Promise((go) => setTimeout(() => go(true), 600))"
        )  # two attempts, if it made any
        assert page.evaluate("() => opened") == 0
        line.mend()
        page.evaluate(SHOW, "visible")
        page.wait_for_function(CONNECTED)
        assert page.evaluate("() => opened") == 1
