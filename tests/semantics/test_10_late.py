"""Section 10.1: nothing falls between the layout and the mods after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_devices
from dash_devices import html
from dash_devices.protocol import SEQ_HEADER

from ..support import Raw
from .helpers import props_of


def test_10_1_what_is_pushed_while_the_layout_is_on_its_way_is_not_lost(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([html.Div("-", id="shown")])

    @app.server.after_request
    async def push(response: Any) -> Any:
        if SEQ_HEADER in response.headers:
            app.push_mods({"shown": {"children": "meanwhile"}})
        return response

    page = raw(serve(app).url)
    page.hello()
    assert props_of(page.layout(), "shown")["children"] == "-"
    page.until_value("shown", "children", "meanwhile")
