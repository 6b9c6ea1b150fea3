"""The app that runs in a second process: ``python -m tests.running.child PORT``, or ``uvicorn tests.running.child:server``.

Environment: ``NOTES`` names a file that gets one line for each thing that happens, ``STATE`` one for the durable state.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from typing import Any

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output


def note(text: str) -> None:
    """Append a line to the notes."""
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{text} {os.getpid()}\n")


app = dash_devices.Dash(__name__, state=os.environ.get("STATE"))
app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div(id="shown")])
server = app.asgi


@app.callback_shared(Output("shown", "children"), [Input("a", "value")])
def device(value: Any) -> Any:
    """Note each time the device is touched; hang on request."""
    note("device")
    if value == "hang":
        threading.Event().wait()
    if value == "frozen?":
        return gc.get_freeze_count() > 10_000
    return value


@app.on_shutdown
def release() -> None:
    """Note that the hardware is released; hang on request."""
    note("released")
    if os.environ.get("HANGING_HOOK"):
        threading.Event().wait()


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]))
