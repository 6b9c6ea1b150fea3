"""The strip charts: which quantity is drawn where, as Plotly figures that only ever grow at their right end."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from .sensors import Reading

POINTS: Final = 600
"""Points that a chart keeps: five minutes at the 2 a second that are drawn at most."""
MAX_CORES: Final = 8
"""With more cores than that one line each would be a haystack: then only their mean is drawn."""
# Colours of a middle tone, to be read on white and on black alike. Text and grid are coloured by the style sheet.
TEAL, AMBER, BLUE, ROSE = "#14a08d", "#dd8a2b", "#5b8def", "#d0639a"
LOW: Final = {"ticklen": 7, "tickcolor": "rgba(0,0,0,0)"}
"""Unseen tick marks that keep the labels of the time axis clear of the lowest one of the other axis."""
CORES: Final = (BLUE, AMBER, ROSE, "#8a78d6", "#6aa84f", "#c9745a", "#4aa5c4", "#9a8f50")


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a chart. ``read`` gives None where there is nothing to draw."""

    name: str
    colour: str
    read: Callable[[Reading], float | None]
    width: float = 1.5
    filled: bool = False


@dataclasses.dataclass(frozen=True)
class Chart:
    """One strip chart. ``top`` is the upper end of the axis, None: as far as the values go; ``ticks`` a d3 format."""

    id: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    top: float | None = None
    ticks: str = ""

    def figure(self) -> dict[str, Any]:
        """The empty figure."""
        return {"data": [_trace(line) for line in self.lines], "layout": _layout(self)}

    def extend(self, readings: Iterable[Reading]) -> list[Any]:
        """The value of ``Graph.extendData`` that draws these readings."""
        readings = list(readings)
        x = [wall_clock(reading.at) for reading in readings]
        y = [[_rounded(line.read(reading)) for reading in readings] for line in self.lines]
        return [{"x": [x] * len(self.lines), "y": y}, list(range(len(self.lines))), POINTS]


def charts(cores: int, has_temperature: bool) -> tuple[Chart, ...]:
    """All charts of a machine with this many cores."""
    busy = [Line("all cores", TEAL, lambda reading: reading.processor, 2.2, filled=True)]
    if cores <= MAX_CORES:
        busy += [Line(f"core {i}", CORES[i], _core(i), 1.0) for i in range(cores)]
    memory = (
        Line("memory", BLUE, lambda reading: reading.memory, 2.0, filled=True),
        Line("swap", ROSE, lambda reading: reading.swap),
    )
    network = (
        Line("received", TEAL, lambda reading: reading.down),
        Line("sent", AMBER, lambda reading: reading.up),
        Line("loopback", BLUE, lambda reading: reading.loopback, 1.0),
    )
    heat = Line("hottest sensor", ROSE, lambda reading: reading.temperature, 2.0)
    load = Line("last minute", AMBER, lambda reading: reading.load, 2.0, filled=True)
    hot = Chart("chart-heat", "Temperature", "°C", (heat,))
    loaded = Chart("chart-load", "Load", "processes", (load,))
    return (
        Chart("chart-processor", "Processor", "%", tuple(busy), 100),
        Chart("chart-memory", "Memory", "%", memory, 100),
        Chart("chart-network", "Network", "bytes / s", network, ticks="~s"),
        hot if has_temperature else loaded,
    )


def wall_clock(at: float) -> float:
    """Epoch seconds as the milliseconds that make Plotly, which knows only UTC, show this machine's own time."""
    return round((at + time.localtime(at).tm_gmtoff) * 1000)


def _core(number: int) -> Callable[[Reading], float | None]:
    return lambda reading: reading.cores[number] if number < len(reading.cores) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _trace(line: Line) -> dict[str, Any]:
    trace: dict[str, Any] = {"type": "scatter", "mode": "lines", "name": line.name, "x": [], "y": []}
    trace["line"] = {"color": line.colour, "width": line.width}
    trace["hovertemplate"] = "%{y:.3~s}"
    if line.filled:
        trace |= {"fill": "tozeroy", "fillcolor": line.colour + "26"}
    return trace


def _layout(chart: Chart) -> dict[str, Any]:
    y: dict[str, Any] = {"range": [0, 1.04 * chart.top]} if chart.top else {"rangemode": "tozero"}
    axis = {"fixedrange": True, "zeroline": False, "showline": False, "gridcolor": "#8884"}
    return {
        "xaxis": axis
        | {"type": "date", "tickformat": "%H:%M:%S", "nticks": 5, "showgrid": False, "ticks": "outside"}
        | LOW,
        "yaxis": axis | y | {"nticks": 5, "tickformat": chart.ticks, "side": "right"},
        "margin": {"l": 2, "r": 34, "t": 6, "b": 26},
        "font": {"size": 11, "color": "#808080", "family": "inherit"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hovermode": "x unified",
        "dragmode": False,
        "uirevision": "live",
    }
