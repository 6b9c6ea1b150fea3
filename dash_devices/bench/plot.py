"""The distributions as one SVG: a row per system, a dot per key press, a box from p25 to p75, a line at p50."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from .goals import SPACING
from .roundtrip import LAYOUTS, PHASES, ROWS, Run, quantile

LEFT, WIDTH, ROW, TOP, GAP = 250, 640, 30, 46, 26
LOW, HIGH = 0.2, 100.0  # ms, ends of the logarithmic axis
TICKS: Final = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
COLOURS: Final = {"floor": "#6b7280", "stock": "#b45309", "ours": "#2563eb"}
STYLE: Final = """<style>
svg { background: #fff; font: 13px system-ui, sans-serif; fill: #1f2937; }
.tick { stroke: #e5e7eb; } .small { font-size: 11px; fill: #6b7280; }
.title { font-weight: 600; }
</style>"""


def write(path: Path, runs: list[Run]) -> None:
    """Write the plot of all round trips, a panel for each layout and spacing."""
    height, parts = 0, []
    for layout in LAYOUTS:
        for phase in PHASES:
            rows = list(collect(runs, layout, phase))
            if rows:
                parts += panel(f"{layout} page, {SPACING[phase]}", rows, height)
                height += TOP + ROW * len(rows) + GAP
    size = f'viewBox="0 0 {LEFT + WIDTH + 30} {height}" width="{LEFT + WIDTH + 30}" height="{height}"'
    path.write_text("\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', STYLE, *parts, "</svg>\n"]))


def collect(runs: list[Run], layout: str, phase: str) -> Iterator[tuple[str, list[float]]]:
    """All times of each system in one panel."""
    for system in ROWS:
        times = [t for r in runs if (r.system, r.layout) == (system, layout) for t in getattr(r, phase)]
        if times:
            yield system, times


def panel(title: str, rows: list[tuple[str, list[float]]], top: int) -> list[str]:
    """Title, axis and rows."""
    bottom = top + TOP + ROW * len(rows)
    parts = [f'<text class="title" x="10" y="{top + 22}">{escape(title)}, ms</text>']
    for tick in TICKS:
        x = place(tick)
        parts.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{top + TOP - 8}" y2="{bottom}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="{top + TOP - 12}" text-anchor="middle">{tick:g}</text>')
    for number, (system, times) in enumerate(rows):
        parts += row(system, times, top + TOP + ROW * number + ROW / 2)
    return parts


def row(system: str, times: list[float], y: float) -> list[str]:
    """Name, dots, box and median of one system."""
    scatter = random.Random(0)  # the same picture for the same times
    colour = COLOURS[system if system == "floor" else "stock" if system.startswith("stock") else "ours"]
    low, middle, high = (place(quantile(times, q)) for q in (0.25, 0.5, 0.75))
    dots = [f"M{place(t):.1f} {y + scatter.uniform(-9, 9):.1f}h0" for t in times]
    return [
        f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(ROWS[system])}</text>',
        f'<path d="{"".join(dots)}" stroke="{colour}" stroke-width="3" stroke-linecap="round" opacity=".25"/>',
        f'<rect x="{low:.1f}" y="{y - 8:.1f}" width="{high - low:.1f}" height="16" fill="none" stroke="{colour}"/>',
        f'<path d="M{middle:.1f} {y - 11:.1f}v22" stroke="{colour}" stroke-width="2.5"/>',
        f'<text class="small" x="{middle:.1f}" y="{y - 10:.1f}" text-anchor="middle">{quantile(times, 0.5):.2f}</text>',
    ]


def place(ms: float) -> float:
    """Where a time is on the axis."""
    share = math.log(min(max(ms, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return LEFT + WIDTH * share
