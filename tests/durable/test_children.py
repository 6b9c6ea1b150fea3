"""Components inside of children that a Patch has changed: they come back with their newest values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dash_devices
from dash_devices import Patch, dcc, html
from dash_devices.dependencies import Input, Output

from ..semantics.helpers import Calls, props_of
from .support import MakeRaw, Serve


def make_app(calls: Calls, state: Path) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, state=state)
    app.layout = html.Div(
        [dcc.Input(id="gain", value=1), html.Span("-", id="reading"), html.Span(id="said")], id="panel"
    )
    app.callback_shared(Output("said", "children"), Input("gain", "value"))(
        lambda value: calls(value) or f"gain {value}"
    )
    return app


@pytest.mark.fault("F2")
def test_a_restart_sets_nothing_back_that_is_inside_of_patched_children(
    serve: Serve, raw: MakeRaw, tmp_path: Path
) -> None:
    calls, state = Calls(), tmp_path / "state.db"
    app = make_app(calls, state)
    server = serve(app)
    assert calls.next() == 1
    patch = Patch()
    patch.append(html.P("line", id="line"))
    app.push_mods({"gain": {"value": 5}, "reading": {"children": "42 V"}})
    assert calls.next() == 5
    app.push_mods({"panel": {"children": patch}})
    app.push_mods({"reading": {"children": "43 V"}})
    server.stop()
    again = make_app(calls, state)
    page: Any = raw(serve(again).url)
    page.hello()
    layout = page.layout()
    assert calls.next() == 5
    shown = [
        props_of(layout, id).get(name)
        for id, name in (("gain", "value"), ("reading", "children"), ("said", "children"))
    ]
    assert shown == [5, "43 V", "gain 5"]
    assert props_of(layout, "line")["children"] == "line"
    assert calls.none_left
