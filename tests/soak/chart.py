"""A page with one text and one chart, both moved 20 times a second: ``python -m tests.soak.chart PORT``."""

from __future__ import annotations

import math
import sys
import threading
import time

import dash_devices
from dash_devices import dcc, html

RATE = 20  # a second
POINTS = 500  # that the chart keeps

app = dash_devices.Dash(__name__, title="Chart")
app.layout = html.Div(
    [html.H1("-", id="text"), dcc.Graph(id="chart", figure={"data": [{"x": [], "y": [], "type": "scatter"}]})]
)


def push() -> None:
    """The hardware."""
    begin = time.monotonic()
    for number in range(sys.maxsize):
        point = [{"x": [[number]], "y": [[math.sin(number / 20)]]}, [0], POINTS]
        app.push_mods({"text": {"children": f"{number}"}, "chart": {"extendData": point}})
        time.sleep(max(0.0, begin + (number + 1) / RATE - time.monotonic()))


if __name__ == "__main__":
    threading.Thread(target=push, daemon=True).start()
    app.run(port=int(sys.argv[1]))
