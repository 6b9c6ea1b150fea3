"""How a change's cost grows with the number of shared properties and callbacks in the layout."""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import time
from typing import TYPE_CHECKING, Final

from ..protocol import PATH
from .browser import HANDLE, Plan, measure, open_page
from .child import Child, serve
from .progress import Progress
from .rawclient import RawClient

if TYPE_CHECKING:
    from .devtools import Chromium, Page

POINTS: Final = ("10x10", "500x10", "2000x10", "2000x500")
"""Layouts: shared properties x shared callbacks among them."""

CHANGES: Final = 1_000
"""Of the raw client; the first tenth warms up."""

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
    """Medians of one layout in ms: key to send, send to message, message to DOM; dispatches; stock Dash; server alone.

    ``away`` holds the renderer's own drawing of the moved slider too, which grows with the page; ``server`` does not: it is
    the time from a change to its mods at a raw client.
    """

    layout: str
    watch: float
    away: float
    apply: float
    dispatches: float
    stock_watch: float
    stock_apply: float
    server: float

    @property
    def page(self) -> float:
        """What the page needs with us, ms."""
        return self.watch + self.apply

    @property
    def stock(self) -> float:
        """What the page needs for the same key and a stock ``set_props``, ms."""
        return self.stock_watch + self.stock_apply


def run(chromium: Chromium, rounds: int, plan: Plan) -> list[Point]:
    """Measure each layout with us and with stock Dash, in turn."""
    turns = [(point, system) for _ in range(rounds) for point in POINTS for system in ("shared-async", "stock")]
    samples: dict[tuple[str, str], list[list[float]]] = {turn: [] for turn in turns}
    servers: dict[str, list[float]] = {point: [] for point in POINTS}
    progress = Progress(len(turns))
    for layout, system in turns:
        progress.step(f"{layout} shared properties x callbacks, {system}")
        with serve(system, layout) as child:
            if system != "stock":
                servers[layout] += at_server(child)  # first: a browser that tidies up a large page would be in the way
            samples[layout, system] += in_page(chromium, child, f"{system}, {layout}", plan)
    progress.close()
    return [summary(p, samples[p, "shared-async"], samples[p, "stock"], servers[p]) for p in POINTS]


def in_page(chromium: Chromium, child: Child, name: str, plan: Plan) -> list[list[float]]:
    """Rows of one fresh page."""
    is_stock = name.startswith("stock")
    with open_page(chromium, child.url, name=name, script="" if is_stock else STAGES) as page:
        return take_stock(page, plan) if is_stock else measure(page, plan)[0]["spaced"]


def take_stock(page: Page, plan: Plan) -> list[list[float]]:
    """Rows ``[key to store, set_props to DOM]``."""
    rows: list[list[float]] = page.evaluate(STOCK, {"count": plan.warmup + plan.spaced, "handle": HANDLE})
    return rows[plan.warmup :]


def at_server(child: Child) -> list[float]:
    """ms from a raw client's change to the mods with the callback's result, for each of its changes, one after the other."""
    with contextlib.closing(RawClient(child.port, f"/{PATH}")) as client:
        client.join()
        return [change(client, n) for n in range(1, CHANGES + 1)][CHANGES // 10 :]


def change(client: RawClient, n: int) -> float:
    """ms of one change."""
    value = 40 + n % 50  # ends where it began: the page that follows moves up and down from there
    start = time.perf_counter()
    values = [["power", "value", value]]
    client.send_json({"type": "change", "n": n, "values": values, "state": [], "at": time.time() * 1000})
    while not any(b'"%d W"' % value in text for text in client.receive()):
        pass
    took = (time.perf_counter() - start) * 1000
    client.settle()  # a page that never says what it applied is sent no more than eight batches
    return took


def summary(layout: str, rows: list[list[float]], stock: list[list[float]], server: list[float]) -> Point:
    """Medians of rows ``[total, sent, received, dispatches]``, of stock rows ``[store, DOM]``, and of the server's times."""
    stages: list[tuple[float, ...]] = [(s, r - s, total - r, d) for total, s, r, d in rows]
    columns = [column for table in (stages, stock) for column in zip(*table, strict=True)]
    medians = [statistics.median(column) for column in [*columns, server]]
    return Point(layout, *medians)
