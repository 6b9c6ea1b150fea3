"""A program whose pages repair a control in answer to what the server writes, and what drives it: for tests and the soak."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from dash import dcc, html

from dash_devices.dependencies import Input, Output

from .rig import Rig

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOUND = (["COM1", "COM3"], ["COM1", "COM12"])
PORT = "port"


def port_scanner(seed: int, **dropdown: Any) -> Rig:
    """An app with a button that finds ports, and chooses the last of them 0 to 20 ms later. No scan finds the port of before."""
    rig, delays = (
        Rig(html.Button("scan", id="scan"), dcc.Dropdown(FOUND[0], "COM3", id=PORT, **dropdown)),
        random.Random(seed),
    )
    app = rig.app
    app.callback_shared(Output(PORT, "options"), Input("scan", "n_clicks"), prevent_initial_call=True)(
        lambda n: FOUND[n % 2]
    )

    @app.callback_shared(Output(PORT, "value"), Input(PORT, "options"), prevent_initial_call=True)
    def choose(options: list[str]) -> str:
        time.sleep(delays.uniform(0, 0.02))
        return options[-1]

    rig.record(PORT, "value")
    return rig


def wrong_scans(rig: Rig, pages: list[Page], count: int, first: int = 1) -> list[Any]:
    """Scan that many times; where server, last opened port and pages did not all end on the chosen one."""
    wrong = []
    for n in range(first, first + count):
        chosen = (PORT, FOUND[n % 2][-1])
        pages[0].click("#scan")
        while (last := rig.calls.next()) != chosen:
            pass
        last = [last, *rig.rest(*pages)][-1]
        ends = [last[1], *rig.values(*chosen[:1], "value", *pages)]
        if set(ends) != {chosen[1]}:
            wrong.append((n, chosen[1], ends))
    return wrong
