"""How a change's cost grows with the number of shared properties and callbacks in the layout."""

from __future__ import annotations

import dataclasses
import statistics
from typing import TYPE_CHECKING, Any, Final

from .browser import HANDLE, Plan, measure, open_page
from .child import serve
from .progress import Progress

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

POINTS: Final = ("10x10", "500x10", "2000x10", "2000x500")
"""Layouts: shared properties x shared callbacks among them."""

# Notes when the page sends, when a message arrives (before anybody handles it), and counts the store's notifications.
STAGES: Final = """
let sent = null, received = null, dispatches = 0, counting = false;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) { sent ??= performance.now(); return send.call(this, data); };
window.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    this.addEventListener("message", () => { received = performance.now(); });
  }
};
window.benchStages = {
  clear() {
    if (!counting) window.dash_stores[0].subscribe(() => { dispatches++; });
    counting = true;
    sent = received = null;
    dispatches = 0;
  },
  take: (start) => [sent - start, received - start, dispatches],
};
"""

# What stock Dash needs for the same: a key until its store says so, then set_props until the DOM says so.
STOCK: Final = """async ({count, handle}) => {
  const target = document.querySelector(handle), output = document.getElementById("reading");
  const store = window.dash_stores[0], times = [];
  let value = 40, seen = null, changed = null;
  store.subscribe(() => { seen = performance.now(); });
  new MutationObserver(() => changed && changed(performance.now()))
    .observe(output, {childList: true, characterData: true, subtree: true});
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  target.focus();
  for (let i = 0; i < count; i++) {
    await sleep(55 + 20 * Math.random());
    const up = Math.floor(i / 25) % 2 === 0, key = up ? "ArrowRight" : "ArrowLeft";
    const pressed = performance.now();
    target.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    const noticed = seen - pressed;
    await sleep(3);  // the time a server takes: the slider's own rendering is over when the answer comes
    const shown = new Promise((resolve) => { changed = resolve; });
    const asked = performance.now();
    window.dash_clientside.set_props("reading", {children: `${value += up ? 1 : -1} W`});
    times.push([noticed, await shown - asked]);
  }
  return times;
}"""


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """Medians of one layout in ms: key to send, send to message, message to DOM; dispatches; stock Dash."""

    layout: str
    watch: float
    server: float
    apply: float
    dispatches: float
    stock_watch: float
    stock_apply: float

    @property
    def page(self) -> float:
        """What the page needs with us, ms."""
        return self.watch + self.apply

    @property
    def stock(self) -> float:
        """What the page needs for the same key and a stock ``set_props``, ms."""
        return self.stock_watch + self.stock_apply


def run(chromium: Browser, rounds: int, plan: Plan) -> list[Point]:
    """Measure each layout with us and with stock Dash, in turn."""
    turns = [(point, system) for _ in range(rounds) for point in POINTS for system in ("shared-async", "stock")]
    samples: dict[tuple[str, str], list[list[float]]] = {turn: [] for turn in turns}
    progress = Progress(len(turns))
    for layout, system in turns:
        progress.step(f"{layout} shared properties x callbacks, {system}")
        samples[layout, system] += run_one(chromium, system, layout, plan)
    progress.close()
    return [summary(layout, samples[layout, "shared-async"], samples[layout, "stock"]) for layout in POINTS]


def run_one(chromium: Browser, system: str, layout: str, plan: Plan) -> list[list[float]]:
    """Rows of one fresh server and page."""
    script, name = "" if system == "stock" else STAGES, f"{system}, {layout}"
    with serve(system, layout) as child, open_page(chromium, child.url, name=name, script=script) as page:
        return take_stock(page, plan) if system == "stock" else measure(page, plan)["spaced"]


def take_stock(page: Page, plan: Plan) -> list[list[float]]:
    """Rows ``[key to store, set_props to DOM]``."""
    rows: list[list[float]] = page.evaluate(STOCK, {"count": plan.warmup + plan.spaced, "handle": HANDLE})
    return rows[plan.warmup :]


def summary(layout: str, rows: list[list[float]], stock: list[list[float]]) -> Point:
    """Medians of rows ``[total, sent, received, dispatches]`` and of stock rows ``[store, DOM]``."""
    stages: list[tuple[Any, ...]] = [(s, r - s, total - r, d) for total, s, r, d in rows]
    ours = [statistics.median(column) for column in zip(*stages, strict=True)]
    return Point(layout, *ours, *[statistics.median(column) for column in zip(*stock, strict=True)])
