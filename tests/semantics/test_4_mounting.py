"""Section 4, a change made in a page: what components report when they are mounted is no change, on slow machines neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dash_devices import html
from dash_devices.dependencies import Input, Output

from .helpers import has_reported, settled
from .mounted import GRAPH, MOUNTED, ROWS, SILENT, Table, with_ids
from .rig import LANE, Rig

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F5")

DIFFERS = """([id, property, value]) => gate.sent.some(({ values }) => values?.some(
  ([one, name, other]) => one === id && name === property && JSON.stringify(other) !== value))"""


def make_rig(table: Table) -> Rig:
    """An app with these components, whose values are recorded."""
    rig = Rig(*with_ids(table))
    for id, (_, property, _) in table.items():
        rig.record(id, property)
    return rig


def check(table: Table, rig: Rig, page: Any) -> None:
    """Each of them reports something else than the server has, and that changes nothing."""
    for id, (_, property, value) in table.items():
        if id not in SILENT:
            page.wait_for_function(DIFFERS, arg=[id, property, json.dumps(value, separators=(",", ":"))])
    assert rig.rest(page) == []
    ends = {id: rig.values(id, property, page) for id, (_, property, _) in table.items()}
    assert ends == {id: [value, value] for id, (_, _, value) in table.items()}


@pytest.mark.parametrize(("slower", "table"), [(1, MOUNTED | GRAPH | SILENT), (6, MOUNTED | GRAPH)])
def test_4_7_where_the_server_has_another_value_it_wins(
    slower: int, table: Table, serve: Given, gated_tabs: Given
) -> None:
    rig = make_rig(table)
    for id, (_, property, value) in table.items():
        rig.app.push_mods({id: {property: value}})
    (page,) = gated_tabs(serve(rig.app).url, 1, slower=slower)
    check(table, rig, page)


def test_4_7_it_wins_where_they_appear_later(serve: Given, gated_tabs: Given) -> None:
    rig, table = Rig(html.Button("go", id="go"), html.Div(id="box")), MOUNTED | GRAPH | SILENT
    for id, (_, property, value) in table.items():
        rig.record(id, property)
        rig.app.push_mods({id: {property: value}})
    rig.app.callback(Output("box", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        lambda n: with_ids(table)
    )
    (page,) = gated_tabs(serve(rig.app).url, 1)
    page.click("#go")
    check(table, rig, page)


def test_4_7_where_the_server_has_none_it_is_adopted(serve: Given, gated_tabs: Given) -> None:
    table: Table = {id: MOUNTED[id] for id in ("slider", "table", "slides")} | SILENT
    rig = make_rig(table)
    prevented = [Input(id, property) for id, (_, property, _) in table.items()]
    rig.app.callback_shared(Output("said", "title"), prevented, lane=LANE, prevent_initial_call=True)(
        lambda *values: rig.calls(("prevented", values))
    )
    url = serve(rig.app).url
    adopted = {"slider": 4, "table": ROWS, "slides": 0, "tabs": "a", "accordion": "item-0", "dbc-tabs": "tab-0"}
    (first,) = gated_tabs(url, 1)
    for id, value in adopted.items():
        has_reported(first, id, table[id][1], value)
    pages = [first, *gated_tabs(url, 1)]
    settled(pages[1])  # it has all of them in its layout
    assert rig.rest(*pages) == []
    assert {id: rig.values(id, table[id][1], *pages) for id in table} == {id: [adopted[id]] * 3 for id in table}
