"""Section 4, a change made in a page: what a gesture of other component libraries means comes with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_ag_grid
import dash_bootstrap_components as dbc
import dash_extensions
import dash_mantine_components as dmc
import pytest
from dash import dash_table

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, State

from .helpers import Calls

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F1")
ROWS = [{"name": "gain", "value": "1"}, {"name": "offset", "value": "2"}]


def started(app: dash_devices.Dash, layout: Any, input: tuple[str, str], *states: tuple[str, str]) -> Calls:
    """Give an app a layout and a callback of one Input; its calls, as tuples."""
    calls = Calls()
    app.layout = dmc.MantineProvider(html.Div([layout, html.Button("elsewhere", id="elsewhere")]))
    app.callback_shared(None, Input(*input), *(State(*state) for state in states))(lambda *values: calls(values))
    return calls


TEXTS = {
    "dbc.Input": (lambda **props: dbc.Input(debounce=True, **props), "n_submit", "Enter"),
    "dbc.Textarea": (dbc.Textarea, "n_blur", "Tab"),
    "dmc.TextInput": (lambda **props: dmc.TextInput(debounce=True, **props), "n_submit", "Enter"),
    "dmc.TextInput, left": (lambda **props: dmc.TextInput(debounce=True, **props), "n_blur", "Tab"),
    "dcc.Textarea": (dcc.Textarea, "n_blur", "Tab"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_2_3_text_that_was_entered(name: str, serve: Given, tab: Given) -> None:
    make, property, key = TEXTS[name]
    app = dash_devices.Dash()
    calls = started(app, make(id="command", value="OUTP ON"), ("command", property), ("command", "value"))
    page = tab(serve(app).url)
    for n, text in enumerate(["OUTP OFF", "*IDN?"], 1):
        page.fill("#command", text)
        page.press("#command", key)
        assert calls.next() == (n, text)
    assert calls.none_left


def test_2_3_the_keys_of_a_keyboard(serve: Given, tab: Given) -> None:
    app = dash_devices.Dash()
    keyboard = dash_extensions.Keyboard(id="keyboard", captureKeys=["a", "b", "c"])
    calls = started(app, keyboard, ("keyboard", "n_keydowns"), ("keyboard", "keydown"))
    page = tab(serve(app).url)
    for n, key in enumerate("abcab", 1):
        page.keyboard.press(key)
        count, event = calls.next()
        assert (count, event["key"]) == (n, key)


def test_2_3_the_name_of_an_uploaded_file(serve: Given, tab: Given) -> None:
    app = dash_devices.Dash()
    upload = dcc.Upload(html.Button("upload"), id="upload")
    calls = started(app, upload, ("upload", "contents"), ("upload", "filename"))
    page = tab(serve(app).url)
    for name in ("a.txt", "b.txt"):
        page.set_input_files("#upload input", {"name": name, "mimeType": "text/plain", "buffer": name.encode()})
        contents, filename = calls.next()
        assert contents.startswith("data:text/plain;base64,")
        assert filename == name


def test_2_3_the_rows_of_a_grid_with_the_cell_that_changed(serve: Given, tab: Given) -> None:
    app = dash_devices.Dash()
    grid = dash_ag_grid.AgGrid(
        id="grid", rowData=ROWS, columnDefs=[{"field": "name"}, {"field": "value", "editable": True}]
    )
    calls = started(app, grid, ("grid", "cellValueChanged"), ("grid", "rowData"))
    page = tab(serve(app).url)
    for row, value in ((0, "10"), (1, "20")):
        page.dblclick(f"#grid [row-index='{row}'] [col-id=value]")
        page.fill("#grid .ag-cell-editor input", value)
        page.keyboard.press("Enter")
        changed, rows = calls.next()
        assert [entry["value"] for entry in changed] == [value]
        assert rows[row]["value"] == value


def test_2_3_the_data_of_a_table_with_the_cell_that_was_edited(serve: Given, tab: Given) -> None:
    app = dash_devices.Dash()
    table = dash_table.DataTable(ROWS, [{"name": name, "id": name} for name in ROWS[0]], id="table", editable=True)
    calls = started(app, table, ("table", "data"), ("table", "active_cell"), ("table", "data_timestamp"))
    page = tab(serve(app).url)
    for row, value in ((0, "10"), (1, "20")):
        page.click(f"#table td[data-dash-column=value][data-dash-row='{row}']")
        page.keyboard.type(value)
        page.keyboard.press("Enter")
        data, cell, timestamp = calls.next()
        assert data[row]["value"] == value
        assert (cell["column_id"], timestamp > 0) == ("value", True)
