"""Round trips in a real browser: key press on a slider, server callback, change of the output's DOM."""

from __future__ import annotations

import dataclasses
import statistics
from typing import TYPE_CHECKING

from .browser import ONE, PAIR, Plan, measure, open_page
from .child import serve
from .progress import Progress

if TYPE_CHECKING:
    from .devtools import Chromium

SYSTEMS = {
    "floor": "floor: range input, WebSocket, div",
    "stock-instant": "bound: stock Dash, answered in the page, no server",
    "shared-async": "ours, shared, coroutine",
    "shared-sync": "ours, shared, plain function",
    "regular": "ours, regular callback",
    "stock-ws": "stock Dash, WebSocket (Quart)",
    "stock-http": "stock Dash, HTTP (Quart)",
    "stock-flask": "stock Dash, HTTP (Flask)",
}
PAIRED = {
    "pair-async": "in one page in turn: shared, coroutine",
    "pair-sync": "in one page in turn: shared, plain function",
}
"""What the system ``pair`` gives: a difference that is smaller than that between two pages of the same kind."""
ROWS = {**SYSTEMS, **PAIRED}
"""All that tables and plots may show."""
CHOICES = (*SYSTEMS, "pair")
LAYOUTS = ("bare", "demo")
PHASES = ("spaced", "burst")


INSTANT = """
const wait = setInterval(() => {
  const store = window.dash_stores?.[0];
  if (!store || !document.getElementById("reading")) return;
  clearInterval(wait);
  const {port1, port2} = new MessageChannel();
  let seen;
  port1.onmessage = ({data}) => store.dispatch({type: "ON_PROP_CHANGE", payload: {
    itempath: store.getState().paths.strs.reading, props: {children: `${data} W`}, renderType: "clientsideApi"}});
  store.subscribe(() => {
    const {changed} = store.getState();
    if (changed !== seen && changed?.id === "power" && "value" in changed.props) port2.postMessage(changed.props.value);
    seen = changed;
  });
}, 10);
"""
"""Answers each new value of the slider in the next task: a server, and a line to it, that take no time at all."""


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One server and one page: ms of each press, 55-75 ms apart and back to back."""

    system: str
    layout: str
    spaced: list[float]
    burst: list[float]


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """Medians over the rounds of one system in one layout: p50 and p95 in ms of each phase."""

    p50: dict[str, float]
    p95: dict[str, float]


def run(chromium: Chromium, systems: list[str], layouts: list[str], rounds: int, plan: Plan) -> list[Run]:
    """Measure all systems in turn, with a fresh server and page each, as often as there are rounds."""
    turns = [(s, layout) for number in range(rounds) for layout in layouts for s in rotated(systems, number)]
    progress = Progress(len(turns))
    runs = []
    for system, layout in turns:
        progress.step(f"{SYSTEMS.get(system, 'ours, shared, both forms in turn')}, {layout} page")
        runs += run_one(chromium, system, layout, plan)
    progress.close()
    return runs


def rotated(systems: list[str], number: int) -> list[str]:
    """Another system goes first in each round, so that none always has the machine after the same neighbour."""
    shift = number % len(systems)
    return systems[shift:] + systems[:shift]


def run_one(chromium: Chromium, system: str, layout: str, plan: Plan) -> list[Run]:
    """Measure one system in a fresh server and page; ``pair`` is two."""
    script = INSTANT if system == "stock-instant" else ""
    name = f"{system}, {layout}"
    with serve(system, layout) as child, open_page(chromium, child.url, name=name, script=script) as page:
        times = measure(page, plan, PAIR if system == "pair" else ONE)
    rows = PAIRED if system == "pair" else [system]
    phases = [[[press[0] for press in one[phase]] for phase in PHASES] for one in times]
    return [Run(row, layout, *of_row) for row, of_row in zip(rows, phases, strict=True)]


def cell(runs: list[Run], system: str, layout: str) -> Cell | None:
    """What the table shows for one system in one layout; None when it was not measured."""
    chosen = [r for r in runs if (r.system, r.layout) == (system, layout)]
    if not chosen:
        return None
    samples = {phase: [getattr(r, phase) for r in chosen] for phase in PHASES}
    return Cell(*({p: statistics.median(quantile(t, q) for t in samples[p]) for p in PHASES} for q in (0.5, 0.95)))


def quantile(times: list[float], q: float) -> float:
    """The value below which a share ``q`` of the times lies."""
    ordered = sorted(times)
    return ordered[min(int(q * len(ordered)), len(ordered) - 1)]
