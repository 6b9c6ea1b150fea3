"""Section 4, a change made in a page: what somebody does with a component wins by its seq, whatever came meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
import pytest

from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from .helpers import has_reported, kept, settled
from .rig import Rig

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F4")


def behind(rig: Rig, page: Any, id: str, property: str, *values: Any) -> None:
    """Push values of which the page gets all but the last: a report of it is late then."""
    settled(page)
    for value in values[:-1]:
        rig.app.push_mods({id: {property: value}})
        assert rig.calls.next() == (id, value)
        assert rig.rest(page) == []
    page.evaluate("gate.close()")
    rig.app.push_mods({id: {property: values[-1]}})
    kept(page, "mods")
    assert rig.calls.next() == (id, values[-1])


def wins(rig: Rig, page: Any, id: str, property: str, value: Any) -> None:
    """The page's value is the newest, for all."""
    has_reported(page, id, property, value)
    page.evaluate("gate.open()")
    assert rig.rest(page) == [(id, value)]
    assert rig.values(id, property, page) == [value, value]


def test_4_7_text_that_was_entered_wins(serve: Given, gated_tab: Given) -> None:
    rig = Rig(dcc.Input(id="x", debounce=True))
    rig.record("x", "value")
    page = gated_tab(serve(rig.app).url)
    behind(rig, page, "x", "value", "one", "two")
    page.fill("#x", "mine")
    page.press("#x", "Enter")
    wins(rig, page, "x", "value", "mine")


@pytest.mark.parametrize("name", ["dcc.Dropdown", "dmc.Select"])
def test_4_7_a_choice_in_a_menu_that_is_drawn_elsewhere_wins(name: str, serve: Given, gated_tab: Given) -> None:
    names = ["one", "two", "three"]
    rig = Rig(dcc.Dropdown(names, id="x") if name == "dcc.Dropdown" else dmc.Select(data=names, id="x"))
    rig.record("x", "value")
    page = gated_tab(serve(rig.app).url)
    behind(rig, page, "x", "value", "one", "two")
    page.click("#x")
    page.locator("[role=option], .dash-dropdown-content label").filter(has_text="three").click()
    wins(rig, page, "x", "value", "three")


def test_4_7_the_end_of_a_drag_wins_over_what_came_during_it(serve: Given, gated_tab: Given) -> None:
    """The value is told when the pointer is released: that is a user event like the others."""
    rig = Rig(html.Div(dcc.Slider(0, 10, 1, value=5, id="x", updatemode="mouseup"), style={"width": "600px"}))
    rig.record("x", "value")
    page = gated_tab(serve(rig.app).url)
    settled(page)
    box = page.locator("#x [role=slider]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + box["height"] / 2, steps=3)
    rig.app.push_mods({"x": {"tooltip": {"placement": "top"}}})  # a write, of something else
    assert rig.rest(page) == []
    page.evaluate("gate.close()")
    rig.app.push_mods({"x": {"value": 0}})
    kept(page, "mods")
    assert rig.calls.next() == ("x", 0)
    page.mouse.up()
    value = page.evaluate("gate.read('x', 'value')")
    assert value > 5
    wins(rig, page, "x", "value", value)


def test_4_7_set_props_of_the_page_wins(serve: Given, gated_tab: Given) -> None:
    rig = Rig(dcc.Input(id="x"))
    rig.record("x", "value")
    page = gated_tab(serve(rig.app).url)
    behind(rig, page, "x", "value", "one", "two")
    page.evaluate("() => dash_clientside.set_props('x', { value: 'mine' })")
    wins(rig, page, "x", "value", "mine")


def test_4_7_later_results_of_callbacks_win_even_if_they_are_equal(serve: Given, gated_tab: Given) -> None:
    rig = Rig(dcc.Input(id="x"), html.Button("go", id="go"))
    rig.record("x", "value")
    rig.app.clientside_callback("() => 'two'", Output("x", "value"), Input("go", "n_clicks"), prevent_initial_call=True)
    page = gated_tab(serve(rig.app).url)
    behind(rig, page, "x", "value", "one", "two")
    page.click("#go")
    wins(rig, page, "x", "value", "two")


def test_9_1_a_request_comes_behind_the_change_that_caused_it(serve: Given, gated_tab: Given) -> None:
    rig = Rig(dcc.Input(id="x", value="0"), html.Div(id="out"))
    rig.record("x", "value")
    rig.app.callback(Output("out", "children"), Input("x", "value"))(
        lambda value: f"{value} {rig.app.get('x', 'value')}"
    )
    page = gated_tab(serve(rig.app).url)
    for n in range(20):
        page.fill("#x", f"{n}")
        page.wait_for_selector(f"#out:text-is('{n} {n}')")
