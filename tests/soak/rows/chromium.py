"""A real Chromium beside a server and a proxy, which live on a loop in a thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from playwright.sync_api import sync_playwright

from dash_devices.server import new_event_loop
from tests.conftest import CHROMIUM_FLAGS, CONNECTED, HYDRATED, chromium

from ..names import TOKEN
from ..proxy import Proxy
from ..server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

T = TypeVar("T")
TIMEOUT = 30_000.0  # ms


class Beside:
    """An event loop in a thread, for what goes on while Playwright has the main one."""

    def __init__(self) -> None:
        self.loop = new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="beside", daemon=True)

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine over there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(120)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function over there and wait for its result."""

        async def called() -> T:
            return function()

        return self.run(called())


class Stage:
    """A server, a proxy before it, a browser.

    Attributes:
        beside: the loop on which the server's and the proxy's methods are to be called.
    """

    def __init__(self, beside: Beside, server: Server, proxy: Proxy, browser: Browser) -> None:
        self.beside, self.server, self.proxy, self.browser = beside, server, proxy, browser

    def ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        """See `tests.soak.server.Server.ask`."""
        return self.beside.run(self.server.ask(name, **arguments))

    def open(self) -> Page:
        """A page of its own context that came through the proxy, drawn and connected."""
        return open_page(self.browser, f"http://127.0.0.1:{self.proxy.port}/")


def open_page(browser: Browser, url: str, **options: Any) -> Page:
    """A page of its own context, drawn and connected."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    context.add_cookies([{"name": "token", "value": TOKEN, "url": url}])
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto(url)
    page.wait_for_function(HYDRATED)
    page.wait_for_function(CONNECTED)
    return page


def cdp(page: Page) -> CDPSession:
    """The DevTools protocol of a page."""
    return page.context.new_cdp_session(page)


@contextlib.contextmanager
def browser_alone(*flags: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*CHROMIUM_FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def stage(**options: Any) -> Iterator[Stage]:
    """All of it, ended afterwards."""
    with Beside() as beside:
        server = Server(**options)
        proxy = Proxy(server.port)
        beside.run(server.__aenter__())
        try:
            beside.run(proxy.__aenter__())
            with browser_alone() as browser:
                yield Stage(beside, server, proxy, browser)
            beside.run(proxy.__aexit__())
        finally:
            beside.run(server.__aexit__())
