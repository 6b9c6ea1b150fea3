"""Rows about values: every gesture and every scan in a real page ends on the right one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.conftest import CONNECTED, HYDRATED
from tests.semantics.gestures import command_line, key_listener, wrong_keys, wrong_lines
from tests.semantics.helpers import gated
from tests.semantics.repairs import port_scanner, wrong_scans
from tests.support import ServerThread

from ..table import Check, Context, exactly
from .chromium import TIMEOUT, browser_alone

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def gestures(context: Context) -> list[Check]:
    """Scans that make a Dropdown repair itself, keys of a listener, and lines of a field that is entered."""
    scans, keys, lines = (context.times(full, short) for full, short in ((200, 20), (500, 50), (200, 20)))
    checks = []
    with browser_alone() as browser:
        for tabs in (1, 3):
            rig = port_scanner(tabs)
            with opened(browser, rig.app, tabs) as pages:
                wrong = wrong_scans(rig, pages, scans)
            checks.append(_none(f"{scans} scans with {_tabs(tabs)}: wrong ports", wrong))
        app, calls = key_listener()
        with opened(browser, app) as [page]:
            checks.append(_none(f"{keys} keys: calls with another key", wrong_keys(page, calls, keys)))
        app, calls = command_line()
        with opened(browser, app) as [page]:
            checks.append(_none(f"{lines} lines: calls with another line", wrong_lines(page, calls, lines)))
    return checks


@contextlib.contextmanager
def opened(browser: Browser, app: Any, tabs: int = 1) -> Iterator[list[Page]]:
    """Pages of the app, each in a window of its own, drawn and connected."""
    with ServerThread(app) as server, contextlib.ExitStack() as stack:
        pages = []
        for _ in range(tabs):
            context = gated(browser)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(TIMEOUT)
            page.goto(server.url)
            page.wait_for_function(HYDRATED)
            page.wait_for_function(CONNECTED)
            pages.append(page)
        yield pages


def _tabs(count: int) -> str:
    return "one tab" if count == 1 else f"{count} tabs"


def _none(what: str, wrong: list[Any]) -> Check:
    return exactly(what, len(wrong), detail=f"{wrong[0]}" if wrong else "")
