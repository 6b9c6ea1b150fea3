"""What a row says: checks, each with its goal, what was measured, and a verdict."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One line of the table. ``is_timed``: it depends on how fast this machine is; the short form does not judge it."""

    what: str
    goal: str
    measured: str
    passed: bool
    is_timed: bool = False


@dataclasses.dataclass(slots=True)
class Context:
    """How much is wanted.

    Attributes:
        scale: 1 for at most an hour in all; longer times and more cycles with more.
        short: order, loss and equality alone, in small.
        most: never more pages than that.
    """

    scale: float = 1.0
    short: bool = False
    most: int | None = None

    def pages(self, full: int, short: int) -> int:
        """So many pages."""
        return min(short if self.short else full, self.most or full)

    def times(self, full: int, short: int) -> int:
        """So many cycles, or changes."""
        return short if self.short else max(1, round(full * self.scale))

    def seconds(self, full: float, short: float) -> float:
        """So long."""
        return short if self.short else full * self.scale


def exactly(what: str, measured: int, wanted: int = 0, detail: str = "") -> Check:
    """A count that must be just that."""
    return Check(what, str(int(wanted)), f"{measured}{f' ({detail})' if detail else ''}", measured == wanted)


def at_most(
    what: str, measured: float, limit: float, unit: str, *, n: int | None = None, is_timed: bool = True, digits: int = 1
) -> Check:
    """A figure that must not be above its limit; ``n``: of so many samples. Nothing measured (NaN) is a miss."""
    count = "" if n is None else f" (n = {n})"
    return Check(what, f"<= {limit:g} {unit}", f"{measured:.{digits}f} {unit}{count}", measured <= limit, is_timed)


def told(what: str, measured: str) -> Check:
    """A figure without a goal, to read the others by."""
    return Check(what, "-", measured, True)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of all lie; NaN of none."""
    if not values:
        return math.nan
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def verdict(check: Check, short: bool) -> str:
    """What the last column says."""
    if check.goal == "-" or (short and check.is_timed):
        return "-"
    return "PASS" if check.passed else "FAIL"


def missed(checks: Iterable[Check], short: bool) -> list[Check]:
    """The checks that failed."""
    return [check for check in checks if verdict(check, short) == "FAIL"]


def markdown(rows: Iterable[tuple[str, Sequence[Check]]], short: bool) -> str:
    """The table."""
    head = ("row", "what", "goal", "measured", "")
    lines = [
        (name, check.what, check.goal, check.measured, verdict(check, short))
        for name, checks in rows
        for check in checks
    ]
    widths = [max(len(line[i]) for line in (head, *lines)) for i in range(len(head))]
    cells = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in (head, *lines)]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
