"""An app whose calls and pages can be brought to rest: everything that was under way has run, and is shown."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import dcc, html

import dash_devices
from dash_devices.dependencies import Input

from .helpers import Calls, shows

if TYPE_CHECKING:
    from playwright.sync_api import Page

LANE = "device"
DRAWN = "() => new Promise((go) => setTimeout(() => setTimeout(go)))"
SAY = "(text) => dash_clientside.set_props('said', { value: text })"
ANSWERED = "() => dash_devices.unacked === 0"


class Rig:
    """An app with recorded calls: ``(name, value)`` each, all in one lane.

    Attributes:
        app: has its layout already.
        calls: what `record` and other callbacks of the lane put there.
    """

    def __init__(self, *layout: Any, **options: Any) -> None:
        self.app = dash_devices.Dash(**options)
        self.calls = Calls()
        self._marks = itertools.count(1)
        # it is there, and not to be seen: a click must not miss what is below
        beside = html.Div([dcc.Input(id="said"), html.Div(id="mark")], style={"position": "fixed", "bottom": 0})
        self.app.layout = dmc.MantineProvider(html.Div([*layout, beside]))
        self.app.share("said", "value")
        self.record("mark", "children")

    def record(self, id: str, property: str) -> None:
        """Record the values that a callback without output is called with."""
        self.app.callback_shared(None, Input(id, property), lane=LANE)(lambda value: self.calls((id, value)))

    def rest(self, *pages: Page) -> list[Any]:
        """Wait until all that is on its way between the server and the pages has arrived and run; the calls until then."""
        calls = self._mark(pages)
        for page in pages:
            page.evaluate(DRAWN)  # components answer to a mod when they are drawn
        for page in pages:
            page.evaluate(SAY, f"mark {next(self._marks)}")
            page.wait_for_function(ANSWERED)
        return calls + self._mark(pages)

    def values(self, id: str, property: str, *pages: Page) -> list[Any]:
        """The value at the server, then those in pages with the gate."""
        return [
            self.app.get(id, property),
            *(page.evaluate(f"gate.read('{id}', '{property}') ?? null") for page in pages),
        ]

    def _mark(self, pages: Sequence[Page]) -> list[Any]:
        text, calls = f"mark {next(self._marks)}", []
        self.app.push_mods({"mark": {"children": text}})
        while (call := self.calls.next()) != ("mark", text):
            calls.append(call)
        for page in pages:
            shows(page, "mark", text)
        return calls
