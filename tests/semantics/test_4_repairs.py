"""Section 4, a change made in a page: what a component repairs by itself, in answer to what the server wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
import pytest
from dash import dash_table

from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from .helpers import has_reported, kept, said, settled
from .repairs import FOUND, PORT, port_scanner, wrong_scans
from .rig import Rig

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F4")

B, C = {"value": "b", "label": "b"}, {"value": "c", "label": "c"}
REPAIRS = {
    "Dropdown": (dcc.Dropdown(["a", "b"], "b", id="x"), "value", {"options": ["a", "c"]}, None, "c"),
    "several": (
        dcc.Dropdown(["a", "b"], ["a", "b"], multi=True, id="x"),
        "value",
        {"options": ["a", "c"]},
        ["a"],
        ["c"],
    ),
    "dmc.Select": (dmc.Select(data=["a", "b"], value="b", id="x"), "value", {"data": ["a", "c"]}, None, "c"),
    "dmc.MultiSelect": (
        dmc.MultiSelect(data=["a", "b"], value=["a", "b"], id="x"),
        "value",
        {"data": ["a", "c"]},
        ["a"],
        ["c"],
    ),
    "dmc.Tree": (dmc.Tree(data=[B], checked=["b"], id="x"), "checked", {"data": [C]}, [], ["c"]),
    "DataTable": (
        dash_table.DataTable([{"a": n} for n in range(3)], page_size=1, page_current=2, id="x"),
        "page_current",
        {"data": [{"a": 0}, {"a": 1}]},
        0,
        1,
    ),
}
"""By component: it, the property it repairs, what is written that makes it do so, what it then says, what is newer."""


@pytest.mark.parametrize("tabs", [1, 3])
def test_4_7_no_scan_loses_the_chosen_port(tabs: int, serve: Given, gated_tabs: Given) -> None:
    rig = port_scanner(tabs)
    pages = gated_tabs(serve(rig.app).url, tabs)
    assert wrong_scans(rig, pages, 20) == []
    assert [PORT, "value", None] in [value for change in said(pages[0], "change") for value in change["values"]]


def test_4_7_no_scan_loses_the_port_where_somebody_chose_another(serve: Given, gated_tab: Given) -> None:
    rig = port_scanner(0)
    page = gated_tab(serve(rig.app).url)
    for n in range(1, 6):
        for port in ("COM1", FOUND[(n + 1) % 2][-1]):  # the latter is not in what the next scan finds
            page.click(f"#{PORT}")
            page.locator(".dash-dropdown-content").get_by_text(port, exact=True).click()
            assert rig.calls.next() == (PORT, port)
        assert wrong_scans(rig, [page], 1, first=n) == []


def test_4_7_with_persistence(serve: Given, gated_tab: Given) -> None:
    rig = port_scanner(0, persistence=True)
    page = gated_tab(serve(rig.app).url)
    assert wrong_scans(rig, [page], 10) == []
    page.reload()
    page.wait_for_function("() => gate.read('port', 'value') === 'COM3'")
    assert wrong_scans(rig, [page], 3, first=11) == []


@pytest.mark.parametrize("name", REPAIRS)
def test_4_7_a_repair_does_not_overtake_a_newer_value(
    name: str, serve: Given, gated_tab: Given, caplog: pytest.LogCaptureFixture
) -> None:
    control, property, written, repaired, newer = REPAIRS[name]
    rig = Rig(control, html.Button("go", id="go"))
    rig.record("x", property)
    page = gated_tab(serve(rig.app).url)
    settled(page)
    page.click("#go")
    page.evaluate("gate.close()")
    rig.app.push_mods({"x": written})
    kept(page, "mods")
    rig.app.push_mods({"x": {property: newer}})
    kept(page, "mods", "mods")
    assert rig.calls.next() == ("x", newer)
    page.evaluate("gate.step('mods')")
    has_reported(page, "x", property, repaired)
    page.evaluate("gate.open()")
    assert rig.rest(page) == []
    assert rig.values("x", property, page) == [newer, newer]
    assert page.locator("[data-dash-devices]").count() == 0  # nobody did anything: there is nothing to mark
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.mark.parametrize(
    ("name", "touched"), [("Dropdown", True), ("Dropdown", False), ("DataTable", True), ("dmc.MultiSelect", False)]
)
def test_4_8_three_tabs_that_repair_alike_are_one_call(
    name: str, touched: bool, serve: Given, gated_tabs: Given
) -> None:
    control, property, written, repaired, _ = REPAIRS[name]
    rig = Rig(control, html.Button("go", id="go"))
    rig.record("x", property)
    pages = gated_tabs(serve(rig.app).url, 3)
    for page in pages:
        settled(page)
        if touched:
            page.click("#go")
    rig.app.push_mods({"x": written})
    has_reported(pages[0], "x", property, repaired)
    assert rig.rest(*pages) == [("x", repaired)]
    assert rig.values("x", property, *pages) == [repaired] * 4


def test_4_7_a_repair_after_a_regular_result_does_not_overtake_a_newer_value(serve: Given, gated_tab: Given) -> None:
    rig = Rig(dcc.Dropdown(FOUND[0], "COM3", id=PORT), html.Button("scan", id="scan"))
    rig.app.callback(Output(PORT, "options"), Input("scan", "n_clicks"), prevent_initial_call=True)(lambda n: FOUND[1])
    rig.record(PORT, "value")
    page = gated_tab(serve(rig.app).url)
    settled(page)
    page.evaluate("gate.close()")
    page.click("#scan")
    kept(page, "reply")
    rig.app.push_mods({PORT: {"value": "COM12"}})
    kept(page, "reply", "mods")
    assert rig.calls.next() == (PORT, "COM12")
    page.evaluate("gate.step('reply')")
    has_reported(page, PORT, "value", None)
    page.evaluate("gate.open()")
    assert rig.rest(page) == []
    assert rig.values(PORT, "value", page) == ["COM12"] * 2


def test_4_7_a_repair_after_a_regular_result_is_a_change(serve: Given, gated_tab: Given) -> None:
    rig = Rig(dcc.Dropdown(FOUND[0], "COM3", id=PORT), html.Button("scan", id="scan"))
    rig.app.callback(Output(PORT, "options"), Input("scan", "n_clicks"), prevent_initial_call=True)(lambda n: FOUND[1])
    rig.record(PORT, "value")
    page = gated_tab(serve(rig.app).url)
    settled(page)
    page.click("#scan")
    assert rig.calls.next() == (PORT, None)
    assert rig.rest(page) == []
    assert rig.values(PORT, "value", page) == [None] * 2


TABS = [dcc.Tab(label=name, value=name) for name in "abc"]
KEPT = {
    "Slider": (dcc.Slider(0, 10, value=9, id="x"), "value", {"max": 5}),
    "RangeSlider": (dcc.RangeSlider(0, 10, value=[1, 9], id="x"), "value", {"min": 3, "max": 5}),
    "RangeSlider, dragged": (dcc.RangeSlider(0, 10, value=[1, 9], id="x"), "drag_value", {"min": 3, "max": 5}),
    "Tabs": (dcc.Tabs(TABS[:2], value="b", id="x"), "value", {"children": [TABS[0], TABS[2]]}),
}


@pytest.mark.parametrize("name", KEPT)
def test_4_8_controls_that_repair_nothing_report_nothing(name: str, serve: Given, gated_tab: Given) -> None:
    control, property, written = KEPT[name]
    rig = Rig(control, html.Button("go", id="go"))
    rig.record("x", property)
    page = gated_tab(serve(rig.app).url)
    settled(page)
    page.click("#go")
    before = rig.values("x", property, page)
    rig.app.push_mods({"x": written})
    assert rig.rest(page) == []
    assert rig.values("x", property, page) == before
