"""Section 7.6 in the page: points of a figure that Plotly does not draw at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import orjson
import plotly.graph_objects as go
import pytest
from dash import dcc, html
from playwright.sync_api import Page, Route

import dash_devices
from dash_devices import Patch

from ..support import wait_for
from .tools import make_app

pytestmark = pytest.mark.browser

DRAWN = "(want) => JSON.stringify([...document.querySelector('#g .js-plotly-plot')?.data?.[0].y ?? []]) === want"
Slow = Callable[[dash_devices.Dash, str], tuple[Page, list[Route]]]


@pytest.fixture
def slow(serve: Callable[..., Any], tab: Callable[..., Page]) -> Slow:
    """``slow(app, "plotly.min") -> page, requests``: files of that name stay on their way, as on a slow line."""
    held: list[Route] = []

    def slow(app: dash_devices.Dash, name: str) -> tuple[Page, list[Route]]:
        page = tab("about:blank", connected=False)
        page.route(f"**/*{name}*", lambda route: held.append(route))
        page.goto(serve(app).url)
        page.wait_for_function("() => window.dash_devices?.seq >= 0")
        return page, held

    return slow


def extend(app: dash_devices.Dash, *points: int) -> None:
    for point in points:
        app.push_mods({"g": {"extendData": {"y": [[point]]}}})


def red() -> Patch:
    patch = Patch()
    patch["data"][0]["line"] = {"color": "red"}
    return patch


def until_told(app: dash_devices.Dash, page: Page) -> None:
    """The page has all that was pushed, and had time to draw it: two frames."""
    page.wait_for_function("(seq) => dash_devices.seq >= seq", arg=app._hub.engine.shared.seq)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def until_drawn(page: Page, *points: int, color: str | None = None) -> None:
    page.wait_for_function(DRAWN, arg=orjson.dumps(points).decode())
    line = page.evaluate("document.querySelector('#g .js-plotly-plot').data[0].line?.color")
    assert line == color


def graph(**props: Any) -> dcc.Graph:
    return dcc.Graph(id="g", **{"figure": {"data": [{"y": [0]}], "layout": {}}, **props})


def test_7_6_points_that_come_before_plotly_are_drawn_once(slow: Slow) -> None:
    app = make_app(graph())
    page, held = slow(app, "plotly.min")
    wait_for(lambda: page.evaluate("0") or held, "the page to ask for Plotly")
    extend(app, 1, 2)
    until_told(app, page)
    app.push_mods({"g": {"figure": go.Figure(go.Scatter(y=[5, 6]))}})
    extend(app, 7)
    until_told(app, page)
    app.push_mods({"g": {"figure": red()}})
    until_told(app, page)  # in one message with the points it would be the whole figure
    extend(app, 8)
    until_told(app, page)
    for route in held:
        route.continue_()
    until_drawn(page, 5, 6, 7, 8, color="red")
    extend(app, 9)
    until_drawn(page, 5, 6, 7, 8, 9, color="red")


def test_7_6_points_for_a_figure_in_a_tab_that_is_not_shown(
    serve: Callable[..., Any], tab: Callable[..., Page]
) -> None:
    app = make_app(dcc.Tabs([dcc.Tab(html.P("one"), label="One"), dcc.Tab(graph(), label="Two")]))
    page = tab(serve(app).url)
    extend(app, 1, 2)
    app.push_mods({"g": {"figure": red()}})
    until_told(app, page)  # in one message with the points it would be the whole figure
    extend(app, 3)
    until_told(app, page)
    page.get_by_text("Two").click()
    until_drawn(page, 0, 1, 2, 3, color="red")
    extend(app, 4)
    until_drawn(page, 0, 1, 2, 3, 4, color="red")
    page.get_by_text("One").click()
    page.get_by_text("one", exact=True).wait_for()
    app.push_mods({"g": {"extendData": [{"y": [[5]]}, [0], 3]}})
    app.push_mods({"g": {"prependData": {"y": [[-1]]}}})
    until_told(app, page)
    page.get_by_text("Two").click()
    until_drawn(page, -1, 3, 4, 5, color="red")


def test_7_6_points_for_arrays_and_attributes_that_are_not_there(
    serve: Callable[..., Any], tab: Callable[..., Page]
) -> None:
    """Plotly extends neither; the server does."""
    figure = go.Figure([go.Bar(y=[1]), go.Scatter(y=numpy.array([0.5, 1.5]))])
    app = make_app(dcc.Tabs([dcc.Tab(graph(figure=figure), label="One"), dcc.Tab(html.P("two"), label="Two")]))
    url = serve(app).url
    page, hidden = tab(url), tab(url)
    page.wait_for_function("() => document.querySelector('#g .js-plotly-plot')?.data")
    hidden.get_by_text("Two").click()
    hidden.get_by_text("two", exact=True).wait_for()
    app.push_mods({"g": {"extendData": [{"y": [[2.5]], "marker.size": [[5, 6]]}, [1], {"y": [2], "marker.size": [9]}]}})
    for one in (page, hidden):
        until_told(app, one)
    hidden.get_by_text("One").click()
    for one in (page, hidden):
        one.wait_for_function("() => document.querySelector('#g .js-plotly-plot')?.data[1].marker?.size.length === 2")
        trace = one.evaluate("document.querySelector('#g .js-plotly-plot').data[1]")
        assert (trace["y"], trace["marker"]["size"]) == ([1.5, 2.5], [5, 6])
    app.push_mods({"g": {"extendData": [{"y": [[3.5]]}, [1], 2]}})
    for one in (page, hidden):
        one.wait_for_function("() => `${document.querySelector('#g .js-plotly-plot').data[1].y}` === '2.5,3.5'")


def test_7_6_points_that_wait_for_a_drawing_outlive_a_patch(slow: Slow) -> None:
    """A plot with formulas draws late, as a map does: the patched figure is a copy that Plotly has not extended."""
    app = make_app(graph())
    page, held = slow(app, "mathjax")
    until_drawn(page, 0)
    app.push_mods({"g": {"mathjax": True}})
    wait_for(lambda: page.evaluate("0") or held, "the page to ask for MathJax")
    extend(app, 1, 2)
    until_told(app, page)
    app.push_mods({"g": {"figure": red()}})
    until_told(app, page)  # in one message with the points it would be the whole figure
    extend(app, 3)
    until_told(app, page)
    for route in held:
        route.continue_()
    page.wait_for_function("() => document.querySelector('#g .js-plotly-plot').data[0].line")
    until_drawn(page, 0, 1, 2, 3, color="red")


def test_7_6_points_that_waited_for_a_graph_that_left_come_in_order(slow: Slow) -> None:
    app = make_app(dcc.Tabs([dcc.Tab(graph(), label="One"), dcc.Tab(html.P("two"), label="Two")]))
    page, held = slow(app, "mathjax")
    until_drawn(page, 0)
    app.push_mods({"g": {"mathjax": True}})
    wait_for(lambda: page.evaluate("0") or held, "the page to ask for MathJax")
    extend(app, 1, 2)
    until_told(app, page)
    page.get_by_text("Two").click()
    page.get_by_text("two", exact=True).wait_for()
    page.get_by_text("One").click()
    page.locator("#g").wait_for(state="attached")
    for route in held:
        route.continue_()
    until_drawn(page, 0, 1, 2)
    extend(app, 3)
    until_drawn(page, 0, 1, 2, 3)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ({"y": [{"dtype": "i1", "bdata": "BQ=="}]}, [0, 5]),
        ([{"y": [[5], [6]]}, [0, 0]], [0, 5, 6]),
        ([{"y": [[5], [6]]}, [0]], [0, 5]),
        ([{"y": [[5]]}, [0], {"y": [9, 9]}], [0, 5]),
        ({"y": [None]}, [0]),
    ],
    ids=["base64", "doubled", "more lists", "more limits", "nothing"],
)
def test_7_6_points_that_plotly_refuses_do_not_stop_a_graph(
    serve: Callable[..., Any], tab: Callable[..., Page], value: Any, want: list[int]
) -> None:
    app = make_app(graph())
    page = tab(serve(app).url)
    until_drawn(page, 0)
    app.push_mods({"g": {"extendData": value}})
    until_drawn(page, *want)
    extend(app, 7)
    until_drawn(page, *want, 7)
    app.push_mods({"g": {"figure": go.Figure(go.Scatter(y=[100]))}})
    until_drawn(page, 100)


def test_7_6_points_for_an_animated_figure_outlive_a_patch(serve: Callable[..., Any], tab: Callable[..., Page]) -> None:
    app = make_app(graph(animate=True))
    page = tab(serve(app).url)
    until_drawn(page, 0)
    app.push_mods({"g": {"figure": {"data": [{"y": [1, 2]}], "layout": {}}}})
    until_drawn(page, 1, 2)
    for point in range(3, 20):  # an animation takes half a second: one for each would be drawn long after
        extend(app, point)
        until_told(app, page)
    app.push_mods({"g": {"figure": red()}})
    page.wait_for_function("() => document.querySelector('#g .js-plotly-plot').data[0].line")
    until_drawn(page, *range(1, 20), color="red")


def test_7_6_points_for_a_shown_figure_are_drawn_by_plotly_alone(
    serve: Callable[..., Any], tab: Callable[..., Page]
) -> None:
    """In place, in the traces of the store: nothing is copied or drawn twice on the way of each point."""
    figure = {"data": [{"type": "parcoords", "dimensions": [{"values": [1, 2]}, {"values": [3, 4]}]}], "layout": {}}
    app = make_app(graph(figure=figure), html.Div(dcc.Graph(id="h", figure={"data": [{"y": [0]}]})))
    page = tab(serve(app).url)
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot').length === 2")
    page.evaluate("""() => {
        window.calls = [];
        for (const name of ["extendTraces", "react", "newPlot", "redraw"]) {
            const real = Plotly[name];
            Plotly[name] = (...given) => { calls.push(name); return real(...given); };
        }
    }""")
    app.push_mods({"g": {"extendData": {"dimensions[0].values": [[9]], "dimensions[1].values": [[8]]}}})
    for point in (1, 2):
        app.push_mods({"h": {"extendData": {"y": [[point]]}}})
    page.wait_for_function("() => document.querySelector('#h .js-plotly-plot').data[0].y.length === 3")
    page.wait_for_function(
        "() => document.querySelector('#g .js-plotly-plot').data[0].dimensions[1].values.length === 3"
    )
    drawn = page.evaluate("document.querySelector('#g .js-plotly-plot').data[0].dimensions.map(part => part.values)")
    assert drawn == [[1, 2, 9], [3, 4, 8]]
    assert set(page.evaluate("calls")) == {"extendTraces"}
