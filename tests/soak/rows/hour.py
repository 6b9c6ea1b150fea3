"""A page on a wall: does memory stay flat, in the browser and in the server?"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil

from tests.long.demo_memory import heap, slope
from tests.support import answers, free_port, wait_for

from ..server import MIB, ROOT
from ..table import Check, Context, at_most, exactly
from .chromium import browser_alone, cdp, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVERY = 5.0  # s between two looks
WARM_UP = 0.25  # of the time; `slope` leaves it out

Points = list[tuple[float, float]]


def hour(context: Context) -> list[Check]:
    """20 updates a second of text and one chart for a quarter of an hour: heap of the page, memory of the server."""
    seconds = context.seconds(900, 20)
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.soak.chart", str(port)], cwd=ROOT, start_new_session=True)
    try:
        wait_for(lambda: answers(port), "the chart", 60)
        with browser_alone() as browser:
            page = open_page(browser, f"http://127.0.0.1:{port}/")
            page.wait_for_selector(".js-plotly-plot .main-svg")
            first = _text(page)
            heaps, rss = _watch(page, psutil.Process(server.pid), seconds)
            moved = _text(page) - first
    finally:
        server.kill()
        server.wait()
    return [
        _judge("heap of the page", heaps, 0.5, seconds),
        _judge("memory of the server", rss, 0.1, seconds),
        exactly(
            "updates that the page showed: at least 19 of 20", int(moved >= 0.95 * 20 * seconds), 1, f"{moved:.0f}"
        ),
    ]


def _text(page: Page) -> float:
    return float(page.inner_text("#text").replace("-", "0"))


def _watch(page: Page, server: psutil.Process, seconds: float) -> tuple[Points, Points]:
    session = cdp(page)
    session.send("Performance.enable")
    begin, heaps, rss = time.monotonic(), [], []
    while (now := time.monotonic() - begin) < seconds:
        heaps.append((now, heap(session)))
        rss.append((now, server.memory_info().rss / MIB))
        page.wait_for_timeout(min(EVERY, seconds / 10) * 1000)
    return heaps, rss


def _judge(what: str, points: Points, limit: float, seconds: float) -> Check:
    """The slope, with the standard error that the scatter of the points gives it."""
    per_hour = slope(points)
    kept = points[int(len(points) * WARM_UP) :]
    mean_t, mean_v = (sum(column) / len(kept) for column in zip(*kept, strict=True))
    left = sum((v - mean_v - per_hour / 3600 * (t - mean_t)) ** 2 for t, v in kept)
    spread = sum((t - mean_t) ** 2 for t, _ in kept)
    error = 3600 * math.sqrt(left / max(1, len(kept) - 2) / max(spread, 1e-9))
    text = f"{what}, slope over {seconds / 60:.0f} min ({kept[0][1]:.1f} to {kept[-1][1]:.1f} MiB, standard error {error:.2f})"
    return at_most(text, per_hour, limit, "MiB/h", n=len(kept), digits=2)
