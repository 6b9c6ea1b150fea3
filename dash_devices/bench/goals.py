"""The goals, each one line that says PASS or FAIL. All are ratios or differences within one run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

from .curve import Point
from .push import PushRun
from .roundtrip import LAYOUTS, PHASES, Run, cell, quantile

SPACING: Final = {"spaced": "65 ms apart", "burst": "back to back"}


@dataclasses.dataclass(frozen=True, slots=True)
class Goal:
    """A value that must not be above its limit."""

    text: str
    value: float
    limit: float
    unit: str = "x"

    @property
    def passed(self) -> bool:
        """Whether the goal is met."""
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "PASS" if self.passed else "FAIL"
        return f"{verdict}  {self.text}: {self.value:.2f} {self.unit} (goal <= {self.limit:.2f} {self.unit})"


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A goal on the ratio, or the difference, of two systems' p50."""

    system: str
    other: str
    text: str
    limits: dict[str, float]
    difference: bool = False


RULES: Final = (
    Rule("shared-async", "floor", "shared against the floor", {"spaced": 1.4, "burst": 2.5}),
    Rule("shared-async", "stock-http", "shared against stock HTTP", {"spaced": 1 / 4, "burst": 1 / 4}),
    Rule("shared-async", "stock-ws", "shared against stock WebSocket", {"spaced": 1 / 3, "burst": 1 / 3}),
    Rule("pair-sync", "pair-async", "sync costs more than async", {"spaced": 0.3, "burst": 0.3}, difference=True),
    Rule("regular", "stock-ws", "regular against stock WebSocket", {"spaced": 1.0, "burst": 1.0}),
)


def of_round_trips(runs: list[Run]) -> Iterator[Goal]:
    """The goals on round trips, for each layout and spacing that was measured."""
    for layout in LAYOUTS:
        for rule in RULES:
            ours, other = cell(runs, rule.system, layout), cell(runs, rule.other, layout)
            if ours and other:
                for phase in PHASES:
                    yield judged(rule, layout, phase, ours.p50[phase], other.p50[phase])


def judged(rule: Rule, layout: str, phase: str, ours: float, other: float) -> Goal:
    """One rule on two p50."""
    text = f"{layout} page, {SPACING[phase]}: {rule.text}"
    if rule.difference:
        return Goal(text, ours - other, rule.limits[phase], "ms")
    return Goal(text, ours / other, rule.limits[phase])


def of_pushes(runs: list[PushRun]) -> Iterator[Goal]:
    """A push from a thread to one page is at the socket within 1 ms."""
    times = [t for r in runs if r.system != "floor" and r.clients == 1 for t in r.times]
    if times:
        yield Goal("push_mods from a thread to one client, p50", quantile(times, 0.5), 1.0, "ms")


def of_imports(medians: dict[str, float]) -> Iterator[Goal]:
    """Importing us costs at most 10 % more than importing what we stand on."""
    yield Goal("import dash_devices against import dash, quart", medians["dash_devices"] / medians["dash, quart"], 1.1)


def of_curve(points: list[Point]) -> Iterator[Goal]:
    """The page stays within 10 % of stock ``set_props``; what we do at the server is flat."""
    for point in points:
        yield Goal(f"{point.layout}: page against stock set_props", point.page / point.stock, 1.1)
    if points:
        text = f"server at {points[-1].layout} against {points[0].layout}"
        yield Goal(text, points[-1].server / points[0].server, 1.25)
