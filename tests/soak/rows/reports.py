"""What components report: gestures that they tell in several reports, and values that they repair by themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dash_devices
from tests.conftest import CONNECTED, HYDRATED
from tests.semantics.gestures import command_line, key_listener, wrong_keys, wrong_lines
from tests.semantics.helpers import Calls, gated
from tests.semantics.repairs import port_scanner, wrong_scans
from tests.support import ServerThread

from ..table import Check, Context, exactly
from .chromium import TIMEOUT, browser_alone

if TYPE_CHECKING:
    from playwright.sync_api import Page

Enter = Callable[[Any, Calls, int], list[Any]]


@contextlib.contextmanager
def _opened(app: dash_devices.Dash, tabs: int = 1) -> Iterator[list[Page]]:
    """The app, shown in so many windows."""
    with ServerThread(app) as server, browser_alone() as browser:
        pages = [gated(browser).new_page() for _ in range(tabs)]
        for page in pages:
            page.set_default_timeout(TIMEOUT)
            page.goto(server.url)
            page.wait_for_function(HYDRATED)
            page.wait_for_function(CONNECTED)
        yield pages


def _first(wrong: list[Any]) -> str:
    return "; ".join(map(str, wrong[:2]))


def gestures(context: Context) -> list[Check]:
    """200 lines entered into a form and 500 keys pressed: each callback gets what belongs to its gesture."""
    programs: list[tuple[str, Callable[[], tuple[dash_devices.Dash, Calls]], Enter, int]] = [
        ("lines", command_line, wrong_lines, context.times(200, 20)),
        ("keys", key_listener, wrong_keys, context.times(500, 50)),
    ]
    checks = []
    for what, make, enter, count in programs:
        app, calls = make()
        with _opened(app) as (page,):
            wrong = enter(page, calls, count)
        checks.append(exactly(f"{count} {what}: callbacks that got something else", len(wrong), detail=_first(wrong)))
    return checks


def repairs(context: Context) -> list[Check]:
    """A port is scanned 200 times in one page, then in three: server and pages end on the port that was chosen."""
    count, checks = context.times(200, 20), []
    for tabs in (1, 3):
        rig = port_scanner(tabs)
        with _opened(rig.app, tabs) as pages:
            wrong = wrong_scans(rig, pages, count)
        what = f"{count} scans, tabs: {tabs}; server, last call or a tab ended on another value"
        checks.append(exactly(what, len(wrong), detail=_first(wrong)))
    return checks
