"""The tiles: one quantity each, as a number, its unit and how far a bar is filled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from .sensors import Reading

Shown = tuple[str, str, float | None]
"""Number, unit, percent that the bar is filled (None: no bar)."""


@dataclasses.dataclass(frozen=True)
class Tile:
    """One tile. ``show`` says what it shows of a reading."""

    id: str
    name: str
    hint: str
    show: Callable[[Reading], Shown]

    def props(self, reading: Reading) -> dict[str, Any]:
        """The properties of the tile's number: text, unit and bar in one component, so that one write does it."""
        number, unit, filled = self.show(reading)
        style = {} if filled is None else {"--filled": round(filled, 1)}
        return {"children": number, "data-unit": unit, "style": style}


def per_second(value: float) -> Shown:
    """Bytes per second in a unit that leaves at most three digits before the point."""
    unit, scale = next((u, s) for u, s in (("GB/s", 1e9), ("MB/s", 1e6), ("kB/s", 1e3)) if value >= s or s == 1e3)
    return f"{value / scale:.1f}", unit, None


def _percent(value: float) -> Shown:
    return f"{value:.1f}", "%", value


def _count(value: float, decimals: int) -> Shown:
    return f"{value:,.{decimals}f}", "", None


def tiles(has_temperature: bool) -> tuple[Tile, ...]:
    """All tiles of a machine; without a temperature the swap takes its place."""
    heat = Tile("temperature", "Temperature", "the hottest sensor", lambda reading: _degrees(reading.temperature))
    swap = Tile("swap", "Swap", "of what is there", lambda reading: _percent(reading.swap))
    return (
        Tile("processor", "Processor", "mean of all cores", lambda reading: _percent(reading.processor)),
        Tile("memory", "Memory", "of what is there", lambda reading: _percent(reading.memory)),
        Tile("load", "Load", "mean of a minute", lambda reading: _count(reading.load, 2)),
        heat if has_temperature else swap,
        Tile("down", "Received", "all network cards", lambda reading: per_second(reading.down)),
        Tile("up", "Sent", "all network cards", lambda reading: per_second(reading.up)),
        Tile("processes", "Processes", "running or asleep", lambda reading: _count(reading.processes, 0)),
        Tile("disk", "Disk", "the one we run from", lambda reading: _percent(reading.disk)),
    )


def _degrees(value: float | None) -> Shown:
    return ("–", "", None) if value is None else (f"{value:.1f}", "°C", min(100.0, value))
