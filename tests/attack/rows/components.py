"""A guest who writes components, Patches and ``__proto__`` into everything that a page may say: what comes of it elsewhere."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from typing import Any

import orjson
import psutil

import dash_devices
from dash_devices import ALL, codec, dcc, html, strict
from dash_devices.dependencies import Input, Output, State
from dash_devices.protocol import Change

from ...raw import Raw, wire_id
from ...soak.table import Check, Context, at_most, exactly
from ...support import ServerThread

PROPERTIES = ("value", "data", "src", "contents", "figure", "rowData", "extendData", "children", "options")
WORD = "evil.example"
LOCATION = {"namespace": "dash_core_components", "type": "Location", "props": {"id": "away", "href": f"https://{WORD}"}}
SHUTTER = {"namespace": "dash_core_components", "type": "Slider", "props": {"id": "shutter", "value": 66, "name": WORD}}
BOMB = {
    "__dash_patch_update": "__dash_patch_update",
    "operations": [{"operation": "Mul", "location": [], "params": {"value": 60_000_000}}],
}
HOSTILE = (LOCATION, SHUTTER, BOMB, {"__proto__": {WORD: 1}})
SHAPES = (lambda value: value, lambda value: [value], lambda value: {"a": [{"label": value}]})
PARTS = 890_000  # in the largest State that is looked through
OPERATOR = "operator"


class Scene:
    """An app that passes on what a guest says in every way there is, and what it was given then."""

    def __init__(self) -> None:
        self.given: list[Any] = []
        self.moved: list[Any] = []
        app = self.app = dash_devices.Dash(__name__)
        shutter = dcc.Slider(id="shutter", value=1)
        app.layout = html.Div([html.Div(id="x"), html.Div("words", id="text"), html.Div(id="shown"), shutter])
        inputs = [Input("x", property) for property in PROPERTIES]
        app.callback_shared(Output("shown", "children"), *inputs, State("text", "children"), State("text", "data"))(
            self._show
        )
        app.callback_shared(Output("text", "children"), Input("text", "n_clicks"), State("text", "children"))(
            self._same
        )
        app.callback_shared(Output("rows", "children"), Input({"row": ALL}, "data"))(self._same)
        app.callback_shared(None, Input("shutter", "value"), allow=lambda client: client.user_agent == OPERATOR)(
            self.moved.append
        )
        app.callback(Output("own", "children"), Input("x", "n_blur"), State("own", "children"))(self._push)

    def _show(self, *values: Any) -> Any:
        self.given.append(values)
        return [html.Span(value) for value in values if value is not None]

    def _same(self, cause: Any, *state: Any) -> Any:
        self.given.append(cause)
        return state[0] if state else cause

    def _push(self, n: Any, value: Any) -> Any:
        with contextlib.suppress(TypeError):  # the author's error
            self.app.push_mods({"shown": {"children": [html.B("pushed"), html.Span(value)]}})
        return value


def _said(page: Raw, value: Any) -> None:
    for property in PROPERTIES:
        page.change("x", property, value)
    page.change("x", "value", 1, state=[("text", "children", value), ("text", "data", value)])
    page.change("text", "n_clicks", 1, state=[("text", "children", value)])
    if value != BOMB:  # closes the socket
        page.send(
            {"type": "mount", "values": [[wire_id({"row": 1}), "data", value]], "state": [["text", "data", value]]}
        )
    body = {
        "output": "own.children",
        "outputs": {"id": "own", "property": "children"},
        "inputs": [{"id": "x", "property": "n_blur", "value": 1}],
        "changedPropIds": ["x.n_blur"],
        "state": [{"id": "own", "property": "children", "value": value}],
    }
    page.request("callback", body)


def _looked_through() -> float:
    """Milliseconds of the server for the largest State that has to be looked through."""
    value = [{"namespace": n} for n in range(PARTS // 10)] + [1] * (PARTS - PARTS // 5) + [LOCATION]
    frame = orjson.dumps({"type": "change", "n": 1, "values": [], "state": [["text", "children", value]], "at": 0})
    began = time.perf_counter()
    change = codec.decode(frame)
    assert isinstance(change, Change)
    assert change.is_suspect
    assert strict.code_in(change.state[0][2])
    return 1_000 * (time.perf_counter() - began)


def components(context: Context) -> list[Check]:
    """A guest's components, Patches and prototypes by every way in and out, what they move, and what looking for them costs."""
    scene = Scene()
    process = psutil.Process()
    with ServerThread(scene.app) as server, Raw(server.url) as guest, Raw(server.url) as other:
        for page in (guest, other):
            page.join()
        before = process.memory_info().rss
        tries = [shape(value) for value, shape in itertools.product(HOSTILE, SHAPES)]
        for value in tries:
            _said(guest, value)
        grown = (process.memory_info().rss - before) / 2**20
        scene.app.push_mods({"end": {"children": "the end"}})
        other.until_value("end", "children", "the end")
    given, seen = json.dumps(scene.given), json.dumps(other.seen)
    return [
        exactly(
            f"of {len(tries)} values, those that a shared callback got", sum(map(given.count, (WORD, "__dash_patch")))
        ),
        exactly("those that another page got", sum(map(seen.count, (WORD, "__dash_patch")))),
        exactly("calls of what only operators may move", len(scene.moved)),
        at_most("memory that Patches took", grown, 32.0, "MiB"),
        at_most(f"the server's time for State of {PARTS:,} parts", _looked_through(), 250.0, "ms"),
    ]
