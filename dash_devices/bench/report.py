"""Tables in Markdown, and everything measured as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .curve import Point
from .goals import Goal
from .push import SYSTEMS as PUSHERS, PushRun
from .roundtrip import LAYOUTS, ROWS, Run, cell, quantile


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    lines = [[row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))] for row in rows]
    start = [head[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(head[1:], widths[1:], strict=True))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (start, rule, *lines))


def round_trips(runs: list[Run]) -> str:
    """One table per layout."""
    head = ["system", "p50 ms, 65 ms apart", "p95", "x floor", "p50 back to back", "p95", "x floor"]
    parts = [(layout, round_trip_rows(runs, layout)) for layout in LAYOUTS]
    return "\n\n".join(f"Round trip, {layout} page\n\n{table(head, rows)}" for layout, rows in parts if rows)


def round_trip_rows(runs: list[Run], layout: str) -> list[list[str]]:
    """The systems that were measured in a layout."""
    floor = cell(runs, "floor", layout)
    rows = []
    for system, title in ROWS.items():
        found = cell(runs, system, layout)
        if found:
            row = [title]
            for phase, p50 in found.p50.items():
                ratio = f"{p50 / floor.p50[phase]:.2f}" if floor else "-"
                row += [f"{p50:.2f}", f"{found.p95[phase]:.2f}", ratio]
            rows.append(row)
    return rows


def pushes(runs: list[PushRun]) -> str:
    """ms until the last client has a push."""
    rows = []
    for clients in sorted({r.clients for r in runs}):
        for system, title in PUSHERS.items():
            times = [t for r in runs if (r.system, r.clients) == (system, clients) for t in r.times]
            rows.append([title, str(clients), f"{quantile(times, 0.5):.2f}", f"{quantile(times, 0.95):.2f}"])
    return "Push, call in a thread to the last raw client\n\n" + table(["system", "clients", "p50 ms", "p95"], rows)


def curve(points: list[Point]) -> str:
    """Where a change's time goes as the layout grows."""
    head = ["shared properties x callbacks", "key to send", "away", "message to DOM", "dispatches"]
    head += ["page", "stock page", "ratio", "server alone"]
    rows = [curve_row(point) for point in points]
    return "A change in a growing layout, p50 ms\n\n" + table(head, rows)


def curve_row(point: Point) -> list[str]:
    """One layout."""
    stages = [f"{value:.2f}" for value in (point.watch, point.away, point.apply)]
    totals = [f"{value:.2f}" for value in (point.page, point.stock, point.page / point.stock)]
    return [point.layout, *stages, f"{point.dispatches:.0f}", *totals, f"{point.server:.2f}"]


def imports(medians: dict[str, float]) -> str:
    """Wall time of interpreters that import and end."""
    rows = [[name, f"{value:.0f}"] for name, value in medians.items()]
    return "Import, wall time of a process\n\n" + table(["import", "p50 ms"], rows)


def goals(lines: Sequence[Goal]) -> str:
    """One line per goal."""
    return "\n".join(map(str, lines))


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    processors = {"cores": os.cpu_count(), "load": load()}
    names = ("dash", "quart", "hypercorn", "websockets")
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        **processors,
        **{n: version(n) for n in names},
    }


def load() -> float:
    """How many processes wanted a processor in the last minute; 0 where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def write_json(path: Path, **parts: Any) -> None:
    """Everything measured, with every single time."""
    plain = {name: dataclass_free(part) for name, part in {"machine": machine(), **parts}.items()}
    path.write_text(json.dumps(plain, indent=1) + "\n")


def dataclass_free(part: Any) -> Any:
    """The same with dataclasses as dicts."""
    if isinstance(part, list):
        return [dataclass_free(item) for item in part]
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return dataclasses.asdict(part)
    return part
