"""The script that presses keys in a page of the browser, and the times that come back."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final

from . import devtools
from .devtools import Chromium, Page, ScriptError
from .errors import BenchError

READY_TIMEOUT: Final = 60.0  # s
ANSWER_TIMEOUT: Final = 10_000  # ms
HANDLE: Final = "#power [role=slider], input#power"
ONE: Final = [("power", "reading")]
"""The measured control and its output."""
PAIR: Final = [*ONE, ("power-sync", "reading-sync")]
"""Two of them: the second one's callback is a plain function."""

SETTLED: Final = """() => {
  const text = document.getElementById("reading")?.textContent;
  const graph = document.getElementById("graph");
  return text === "40 W" && !!document.querySelector("#power [role=slider], input#power")
    && (!graph || (graph.querySelector(".main-svg") && document.querySelector("#table td")));
}"""

# One press: the clock, the key, and the first mutation that brings the wanted text. Values go up 25 and down 25.
# Several controls take turns; another one goes first each time.
MEASURE: Final = """async ({controls, warmup, spaced, burst, timeout}) => {
  const stages = window.benchStages || null;
  const presser = ([id, outputId]) => {
    const target = document.querySelector(`#${id} [role=slider], input#${id}`), output = document.getElementById(outputId);
    let value = 40, presses = 0, pending = null;
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
    return {target, press};
  };
  const pressers = controls.map(presser);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 55 + 20 * Math.random()));
  const take = async (count, wait) => {
    const times = pressers.map(() => []);
    for (let i = 0; i < count; i++) {
      for (let turn = 0; turn < pressers.length; turn++) {
        const place = (i + turn) % pressers.length, {target, press} = pressers[place];
        if (document.activeElement !== target) target.focus();
        if (wait) await pause();
        times[place].push(await press());
      }
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


def measure(page: Page, plan: Plan, controls: Sequence[tuple[str, str]] = ONE) -> list[dict[str, Any]]:
    """For each control: ``spaced`` and ``burst`` hold a list per press: total ms, then stages if the page takes them."""
    options = {**dataclasses.asdict(plan), "controls": controls, "timeout": ANSWER_TIMEOUT}
    times: dict[str, Any] = page.evaluate(MEASURE, options)
    return [{phase: times[phase][place] for phase in ("spaced", "burst")} for place in range(len(controls))]
