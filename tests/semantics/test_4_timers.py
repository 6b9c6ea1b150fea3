"""Section 4, a change made in a page: what timers and sensors of a component report in a page that is only looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_bootstrap_components as dbc
import dash_mantine_components as dmc
import pytest

from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from .helpers import gated, settled, shows
from .rig import LANE, Rig

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F5")

CLOSING = {
    "dbc.Toast": (lambda time: dbc.Toast("hot", id="x", is_open=True, duration=time), "is_open", True, False),
    "dbc.Alert": (lambda time: dbc.Alert("hot", id="x", is_open=True, duration=time), "is_open", True, False),
    "dmc.Alert": (lambda time: dmc.Alert("hot", id="x", hide=False, duration=time), "hide", False, True),
}
"""By component: how to make it, the property that says whether it is shown, its value then, and when it has closed."""


@pytest.mark.parametrize("name", CLOSING)
@pytest.mark.parametrize("tabs", [1, 2])
def test_4_7_an_alarm_closes_where_it_is_only_looked_at(name: str, tabs: int, serve: Given, gated_tabs: Given) -> None:
    make, property, open, closed = CLOSING[name]
    rig = Rig(make(400))
    rig.record("x", property)
    pages = gated_tabs(serve(rig.app).url, tabs)
    assert rig.calls.next() == ("x", closed)
    for _ in range(2):
        assert rig.rest(*pages) == []
        assert rig.values("x", property, *pages) == [closed] * (1 + tabs)
        rig.app.push_mods({"x": {property: open}})
        assert rig.calls.take(2) == [("x", open), ("x", closed)]


@pytest.mark.parametrize("slower", [6])
def test_4_7_an_alarm_closes_on_a_slow_machine(slower: int, serve: Given, gated_tabs: Given) -> None:
    rig = Rig(dbc.Toast("hot", id="x", is_open=True, duration=300))
    rig.record("x", "is_open")
    (page,) = gated_tabs(serve(rig.app).url, 1, slower=slower)
    assert rig.calls.next() == ("x", False)
    rig.app.push_mods({"x": {"is_open": True}})
    assert rig.calls.take(2) == [("x", True), ("x", False)]
    assert rig.rest(page) == []
    assert rig.values("x", "is_open", page) == [False, False]


def test_4_7_an_alarm_that_appears_closes_too(serve: Given, gated_tabs: Given) -> None:
    """With a regular result, as the contents of a page come."""
    rig = Rig(html.Button("go", id="go"), html.Div(id="box"))
    rig.app.callback(Output("box", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        lambda n: dbc.Toast("hot", id="x", is_open=True, duration=400)
    )
    rig.record("x", "is_open")
    first, second = pages = gated_tabs(serve(rig.app).url, 2)
    first.click("#go")
    assert rig.calls.next() == ("x", False)
    second.click("#go")
    second.wait_for_function("() => gate.read('x', 'is_open') === false")
    assert rig.rest(*pages) == []
    assert rig.values("x", "is_open", *pages) == [False] * 3


PICTURES = [{"src": ""}, {"src": ""}]
SLIDES = [dmc.CarouselSlide("one"), dmc.CarouselSlide("two")]
MOVING = {
    "dbc.Carousel": (dbc.Carousel(items=PICTURES, id="x", interval=300, active_index=0), "active_index"),
    "dmc.Carousel": (dmc.Carousel(SLIDES, id="x", autoplay={"delay": 300}, active=0), "active"),
}


@pytest.mark.parametrize("name", MOVING)
def test_4_7_pictures_go_on_where_they_are_only_looked_at(name: str, serve: Given, gated_tab: Given) -> None:
    pictures, property = MOVING[name]
    rig = Rig(pictures)
    rig.record("x", property)
    gated_tab(serve(rig.app).url)
    assert [value for _, value in rig.calls.take(5)] == [1, 0, 1, 0, 1]


PLACE = {"latitude": 47.5, "longitude": 19}


def test_4_7_the_place_of_a_phone_is_shared(serve: Given, tab: Given, browser: Any) -> None:
    rig = Rig(dcc.Geolocation(id="geo"), html.Div("-", id="shown"), html.Div("-", id="prevented"))

    @rig.app.callback_shared(Output("shown", "children"), Input("geo", "position"), lane=LANE)
    def show(position: dict[str, Any] | None) -> str:
        rig.calls(("shown", position))
        return f"{position and position['lat']}"

    @rig.app.callback_shared(
        Output("prevented", "children"), Input("geo", "position"), lane=LANE, prevent_initial_call=True
    )
    def show_changes(position: dict[str, Any] | None) -> str:
        rig.calls(("prevented", position and position["lat"]))
        return f"{position and position['lat']}"

    office_context, phone_context = gated(browser), gated(browser, permissions=["geolocation"], geolocation=PLACE)
    url = serve(rig.app).url
    assert rig.calls.next() == ("shown", None)  # at startup
    office = tab(url, context=office_context)
    settled(office)
    assert rig.rest(office) == []
    assert rig.values("geo", "position", office) == [None, None]
    shows(office, "prevented", "-")
    phone = tab(url, context=phone_context)
    phone.wait_for_function("() => gate.read('geo', 'position')")
    calls = rig.rest(office, phone)
    assert [call for call in calls if call[0] == "shown"] == [("shown", rig.app.get("geo", "position"))]
    assert {value for name, value in calls if name == "prevented"} <= {47.5}
    assert [position["lat"] for position in rig.values("geo", "position", office, phone)] == [47.5] * 3
    shows(office, "shown", "47.5")
    phone_context.set_geolocation({**PLACE, "latitude": 48.5})
    rig.app.push_mods({"geo": {"update_now": True}}, rig.app.clients[1])
    while rig.calls.next() != ("prevented", 48.5):
        pass
    rig.rest(office, phone)
    assert [position["lat"] for position in rig.values("geo", "position", office, phone)] == [48.5] * 3
    for page in (office, phone):
        shows(page, "prevented", "48.5")
    for context in (office_context, phone_context):
        context.close()
