"""The readings of the last minutes, kept at the server, and what a page may ask about them."""

from __future__ import annotations

import collections
import csv
import io
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from .sensors import Reading

LENGTH: Final = 6000
"""Readings kept: five minutes at 20 a second."""
QUANTITIES: Final[dict[str, Callable[[Reading], float | None]]] = {
    "Processor, %": lambda reading: reading.processor,
    "Busiest core, %": lambda reading: max(reading.cores),
    "Memory, %": lambda reading: reading.memory,
    "Load": lambda reading: reading.load,
    "Received, kB/s": lambda reading: reading.down / 1e3,
    "Sent, kB/s": lambda reading: reading.up / 1e3,
    "Loopback, kB/s": lambda reading: reading.loopback / 1e3,
    "Temperature, °C": lambda reading: reading.temperature,
}


class History:
    """The newest `LENGTH` readings. One thread adds; any thread asks."""

    def __init__(self) -> None:
        self._readings: collections.deque[Reading] = collections.deque(maxlen=LENGTH)

    def add(self, reading: Reading) -> None:
        """Keep one more, forget the oldest."""
        self._readings.append(reading)

    def last(self, seconds: float) -> list[Reading]:
        """The readings of the last ``seconds``, oldest first."""
        readings = self._readings.copy()
        return [reading for reading in readings if reading.at > readings[-1].at - seconds]


def summary(readings: list[Reading]) -> list[dict[str, Any]]:
    """One row per quantity that was measured: ``{"what", "lowest", "mean", "highest"}``, as text of one decimal."""
    rows = []
    for name, read in QUANTITIES.items():
        values = [value for reading in readings if (value := read(reading)) is not None]
        if values:
            numbers = {"lowest": min(values), "mean": statistics.fmean(values), "highest": max(values)}
            rows.append({"what": name} | {key: f"{value:,.1f}" for key, value in numbers.items()})
    return rows


def as_csv(readings: list[Reading]) -> str:
    """One line per reading: the local time and every quantity, under a line of names."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["Time", *QUANTITIES])
    for reading in readings:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(reading.at)) + f".{int(reading.at * 1000) % 1000:03d}"
        writer.writerow([at, *(_rounded(read(reading)) for read in QUANTITIES.values())])
    return table.getvalue()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
