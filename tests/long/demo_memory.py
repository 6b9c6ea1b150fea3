"""The demo with several tabs for a long time: does memory stay flat, in the server and in the pages?

``python -m tests.long.demo_memory --minutes 60 --tabs 5 --rate 20`` prints a line a minute and the slopes at the end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM_FLAGS, CONNECTED, chromium
from tests.support import answers, free_port, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

MIB = 2**20
SET_RATE = "(rate) => dash_clientside.set_props('rate', {value: rate})"
WARM_UP = 0.25  # of the time: caches fill, the history reaches its length


def heap(session: CDPSession) -> float:
    """JavaScript heap of a page after a garbage collection, in MiB."""
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(row["value"] for row in metrics if row["name"] == "JSHeapUsedSize")) / MIB


def slope(points: list[tuple[float, float]]) -> float:
    """MiB per hour, by least squares, after the warm-up."""
    kept = points[int(len(points) * WARM_UP) :]
    mean_t, mean_v = (sum(column) / len(kept) for column in zip(*kept, strict=True))
    above = sum((t - mean_t) * (v - mean_v) for t, v in kept)
    return 3600 * above / max(sum((t - mean_t) ** 2 for t, _ in kept), 1e-9)


def watch(pages: list[Page], server: psutil.Process, minutes: float) -> dict[str, list[tuple[float, float]]]:
    """Look once a minute; prints a line each time."""
    sessions = [page.context.new_cdp_session(page) for page in pages]
    for session in sessions:
        session.send("Performance.enable")
    rows: dict[str, list[tuple[float, float]]] = {"server": [], **{f"tab {n}": [] for n in range(1, len(pages) + 1)}}
    start = time.monotonic()
    while (now := time.monotonic() - start) < minutes * 60:
        values = [server.memory_info().rss / MIB, *map(heap, sessions)]
        for name, value in zip(rows, values, strict=True):
            rows[name].append((now, value))
        history = pages[0].evaluate("() => dash_stores[0].getState().history.past.length")
        seq = pages[0].evaluate("() => dash_devices.seq")
        text = "  ".join(f"{name} {value:.1f}" for name, value in zip(rows, values, strict=True))
        print(f"{now / 60:5.1f} of {minutes:g} min  {text}  undo history {history}  seq {seq}", flush=True)
        pages[0].wait_for_timeout(60_000)
    return rows


def main(argv: list[str] | None = None) -> int:
    """Run the demo and watch it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--tabs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=20, help="samples per second")
    options = parser.parse_args(argv)
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "dash_devices", "demo", "--port", str(port)])
    try:
        wait_for(lambda: answers(port), "the demo", 30)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
            pages = [open_page(browser, f"http://127.0.0.1:{port}") for _ in range(options.tabs)]
            pages[0].evaluate(SET_RATE, options.rate)
            rows = watch(pages, psutil.Process(child.pid), options.minutes)
    finally:
        child.terminate()
        child.wait(10)
    for name, points in rows.items():
        print(f"{name}: {points[0][1]:.1f} -> {points[-1][1]:.1f} MiB, slope {slope(points):+.2f} MiB/h")
    return 0


def open_page(browser: Any, url: str) -> Page:
    """A tab of its own context, connected."""
    page: Page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(url)
    page.wait_for_function(CONNECTED, timeout=60_000)
    return page


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
