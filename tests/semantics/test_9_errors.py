"""Section 9: what goes wrong outside of a callback is answered too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_devices
from dash_devices import html
from dash_devices.dependencies import Input, Output

from ..support import Raw
from .helpers import ask_regular


def test_9_3_an_error_that_the_server_hands_on_is_answered(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([html.Button(id="b"), html.Div(id="c")])
    app.server.config["PROPAGATE_EXCEPTIONS"] = True  # Quart makes no error page then

    @app.callback(Output("c", "children"), [Input("b", "n_clicks")])
    def broken(clicks: int) -> Any:
        raise RuntimeError("the device is on fire")

    page = raw(serve(app).url).join()
    assert ask_regular(page, "c.children", [("b", "n_clicks", 1)])["status"] == 500
    assert page.request("layout")["status"] == 200
