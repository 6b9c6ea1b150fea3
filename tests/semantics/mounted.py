"""Components that report something by themselves when they are mounted: for the tests of the contract, and for the probe."""

from __future__ import annotations

from typing import Any

import dash_ag_grid
import dash_bootstrap_components as dbc
import dash_mantine_components as dmc
from dash import dash_table, dcc

Table = dict[str, tuple[Any, str, Any]]

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


def with_ids(table: Table) -> list[Any]:
    """The components of a table, with their ids."""
    for id, (component, _, _) in table.items():
        component.id = id
    return [component for component, _, _ in table.values()]
