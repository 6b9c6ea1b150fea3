"""A headless Chromium, the script that presses keys in it, and the times that come back."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from .errors import BenchError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
READY_TIMEOUT: Final = 60_000  # ms
ANSWER_TIMEOUT: Final = 10_000  # ms
HANDLE: Final = "#power [role=slider], input#power"

SETTLED: Final = """() => {
  const text = document.getElementById("reading")?.textContent;
  const graph = document.getElementById("graph");
  return text === "40 W" && !!document.querySelector("#power [role=slider], input#power")
    && (!graph || (graph.querySelector(".main-svg") && document.querySelector("#table td")));
}"""

# One press: the clock, the key, and the first mutation that brings the wanted text. Values go up 25 and down 25.
MEASURE: Final = """async ({handle, warmup, spaced, burst, timeout}) => {
  const target = document.querySelector(handle), output = document.getElementById("reading");
  let value = 40, presses = 0, pending = null;
  const stages = window.benchStages || null;
  new MutationObserver(() => {
    const now = performance.now();
    if (pending && output.textContent === pending.text) pending.done(now);
  }).observe(output, {childList: true, characterData: true, subtree: true});
  const press = () => new Promise((resolve, reject) => {
    const up = Math.floor(presses++ / 25) % 2 === 0, text = `${value += up ? 1 : -1} W`;
    const late = setTimeout(() => reject(new Error(`no "${text}" after ${timeout} ms`)), timeout);
    if (stages) stages.clear();
    const start = performance.now();
    pending = {text, done: (now) => {
      pending = null;
      clearTimeout(late);
      resolve(stages ? [now - start, ...stages.take(start)] : [now - start]);
    }};
    const key = up ? "ArrowRight" : "ArrowLeft";
    target.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 55 + 20 * Math.random()));
  target.focus();
  const take = async (count, wait) => {
    const times = [];
    for (let i = 0; i < count; i++) {
      if (wait) await pause();
      times.push(await press());
    }
    return times;
  };
  await take(warmup, true);
  return {spaced: await take(spaced, true), burst: await take(burst, false), isolated: crossOriginIsolated};
}"""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How many key presses: not counted, 55-75 ms apart, back to back."""

    warmup: int = 15
    spaced: int = 100
    burst: int = 60


def chromium_path(chosen: str | None) -> str | None:
    """The Chromium to start: the chosen one, one on the path, or None for Playwright's own."""
    named = chosen or os.environ.get("DASH_DEVICES_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def browser(chosen: str | None = None) -> Iterator[Browser]:
    """A headless Chromium.

    Raises:
        BenchError: Playwright or a Chromium is missing.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise BenchError("bench: expected Playwright, got none; do `pip install playwright`") from error
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=chromium_path(chosen), args=list(FLAGS), handle_sigint=False, handle_sigterm=False
            )
        except Error as error:
            raise BenchError(
                "bench: expected a Chromium, got none that starts; install your system's `chromium`, "
                f"do `playwright install chromium`, or name one by --chromium\n{error.message}"
            ) from error
        with contextlib.closing(chromium):
            yield chromium


@contextlib.contextmanager
def open_page(chromium: Browser, url: str, *, name: str, script: str = "") -> Iterator[Page]:
    """A page in a profile of its own, once it shows the slider's first value.

    Raises:
        BenchError: the page did not come up or an answer stayed out; ``name`` says whose page it is.
    """
    from playwright.sync_api import Error

    with contextlib.closing(chromium.new_context()) as context:
        try:
            yield ready_page(context, url, script)
        except Error as error:
            raise BenchError(f"page {name}: expected an answer to each step, got {error.message}") from error


def ready_page(context: BrowserContext, url: str, script: str) -> Page:
    """A new page that shows the slider's first value; ``script`` runs before any of its own."""
    page = context.new_page()
    if script:
        page.add_init_script(script)
    page.goto(url)
    page.wait_for_function(SETTLED, timeout=READY_TIMEOUT)
    return page


def measure(page: Page, plan: Plan) -> dict[str, Any]:
    """Press keys. ``spaced`` and ``burst`` hold a list per press: total ms, then stages if the page takes them."""
    options = {**dataclasses.asdict(plan), "handle": HANDLE, "timeout": ANSWER_TIMEOUT}
    result: dict[str, Any] = page.evaluate(MEASURE, options)
    return result
