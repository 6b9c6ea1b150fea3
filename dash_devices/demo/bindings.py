"""What the page does: every callback of the demo, shared ones first."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Final

from .. import Dash, callback_context
from ..dependencies import ClientsideFunction, Input, Output, State
from .history import History, as_csv, summary
from .people import NAME_LENGTH, Journal, chips, invented_name, name_of
from .sampler import Sampler
from .screen import Mods

SWEAT: Final = 2.0
"""Seconds that the button keeps a core busy."""
BUSY: Final = f"import time\nend = time.monotonic() + {SWEAT}\nwhile time.monotonic() < end: pass"


def bind(app: Dash, sampler: Sampler, history: History) -> None:
    """Bind every callback."""
    journal = Journal(app.push_mods)
    bind_shared(app, sampler, journal)
    bind_people(app, journal)
    bind_private(app, history)


def bind_shared(app: Dash, sampler: Sampler, journal: Journal) -> None:
    """What is the same in every tab."""

    @app.callback_shared(Output("rate-text", "children"), [Input("rate", "value")])
    def set_rate(hertz: float) -> str:
        sampler.set_rate(hertz)  # the first call is made by the server itself, when it starts
        return f"{hertz:g} readings a second" if hertz != 1 else "one reading a second"

    @app.callback_shared(Output("note-by", "children"), [Input("note", "value")], prevent_initial_call=True)
    def sign_note(text: str) -> str:
        return f"written by {name_of(callback_context.client)}" if text else "nobody wrote yet"

    @app.callback_shared(None, [Input("sweat", "n_clicks")], most_recent=True)
    def sweat(_clicks: int) -> None:
        who = name_of(callback_context.client)
        journal.write(who, "made the machine sweat", lambda: {"sweat": {"children": "Sweating …"}})
        # A process and not a thread: a busy loop would share this interpreter with the server.
        subprocess.run([sys.executable, "-c", BUSY], check=True)
        app.push_mods({"sweat": {"children": "Make it sweat"}})


def bind_people(app: Dash, journal: Journal) -> None:
    """Who is here, what they are called, what they did."""

    def people() -> Mods:
        return {"people": {"children": chips(app.clients)}, "people-count": {"children": str(len(app.clients))}}

    @app.callback_connect
    def come_and_go(client: Any, connect: bool) -> Mods | None:
        client.username = client.username or invented_name(client.id)
        journal.write(client.username, "came" if connect else "left", people)
        return {"name": {"value": client.username}} if connect else None  # to this client alone

    @app.callback(Output("name-text", "children"), [Input("name", "value")], prevent_initial_call=True)
    def rename(name: str | None) -> str:
        client, name = callback_context.client, (name or "").strip()[:NAME_LENGTH]
        if name and name != client.username:
            old, client.username = client.username, name
            journal.write(name, f"was {old} before", people)
        return f"The others see you as {name_of(client)}."


def bind_private(app: Dash, history: History) -> None:
    """What is each tab's own: regular callbacks at the server, clientside ones in the page."""

    @app.callback(
        [Output("stats", "data"), Output("stats-text", "children")], [Input("window", "value"), Input("beat", "data")]
    )
    def look_back(seconds: float, _beat: int) -> tuple[list[dict[str, Any]], str]:
        readings = history.last(seconds)
        return summary(readings), f"{len(readings):,} readings of the last {seconds:g} seconds"

    @app.callback(
        Output("download", "data"), [Input("save", "n_clicks")], [State("window", "value")], prevent_initial_call=True
    )
    def save(_clicks: int, seconds: float) -> dict[str, str]:
        return {"content": as_csv(history.last(seconds)), "filename": "readings.csv", "type": "text/csv"}

    in_page: Any = app.clientside_callback  # untyped in Dash
    in_page(ClientsideFunction("demo", "follow"), Input("newest", "data"), Input("window", "value"))
    in_page(ClientsideFunction("demo", "paint"), Input("theme", "value"))
    in_page(ClientsideFunction("demo", "reach"), Input("tabs", "value"))
