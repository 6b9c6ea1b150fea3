"""Section 4, a change made in a page: what components report when they are mounted is no change, on slow machines neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import dash_ag_grid
import dash_bootstrap_components as dbc
import dash_mantine_components as dmc
import pytest
from dash import dash_table

from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from .helpers import has_reported, settled
from .rig import LANE, Rig

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F5")

ROWS = [{"a": 1}, {"a": 2}]
COLUMNS = [{"field": "a"}]
CHILDREN = [{"value": "a", "label": "a", "children": [{"value": "b", "label": "b"}]}]
SLIDES = [dmc.CarouselSlide("one"), dmc.CarouselSlide("two")]
MOUNTED = {
    "slider": (dcc.Slider(0, 10, value=4), "drag_value", 7),
    "range": (dcc.RangeSlider(0, 10, value=[4, 5]), "drag_value", [1, 7]),
    "port": (dcc.Dropdown(["COM1"], "COM3"), "value", "COM12"),
    "table": (dash_table.DataTable(ROWS), "derived_virtual_data", [{"a": 3}]),
    "grid": (dash_ag_grid.AgGrid(rowData=ROWS, columnDefs=COLUMNS), "virtualRowData", [{"a": 3}]),
    "pages": (
        dash_ag_grid.AgGrid(rowData=ROWS, columnDefs=COLUMNS, dashGridOptions={"pagination": True}),
        "paginationInfo",
        {"currentPage": 7},
    ),
    "slides": (dmc.Carousel(SLIDES), "active", 1),
    "search": (dmc.Select(data=["a", "b"], value="a", searchable=True), "searchValue", "b"),
    "tree": (dmc.Tree(data=CHILDREN, checked=["a"]), "checked", ["a"]),
    "scheme": (dmc.ColorSchemeToggle(lightIcon="light", darkIcon="dark"), "computedColorScheme", "dark"),
}
"""By id: a component, a property that it reports when it is mounted, and another value that the server has."""
GRAPH = {"graph": (dcc.Graph(figure={"data": [{"y": [1]}]}), "relayoutData", {"xaxis.range": [0, 1]})}
SILENT = {
    "tabs": (dcc.Tabs([dcc.Tab(label=name, value=name) for name in "ab"]), "value", "b"),
    "accordion": (dbc.Accordion([dbc.AccordionItem(title=name) for name in "ab"]), "active_item", "item-1"),
    "dbc-tabs": (dbc.Tabs([dbc.Tab(label=name) for name in "ab"]), "active_tab", "tab-1"),
}
"""Those that report nothing where there is a value."""
Table = dict[str, tuple[Any, str, Any]]

DIFFERS = """([id, property, value]) => gate.sent.some(({ values }) => values?.some(
  ([one, name, other]) => one === id && name === property && JSON.stringify(other) !== value))"""


def make_rig(table: Table) -> Rig:
    """An app with these components, whose values are recorded."""
    for id, (component, _, _) in table.items():
        component.id = id
    rig = Rig(*(component for component, _, _ in table.values()))
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


@pytest.mark.parametrize(("slower", "table"), [(1, MOUNTED | GRAPH | SILENT), (6, MOUNTED | GRAPH), (20, MOUNTED)])
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
    make_rig(table)  # gives the components their ids
    for id, (_, property, value) in table.items():
        rig.record(id, property)
        rig.app.push_mods({id: {property: value}})
    rig.app.callback(Output("box", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        lambda n: [component for component, _, _ in table.values()]
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
