"""The app of `test_catching_up`, for a second process: ``python -m tests.browser.catching_up PORT``.

Environment: ``NOTES`` names a file that gets a line for each call of a callback, ``STATE`` one for the durable state;
``SERVICE`` is the service of the server, ``RERUN=no`` switches the repetition off.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from typing import Any

import dash

import dash_devices
from dash_devices import ctx, dcc, html
from dash_devices.dependencies import ALL, MATCH, Input, Output, State

chosen: dict[str, Any] = {}
"""What a regular callback keeps in the program: lost when the process ends."""
calls = itertools.count(1)

app = dash_devices.Dash(
    __name__,
    use_pages=True,
    pages_folder="",
    suppress_callback_exceptions=True,
    state=os.environ.get("STATE"),
    server_service=int(os.environ.get("SERVICE", dash_devices.Services.PUSHER_ALL)),
    rerun=os.environ.get("RERUN") != "no",
)
dash.register_page("home", path="/", layout=html.Div("home", id="home"))
dash.register_page("live", path="/live", layout=html.Div([dcc.Input(id="speed", value="1"), html.Div(id="fast")]))


def row(index: int) -> html.Div:
    """A channel with a dict id."""
    return html.Div(
        [
            dcc.Input(id={"type": "gain", "index": index}, value=f"g{index}"),
            html.Div(id={"type": "shown", "index": index}),
        ]
    )


app.layout = html.Div(
    [
        dcc.Input(id="channel", value="one"),
        *(html.Div("-", id=id) for id in ("title", "reading", "went", "idle", "once", "sum", "length", "inside")),
        *(html.Div("-", id=id) for id in ("obeyed", "obeyed_here")),
        *(html.Button(id, id=id) for id in ("go", "rest", "order")),
        dcc.Store(id="ordered"),
        dcc.Store(id="ordered_here"),
        dcc.Graph(id="graph", figure={"data": [{"y": [1, 2]}]}),
        html.Div(id="zoom"),
        dcc.Input(id="power"),
        html.Div("-", id="device"),
        row(0),
        row(1),
        html.Div(id="panel"),
        dcc.Link("live", href="/live", id="to_live"),
        dash.page_container,
    ]
)


def note(name: str) -> None:
    """Append a line to the notes: who was called, whether something had triggered it, and in which process."""
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{name}{':caused' if ctx.triggered else ''} {os.getpid()}\n")


@app.callback(Output("title", "children"), Input("channel", "value"))
def choose(channel: str) -> str:
    """The reported fault: only this tells the program what to measure."""
    note("choose")
    chosen["channel"] = channel
    return f"channel {channel}"


@app.callback(None, Input("title", "children"))
def follow(title: str) -> None:
    note("follow")


@app.callback(Output("length", "children"), Input("title", "children"))
def measure(title: str) -> int:
    note("measure")
    return len(title)


@app.callback(None, Input("go", "n_clicks"), State("channel", "value"))
def command(clicks: int, channel: str) -> None:
    note("command")


@app.callback(Input("channel", "value"))
def without(channel: str) -> None:
    note("without")


@app.callback(Output("went", "children"), Input("go", "n_clicks"), Input("channel", "value"))
def went(clicks: int | None, channel: str) -> str:
    note("went")
    return f"{clicks} clicks"


@app.callback(Output("idle", "children"), Input("rest", "n_clicks"))
def idle(clicks: int | None) -> str:
    note("idle")
    return f"{clicks} rests"


@app.callback(Output("ordered", "data"), Input("order", "n_clicks"))
def order(clicks: int | None) -> str:
    """Hands a click on in a Store."""
    note("order")
    return f"order {clicks}"


@app.callback(Output("obeyed", "children"), Input("ordered", "data"))
def obey(ordered: str) -> str:
    note("obey")
    return ordered


app.clientside_callback(
    "clicks => clicks ? `order ${clicks}` : window.dash_clientside.no_update",
    Output("ordered_here", "data"),
    Input("order", "n_clicks"),
)


@app.callback(Output("obeyed_here", "children"), Input("ordered_here", "data"))
def obey_here(ordered: str) -> str:
    """Does not run at the start: the callback before it has no result then."""
    note("obey_here")
    return ordered


@app.callback(Output("zoom", "children"), Input("graph", "relayoutData"))
def zoom(data: Any) -> str:
    note("zoom")
    return f"{data}"


@app.callback(Output("once", "children"), Input("channel", "value"), rerun=False)
def once(channel: str) -> str:
    note("once")
    return channel


@app.callback(Output("power", "value"), Input("channel", "value"))
def preset(channel: str) -> str:
    """Writes a watched property, as a proposal."""
    note("preset")
    return "10"


@app.callback_shared(Output("device", "children"), Input("power", "value"))
def set_power(power: str | None) -> str:
    return f"power {power}, call {next(calls)}"


@app.callback(Output({"type": "shown", "index": MATCH}, "children"), Input({"type": "gain", "index": MATCH}, "value"))
def show_gain(gain: str) -> str:
    note(f"gain-{gain}")
    return gain


@app.callback(Output("sum", "children"), Input({"type": "gain", "index": ALL}, "value"))
def add(gains: list[str]) -> str:
    note(f"sum-{'-'.join(gains)}")
    return "-".join(gains)


@app.callback(Output("panel", "children"), Input("channel", "value"))
def panel(channel: str) -> html.Div:
    """Brings components with a callback of their own."""
    note("panel")
    return html.Div([dcc.Input(id="inner", value=channel), html.Div(id="innermost")])


@app.callback(Output("innermost", "children"), Input("inner", "value"))
def innermost(value: str) -> str:
    note(f"innermost-{value}")
    return value


@app.callback(Output("fast", "children"), Input("speed", "value"))
def fast(speed: str) -> str:
    note("fast")
    return f"speed {speed}"


def measure_for_ever() -> None:
    """Pushes readings of the channel that was chosen."""
    pause = threading.Event()
    while not pause.wait(0.05):
        if "channel" in chosen:
            app.push_mods({"reading": {"children": f"{chosen['channel']} by {os.getpid()}"}})


if __name__ == "__main__":
    threading.Thread(target=measure_for_ever, daemon=True).start()
    app.run(port=int(sys.argv[1]))
