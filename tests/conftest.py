"""Fixtures: ``serve``, ``raw``, ``browser``, ``tab``; and what every test has to leave behind clean."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from .support import TIMEOUT, Raw, ServerThread

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CONNECTED = "() => window.dash_devices && window.dash_devices.status === 'connected'"
HYDRATED = "() => window.dash_stores && window.dash_stores[0]?.getState().appLifecycle === 'HYDRATED'"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the browser, and run it last.

    Playwright's sync API keeps an event loop running in the main thread from its start on, so ``asyncio.run`` would
    fail in every test after it.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """Fail a test that leaves threads behind which would keep the process from ending."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    deadline = time.monotonic() + 5
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    alive = [thread.name for thread in left if thread.is_alive()]
    if alive:
        pytest.fail(f"threads left behind: {', '.join(alive)}", pytrace=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., ServerThread]]:
    """``serve(app) -> ServerThread``, running; stopped after the test."""
    with ExitStack() as stack:
        yield lambda app, **run: stack.enter_context(ServerThread(app, **run))


@pytest.fixture
def raw(serve: Callable[..., ServerThread]) -> Iterator[Callable[..., Raw]]:
    """``raw(url, **options) -> Raw``; closed after the test, before the servers stop."""
    with ExitStack() as stack:
        yield lambda url, **options: stack.enter_context(Raw(url, **options))


def chromium() -> str:
    """The path of the Chromium to test with: ``$CHROMIUM``, else the system's."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, filter(None, names))), None)
    if found is None:
        pytest.fail("Chromium: expected one on the PATH, got none; apt-get install chromium, or -m 'not browser'")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the whole session, as Playwright's `Browser`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


class Tabs:
    """Opens tabs and remembers what went wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def __call__(
        self,
        url: str,
        *,
        context: BrowserContext | None = None,
        allow_errors: bool | str = False,
        connected: bool = True,
        slower: int = 1,
        **options: Any,
    ) -> Page:
        """Open ``url`` and return the page once it is drawn and connected.

        Args:
            url: what to open.
            context: the ``page.context`` of another tab to share cookies with; a new one by default.
            allow_errors: True, or a regular expression for the console and page errors that are expected.
            connected: whether to wait for the socket and the first drawing.
            slower: throttle the page's processor that many times; it may take that much longer.
            options: of a new context, as in ``viewport={"width": 390, "height": 844}, color_scheme="dark"``.
        """
        page = (context or self._context(options)).new_page()
        page.set_default_timeout(TIMEOUT * 1000 * slower)
        if slower > 1:
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
        self._listen(page, allow_errors)
        page.goto(url)
        if connected:
            page.wait_for_function(HYDRATED)
            page.wait_for_function(CONNECTED)
        return page

    def close(self) -> None:
        """Close all tabs; `AssertionError` with the errors that nobody allowed."""
        for context in self.contexts:
            context.close()
        if self.errors:
            raise AssertionError("errors in the page:\n" + "\n".join(self.errors))

    def _context(self, options: dict[str, Any]) -> BrowserContext:
        self.contexts.append(self.browser.new_context(**options))
        return self.contexts[-1]

    def _listen(self, page: Page, allowed: bool | str) -> None:
        def note(text: str) -> None:
            if allowed is not True and not (allowed and re.search(allowed, text)):
                self.errors.append(text)

        def console(message: ConsoleMessage) -> None:
            if message.type == "error":
                note(f"console: {message.text} ({message.location.get('url')})")

        page.on("console", console)
        page.on("pageerror", lambda error: note(f"page: {error}"))


@pytest.fixture
def tab(serve: Callable[..., ServerThread], browser: Browser) -> Iterator[Tabs]:
    """``tab(url, context=, allow_errors=, connected=, slower=, **context_options) -> Page``; see `Tabs`."""
    tabs = Tabs(browser)
    yield tabs
    tabs.close()
