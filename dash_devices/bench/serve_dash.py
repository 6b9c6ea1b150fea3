"""The measured Dash servers, ours and the stock ones, over the same layouts and the same callback.

Run as a script by the bench: ``python serve_dash.py SYSTEM LAYOUT PORT``. One file without relative imports, because a
stock system must be measured in a process that never imported ``dash_devices``.
A line ``push`` on standard input makes a thread call ``push_mods``; the end of standard input ends the process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import dash
from dash import Input, Output, dcc, html
from dash.dash_table.DataTable import DataTable

SLIDER, READING = "power", "reading"
WITHOUT_CALLBACK = ("stock", "stock-instant")


# ---- layouts ---------------------------------------------------------------------------------------------------------
def bare_layout() -> Any:
    """A slider and the div that shows its value."""
    return html.Div(control())


def control(suffix: str = "") -> list[Any]:
    """The two measured components."""
    return [dcc.Slider(0, 100, 1, value=40, id=SLIDER + suffix), html.Div(id=READING + suffix)]


def demo_like_layout() -> Any:
    """A page like the demo's: more than 150 components with Graph, Tabs and DataTable around the measured two."""
    return html.Div([header(), dcc.Tabs([live_tab(), table_tab()], value="live"), footer()])


def header() -> Any:
    """Title, who is here, and controls."""
    people = html.Ul([html.Li(html.Span(f"visitor {i}")) for i in range(8)])
    return html.Header([html.H1("Machine"), html.P("Sensors of this machine"), people, html.Div(control())])


def live_tab() -> Any:
    """A figure, one meter per core, and 32 readings of three components each."""
    meters = [html.Div([html.Label(f"core {i}"), html.Meter(value="0.4", id=f"core-{i}")]) for i in range(8)]
    tiles = [html.Div([html.Span(f"sensor {i}"), html.B("0", id=f"tile-{i}")]) for i in range(32)]
    trace = {"x": list(range(120)), "y": [i % 17 for i in range(120)], "type": "scatter", "mode": "lines"}
    graph = dcc.Graph(id="graph", figure={"data": [trace, {**trace, "y": [i % 11 for i in range(120)]}]})
    shared = [
        dcc.Input(id="note", value=""),
        html.Button("Snap", id="snap"),
        dcc.Checklist(["mean", "peak"], id="show"),
    ]
    private = [dcc.Dropdown(["1 min", "5 min"], "1 min", id="window", clearable=False), html.Div(id="window-text")]
    return dcc.Tab(
        [graph, html.Div(meters), html.Div(tiles), html.Div([*shared, *private])], label="Live", value="live"
    )


def table_tab() -> Any:
    """A table; as in any Dash page it is mounted when its tab is opened."""
    rows: list[dict[Any, Any]] = [{"name": f"process {i}", "cpu": i} for i in range(20)]
    other = DataTable(rows, [{"name": n, "id": n} for n in ("name", "cpu")], id="processes")
    return dcc.Tab([other], label="Processes", value="processes")


def footer() -> Any:
    """A table that is always in sight, a per-tab control, and small print."""
    rows: list[dict[Any, Any]] = [{"sensor": f"sensor {i}", "value": i} for i in range(10)]
    table = DataTable(rows, [{"name": n, "id": n} for n in ("sensor", "value")], id="table", page_size=10)
    chosen = [dcc.RadioItems(["C", "F"], "C", id="unit"), html.Div(id="unit-text")]
    return html.Footer([table, *chosen, *[html.Small(f"note {i}") for i in range(12)]])


def curve_layout(properties: int, callbacks: int) -> Any:
    """The measured two, ``properties`` divs whose children are shared, ``callbacks`` divs that show some of them."""
    shared = [html.Div(str(i), id=f"p{i}") for i in range(properties)]
    return html.Div([*control(), html.Div(shared), html.Div([html.Div(id=f"q{i}") for i in range(callbacks)])])


# ---- callbacks -------------------------------------------------------------------------------------------------------
async def show(value: float) -> str:
    """The measured callback as a coroutine."""
    return f"{value} W"


def show_sync(value: float) -> str:
    """The measured callback as a plain function."""
    return f"{value} W"


def add_demo_callbacks(app: Any) -> None:
    """The demo's two regular callbacks. They listen to other controls than the measured one."""

    async def text(value: str) -> str:
        return f"shows {value}"

    app.callback(Output("window-text", "children"), Input("window", "value"))(text)
    app.callback(Output("unit-text", "children"), Input("unit", "value"))(text)


def add_curve_callbacks(app: Any, properties: int, callbacks: int) -> None:
    """Share ``properties`` properties, the first ``callbacks`` of them as Inputs of a shared callback each."""
    for i in range(callbacks):
        app.callback_shared(Output(f"q{i}", "children"), [Input(f"p{i}", "children")])(show)
    for i in range(callbacks, properties):
        app.share(f"p{i}", "children")


# ---- systems ---------------------------------------------------------------------------------------------------------
def ours(kind: str) -> Any:
    """An app of ``dash_devices`` with the measured callback: ``shared-async``, ``shared-sync``, ``pair`` or ``regular``."""
    import dash_devices  # here, so that stock processes never see it

    app: Any = dash_devices.Dash(__name__)
    rule = {}
    if os.environ.get("BENCH_AUTHENTICATE"):
        app.authenticate(lambda request: dash_devices.Identity("bench", roles=["operator"]))
        rule = {"allow": "operator"}
    if kind == "regular":
        app.callback(Output(READING, "children"), Input(SLIDER, "value"))(show)
    else:
        function: Callable[..., Any] = show_sync if kind == "shared-sync" else show
        app.callback_shared(Output(READING, "children"), [Input(SLIDER, "value")], **rule)(function)
    if kind == "pair":
        output, input = Output(f"{READING}-sync", "children"), Input(f"{SLIDER}-sync", "value")
        app.callback_shared(output, [input], **rule)(show_sync)
    return app


def stock(kind: str) -> Any:
    """A stock Dash app: ``stock-ws``, ``stock-http``, ``stock-flask``; without the callback ``stock`` and ``stock-instant``."""
    if kind == "stock-flask":
        app = dash.Dash(__name__)
    else:
        app = dash.Dash(__name__, backend="quart", websocket_callbacks=kind == "stock-ws")
    if kind not in WITHOUT_CALLBACK:
        app.callback(Output(READING, "children"), Input(SLIDER, "value"))(show_sync if kind == "stock-flask" else show)
    return app


def build(system: str, layout: str) -> Any:
    """The app of one system over ``bare``, ``demo`` or ``PROPERTIESxCALLBACKS``."""
    app = stock(system) if system.startswith("stock") else ours(system)
    if layout == "bare":
        app.layout = bare_layout()
    elif layout == "demo":
        app.layout = demo_like_layout()
        add_demo_callbacks(app)
    else:
        properties, callbacks = map(int, layout.split("x"))
        app.layout = curve_layout(properties, callbacks)
        if system != "stock":
            add_curve_callbacks(app, properties, callbacks)
    if system == "pair":
        app.layout.children = [*app.layout.children, html.Div(control("-sync"))]
    if system in WITHOUT_CALLBACK:
        app.layout[READING].children = "40 W"  # what the measured callback would have put there
    return app


def isolate(app: Any, flask: bool) -> None:
    """Send the headers of cross-origin isolation, which gives the page a clock of 5 us instead of 100 us."""

    def add(response: Any) -> Any:
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
        return response

    async def add_async(response: Any) -> Any:  # Quart would run a plain function in a thread
        return add(response)

    app.server.after_request(add if flask else add_async)


def obey(app: Any) -> None:
    """Push a stamp for each line on standard input and end the process with it."""
    for _ in sys.stdin:
        app.push_mods({READING: {"children": f"@{time.monotonic_ns()}@"}})
    os._exit(0)


def main(system: str, layout: str, port: int) -> None:
    """Serve one system on 127.0.0.1 until standard input ends."""
    app = build(system, layout)
    isolate(app, system == "stock-flask")
    threading.Thread(target=obey, args=(app,), daemon=True).start()
    app.run(host="127.0.0.1", port=port, debug=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
