"""The other end is gone without a word: how soon is that known, and said?"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ..table import Check, Context, at_most, exactly
from .chromium import Stage, stage

if TYPE_CHECKING:
    from playwright.sync_api import Page

STALE = "() => document.querySelector('#life')?.dataset.dashDevices === 'stale'"
LIVE = "() => dash_devices.status === 'connected' && !document.querySelector('[data-dash-devices=stale]')"
SHOWS = "(texts) => Object.entries(texts).every(([id, text]) => document.getElementById(id).textContent === text)"
LONGEST = 20.0  # s that we wait
LONG_STOP = 60.0  # s


def dead(context: Context) -> list[Check]:
    """A dead peer, stopped or behind a black hole: the page says so, and the server's table."""
    times = context.times(5, 1)
    with stage() as all_of_it:
        hole, stop, table, wrong = [], [], [], 0
        for number in range(times):
            for times_of, fault, mend in ((hole, _black_hole, _mend), (stop, _stop_server, _go_on)):
                held = LONG_STOP if fault is _stop_server and not number else 0.0
                took, is_exact = _page_says(all_of_it, fault, mend, context.seconds(held, 0.0))
                times_of.append(took)
                wrong += not is_exact
            table.append(_table_says(all_of_it))
    return [
        at_most("black hole: until the page shows stale values, the longest", max(hole), 10, "s", n=times),
        at_most("server stopped (SIGSTOP): until the page shows it, the longest", max(stop), 10, "s", n=times),
        at_most("black hole: until the server's table has no client, the longest", max(table), 15, "s", n=times),
        exactly("pages that did not show the server's state afterwards, once after a minute", wrong),
        _stopped_browser(),
    ]


def _page_says(
    all_of_it: Stage, fault: Callable[[Stage], None], mend: Callable[[Stage], None], held: float
) -> tuple[float, bool]:
    """Seconds from a fault, at a random moment, until the page marks its values; is it exact when that is over?"""
    page = all_of_it.open()
    page.wait_for_timeout(random.uniform(0, 5_000))
    begin = time.monotonic()
    fault(all_of_it)
    try:
        page.wait_for_function(STALE, timeout=LONGEST * 1000)
        took = time.monotonic() - begin
        if fault is _black_hole:
            all_of_it.ask("push", id="p0", value=f"meanwhile {begin}")
        time.sleep(held)
    finally:
        mend(all_of_it)
    page.wait_for_function(LIVE)
    all_of_it.ask("push", id="p1", value=f"afterwards {begin}")
    state = all_of_it.beside.run(all_of_it.server.state())
    texts = {
        id: str(value or "") for (id, property), value in state.items() if property == "children" and id[0] in "epl"
    }
    try:
        page.wait_for_function(SHOWS, arg=texts, timeout=2_000)
        is_exact = True
    except PlaywrightTimeout:
        is_exact = False
    _close(page)
    return took, is_exact


def _close(page: Page) -> None:
    page.context.close()


def _black_hole(all_of_it: Stage) -> None:
    """Lines that are there carry nothing, and new ones do not either."""

    def fault() -> None:
        all_of_it.proxy.swallows = True
        for line in all_of_it.proxy.lines:
            line.half_open()

    all_of_it.beside.call(fault)


def _mend(all_of_it: Stage) -> None:
    def mend() -> None:
        all_of_it.proxy.swallows = False
        all_of_it.proxy.cut()

    all_of_it.beside.call(mend)


def _stop_server(all_of_it: Stage) -> None:
    all_of_it.server.signal(signal.SIGSTOP)


def _go_on(all_of_it: Stage) -> None:
    all_of_it.server.signal(signal.SIGCONT)


def _table_says(all_of_it: Stage) -> float:
    """Seconds from a black hole until the client is out of ``app.clients``."""
    page = all_of_it.open()
    page.wait_for_timeout(random.uniform(0, 5_000))
    begin = time.monotonic()
    _black_hole(all_of_it)
    took = _until_gone(all_of_it, begin)
    _mend(all_of_it)
    _close(page)
    return took


def _until_gone(all_of_it: Stage, begin: float) -> float:
    while all_of_it.ask("census")["clients"] and time.monotonic() - begin < LONGEST:
        time.sleep(0.05)
    return time.monotonic() - begin


def _stopped_browser() -> Check:
    """The whole browser is stopped, as with a laptop whose lid is closed."""
    with stage() as all_of_it:
        all_of_it.open()
        ours = psutil.Process().children(recursive=True)
        stopped = [child for child in ours if "chrom" in child.name()]
        begin = time.monotonic()
        for child in stopped:
            child.suspend()
        try:
            took = _until_gone(all_of_it, begin)
        finally:
            for child in stopped:
                child.resume()
    return at_most("browser stopped (SIGSTOP): until the server's table has no client", took, 15, "s", n=1)
