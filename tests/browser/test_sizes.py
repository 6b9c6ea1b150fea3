"""What an honest browser sends arrives, whatever its size; what is too large is refused in the page, which goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output, State

from ..support import TIMEOUT, ServerThread, wait_for

MIB = 2**20
SAYS = "() => document.getElementById('_dash-devices-mark').textContent"


@pytest.fixture
def app() -> dash_devices.Dash:
    app = dash_devices.Dash(__name__)
    controls = [dcc.Upload("drop", id="up"), html.Button("press", id="press"), html.Button("other", id="other")]
    app.layout = html.Div([*controls, html.Div(id="size"), html.Div(id="state"), html.Div(id="clicks")])
    app.callback(Output("size", "children"), Input("up", "contents"), prevent_initial_call=True)(_length)
    app.callback_shared(
        Output("state", "children"), Input("press", "n_clicks"), State("up", "contents"), prevent_initial_call=True
    )(lambda clicks, contents: f"{clicks}: {_length(contents)}")
    app.callback_shared(Output("clicks", "children"), Input("other", "n_clicks"))(
        lambda clicks: f"{clicks or 0} clicks"
    )
    return app


def _length(contents: str) -> str:
    """Of a data URL: the bytes of its file."""
    data = contents.partition(",")[2]
    return str(len(data) * 3 // 4 - data.count("="))


@pytest.mark.fault("F3")
def test_files_and_state_of_any_size_arrive_or_are_refused_in_the_page(
    app: Any, serve: Callable[..., ServerThread], tab: Any, tmp_path: Path
) -> None:
    page = tab(serve(app).url, allow_errors=True)  # the 413

    def upload(size: int) -> None:
        file = tmp_path / f"{size}.bin"
        file.write_bytes(bytes(size))
        page.set_input_files("#up input", file)

    for size in (9_000_000, 16 * MIB):
        upload(size)
        wait_for(lambda size=size: page.inner_text("#size") == str(size), f"{size} bytes", 2 * TIMEOUT)
        if size == 9_000_000:  # 12 MB of State
            page.click("#press")
            wait_for(lambda: page.inner_text("#state") == "1: 9000000", "the State", 2 * TIMEOUT)
    upload(20_000_000)
    wait_for(lambda: "Too large" in page.evaluate(SAYS), "words", 2 * TIMEOUT)
    assert page.inner_text("#size") == str(16 * MIB)
    page.click("#press")
    wait_for(lambda: page.get_attribute("#press", "data-dash-devices") == "refused", "the label of the button")
    page.click("#other")
    wait_for(lambda: page.inner_text("#clicks") == "1 clicks", "the page goes on")
    assert "protocol_errors" not in app.metrics, "no socket was closed"
    assert page.evaluate("() => window.dash_devices.unacked") == 0
