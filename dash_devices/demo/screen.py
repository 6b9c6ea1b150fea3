"""From readings to what the pages are told: pure, so that it can be tested without a server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .charts import Chart, wall_clock
from .sensors import Reading
from .tiles import Tile

DRAW_EVERY: Final = 0.5
"""Seconds between two points of a chart: a redraw is the dearest thing a page does, and rates span 0.5 s anyway."""
BEAT_EVERY: Final = 2.0
"""Seconds between two beats, which the table of the last seconds waits for."""

Mods = dict[str, dict[str, Any]]


class Every:
    """Says yes once per so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due = float("-inf")

    def __call__(self, at: float) -> bool:
        """Whether it is time again; a little early counts, else 2 Hz drawn from 5 Hz would be 1.7."""
        if at < self._due - self._seconds / 25:
            return False
        self._due = at + self._seconds
        return True


class Screen:
    """Remembers what it said last, so that only what changed is pushed."""

    def __init__(self, tiles: Iterable[Tile], charts: Iterable[Chart]) -> None:
        self._tiles = tuple(tiles)
        self._charts = tuple(charts)
        self._said: Mods = {}
        self._count = 0
        self._draw = Every(DRAW_EVERY)
        self._beat = Every(BEAT_EVERY)

    def mods(self, reading: Reading) -> Mods:
        """What has to be pushed because of this reading: ``{id: {property: value}}``."""
        self._count += 1
        mods = {id: props for id, props in self._numbers(reading).items() if self._said.get(id) != props}
        self._said |= mods
        if self._draw(reading.at):
            mods |= {chart.id: {"extendData": chart.extend([reading])} for chart in self._charts}
            mods["newest"] = {"data": wall_clock(reading.at)}
        if self._beat(reading.at):
            mods["beat"] = {"data": self._count}
        return mods

    def _numbers(self, reading: Reading) -> Mods:
        numbers: Mods = {f"tile-{tile.id}": tile.props(reading) for tile in self._tiles}
        for i, busy in enumerate(reading.cores):
            numbers[f"core-{i}"] = {"children": f"{busy:.0f}", "style": {"--filled": round(busy)}}
        return numbers | {"count": {"children": f"{self._count:,}"}}
