"""Section 2, State of components that came with a page's own layout, in Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dash
import pytest

from dash_devices import dcc, html
from dash_devices.dependencies import ALL, MATCH, Input, Output, State

from .helpers import settled, shows
from .rig import LANE, Rig

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F6")
FIRST = ("c0", "s0", "a hint", "control")
"""What the callback of `listen` is called with first."""


def pair() -> list[Any]:
    """Two controls that no page shows at first."""
    return [
        html.P([dcc.Input(id="control", value="c0", placeholder="a hint")]),
        html.P(dcc.Input(id="second", value="s0")),
    ]


def listen(rig: Rig) -> None:
    """A shared callback of the first, with State of both."""

    @rig.app.callback_shared(
        Output("said", "title"),
        Input("control", "value"),
        State("second", "value"),
        State("control", "placeholder"),
        State("control", "id"),
        lane=LANE,
    )
    def said(*values: Any) -> str:
        rig.calls(values)
        return f"{values}"


@pytest.fixture
def no_pages_left() -> Iterator[None]:
    """Forget the registered pages of an app afterwards."""
    yield
    dash.page_registry.clear()


def changed(rig: Rig, page: Any) -> None:
    """Later calls have the values of then."""
    page.fill("#second", "s1")
    page.fill("#control", "c1")
    assert rig.calls.next() == ("c1", "s1", "a hint", "control")


def test_2_3_components_that_a_regular_result_brings(serve: Given, gated_tabs: Given) -> None:
    rig = Rig(html.Button("go", id="go"), html.Div(id="box"))
    rig.app.callback(Output("box", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(lambda n: pair())
    listen(rig)
    first, second = pages = gated_tabs(serve(rig.app).url, 2)
    first.click("#go")
    assert rig.calls.next() == FIRST
    changed(rig, first)
    second.click("#go")
    second.wait_for_selector("#second")
    settled(second)
    assert rig.rest(*pages) == []
    changed_there = [page.input_value("#control") for page in pages]
    assert changed_there == ["c1", "c1"]


def test_2_3_components_that_an_initial_call_brings(serve: Given, gated_tab: Given) -> None:
    rig = Rig(dcc.Input(id="which", value="1"), html.Div(id="box"))
    rig.app.callback(Output("box", "children"), Input("which", "value"))(lambda value: pair())
    listen(rig)
    page = gated_tab(serve(rig.app).url)
    assert rig.calls.next() == FIRST
    settled(page)
    assert rig.rest(page) == []
    changed(rig, page)


def test_2_3_components_of_another_page_of_the_app(serve: Given, gated_tab: Given, no_pages_left: None) -> None:
    rig = Rig(dcc.Link("live", href="/live", id="go"), use_pages=True, pages_folder="")
    dash.register_page("home", path="/", layout=html.Div("home", id="home"))
    dash.register_page("live", path="/live", layout=lambda: html.Div(pair()))
    rig.app.layout.children.children.append(dash.page_container)
    listen(rig)
    page = gated_tab(serve(rig.app).url)
    shows(page, "home", "home")
    page.click("#go")
    assert rig.calls.next() == FIRST
    settled(page)
    assert rig.rest(page) == []
    changed(rig, page)


MAKE_ROWS = """(n) => {
  const props = (id) => ({ id, value: `${id}0`, placeholder: 'a hint' });
  const input = (id) => ({ namespace: 'dash_core_components', type: 'Input', props: props(id) });
  return n ? ['control', 'second'].map(input) : window.dash_clientside.no_update;
}"""


def test_2_3_components_that_a_clientside_callback_brings(serve: Given, gated_tab: Given) -> None:
    rig = Rig(html.Button("go", id="go"), html.Div(id="box"))
    rig.app.clientside_callback(MAKE_ROWS, Output("box", "children"), Input("go", "n_clicks"))
    listen(rig)
    page = gated_tab(serve(rig.app).url)
    page.click("#go")
    assert rig.calls.next() == ("control0", "second0", "a hint", "control")
    settled(page)
    assert rig.rest(page) == []


def row(index: int) -> html.Div:
    """A control, its name, and what is said of them."""
    ids = {name: {"type": name, "index": index} for name in ("gain", "name", "said")}
    return html.Div(
        [
            dcc.Input(id=ids["gain"], type="number", value=index, className=f"gain{index}"),
            dcc.Input(id=ids["name"], value=f"n{index}"),
            html.Div(id=ids["said"], className=f"said{index}"),
        ]
    )


def of(name: str, index: Any) -> dict[str, Any]:
    return {"type": name, "index": index}


def test_2_4_rows_with_dict_ids(serve: Given, gated_tab: Given) -> None:
    rig = Rig(html.Button("go", id="go"), html.Div(id="box"))
    rig.app.callback(Output("box", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        lambda n: [row(index) for index in range(n + 1)]
    )

    @rig.app.callback_shared(
        Output(of("said", MATCH), "children"),
        Input(of("gain", MATCH), "value"),
        State(of("name", MATCH), "value"),
        State(of("gain", MATCH), "id"),
        State(of("name", ALL), "value"),
        lane=LANE,
    )
    def said(gain: int, name: str, id: dict[str, Any], names: list[str]) -> str:
        rig.calls((gain, name, id, names))
        return f"{name} {gain}"

    page = gated_tab(serve(rig.app).url)
    for last in (1, 2):
        page.click("#go")
        names = [f"n{index}" for index in range(last + 1)]
        new = range(last + 1) if last == 1 else [2]
        calls = rig.calls.take(len(new))
        assert sorted(calls, key=str) == [(index, f"n{index}", of("gain", index), names) for index in new]
        for index in range(last + 1):
            page.wait_for_selector(f".said{index}:text-is('n{index} {index}')")
        settled(page)
        assert rig.rest(page) == []
    page.fill(".gain1 input", "7")
    assert rig.calls.next() == (7, "n1", of("gain", 1), ["n0", "n1", "n2"])


@pytest.mark.fault("K2")
def test_4_7_a_button_that_appears_is_not_clicked(serve: Given, gated_tabs: Given) -> None:
    """Its ``n_clicks`` is unknown, then null: that is no change."""
    rig = Rig(html.Button("go", id="go"), html.Div(id="box"))
    rig.app.callback(Output("box", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        lambda n: [html.Button("save", id="save"), html.Div(id="saved")]
    )

    @rig.app.callback_shared(Output("saved", "children"), Input("save", "n_clicks"), lane=LANE)
    def save(n: int | None) -> str:
        rig.calls(("save", n))
        return f"saved {n}"

    first, second = pages = gated_tabs(serve(rig.app).url, 2)
    first.click("#go")
    assert rig.calls.next() == ("save", None)
    for page in pages:
        if page is second:
            page.click("#go")
        page.wait_for_selector("#save")
        settled(page)
        assert rig.rest(*pages) == []
    assert rig.app.get("save", "n_clicks") is None
    second.click("#save")
    assert rig.calls.next() == ("save", 1)
    for page in pages:
        shows(page, "saved", "saved 1")
