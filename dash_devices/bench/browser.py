"""The script that presses keys in a page of the browser, and the times that come back."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from . import devtools
from .devtools import Chromium, Page, ScriptError
from .errors import BenchError

READY_TIMEOUT: Final = 60.0  # s
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


@contextlib.contextmanager
def open_page(chromium: Chromium, url: str, *, name: str, script: str = "") -> Iterator[Page]:
    """A page in a profile of its own, once it shows the slider's first value.

    Raises:
        BenchError: the page did not come up or an answer stayed out; ``name`` says whose page it is.
    """
    with devtools.open_page(chromium, url, script) as page:
        try:
            page.wait_for(SETTLED, READY_TIMEOUT)
            yield page
        except (BenchError, ScriptError) as error:
            raise BenchError(f"page {name}: expected an answer to each step, got {error}") from error


def measure(page: Page, plan: Plan) -> dict[str, Any]:
    """Press keys. ``spaced`` and ``burst`` hold a list per press: total ms, then stages if the page takes them."""
    options = {**dataclasses.asdict(plan), "handle": HANDLE, "timeout": ANSWER_TIMEOUT}
    result: dict[str, Any] = page.evaluate(MEASURE, options)
    return result
