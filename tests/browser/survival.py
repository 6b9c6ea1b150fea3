"""A page in use, for the tests of what it survives: half-typed text, a caret, a place scrolled to, an open list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dash import dcc, html

import dash_devices
from dash_devices.dependencies import Input, Output

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

CONNECTED = "() => window.dash_devices?.status === 'connected'"
NOT_CONNECTED = "() => window.dash_devices?.status !== 'connected'"
# a line that never began is asked about over HTTP; a proxy without its server answers that
LINE_ERRORS = r"WebSocket|ERR_|status of 50[234] .*_dash-devices/cookie/0"

# Only this page load has it.
SIGN = "() => { window.sameLoad = true; document.getElementById('note').sameElement = true; }"
TYPING = """() => {
  const note = document.getElementById("note");
  return { text: note.value, caret: [note.selectionStart, note.selectionEnd], focus: document.activeElement.id,
    scroll: scrollY, load: window.sameLoad, element: note.sameElement };
}"""
CHOOSING = """() => ({ focus: document.activeElement.className, scroll: scrollY, load: window.sameLoad,
  options: [...document.querySelectorAll(".dash-dropdown-option")].map((option) => option.textContent) })"""


def make_app(title: str = "Supply") -> dash_devices.Dash:
    """Controls that are watched, something that is shown, something private, and a lot to scroll over."""
    app = dash_devices.Dash(__name__, leave_after=60)
    app.layout = html.Div(
        [
            html.H3(title),
            html.Div(style={"height": "300px"}),
            dcc.Input(id="note", value="first", debounce=True),
            dcc.Dropdown(["low", "high"], "low", id="range"),
            dcc.Slider(0, 100, 1, value=30, id="power"),
            html.Div("-", id="shown"),
            html.Div("mine", id="private"),
            html.Div(style={"height": "3000px"}),
        ]
    )
    inputs = [Input("note", "value"), Input("power", "value"), Input("range", "value")]

    @app.callback_shared(Output("shown", "children"), inputs)
    def show(*values: Any) -> str:
        return " ".join(map(str, values))

    return app


def opened(tab: Callable[..., Page], url: str, **options: Any) -> Page:
    """The app in a tab, with the controls that Dash loads late: without a line they would not come."""
    page = tab(url, allow_errors=LINE_ERRORS, **options)
    page.wait_for_selector("#power [role=slider]")
    page.wait_for_selector("#range")
    return page


def start_typing(page: Page) -> Any:
    """Type half a text, go back some steps, scroll a little; returns how that looks."""
    page.evaluate(SIGN)
    page.click("#note")
    page.keyboard.type(" and mo")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.evaluate("() => scrollTo(0, 120)")
    page.wait_for_function("() => scrollY === 120")
    return page.evaluate(TYPING)


def start_choosing(page: Page) -> Any:
    """Open the list of the dropdown; returns how that looks."""
    page.evaluate(SIGN)
    page.click("#range")
    page.wait_for_function("() => document.activeElement.closest('.dash-dropdown-content')")
    return page.evaluate(CHOOSING)


USES: dict[str, tuple[Callable[[Page], Any], str]] = {
    "typing": (start_typing, TYPING),
    "choosing": (start_choosing, CHOOSING),
}


def cdp(page: Page) -> CDPSession:
    """The page's DevTools session."""
    return page.context.new_cdp_session(page)
