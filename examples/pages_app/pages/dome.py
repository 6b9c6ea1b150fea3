"""The first page: turns the dome."""

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

dash_devices.register_page(__name__, path="/", name="Dome", order=0)
layout = html.Section(
    [
        html.Label("Azimuth", htmlFor="azimuth"),
        dcc.Slider(0, 350, step=10, value=180, marks=None, allow_direct_input=False, id="azimuth"),
        html.Output(id="azimuth-text"),
    ]
)


@dash_devices.callback_shared(Output("azimuth-text", "children"), [Input("azimuth", "value")])
def turn(degrees: int) -> str:
    return f"dome at {degrees}°"
