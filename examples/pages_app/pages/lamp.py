"""The second page: a lamp that stays as it was left, also while nobody looks at this page."""

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

dash_devices.register_page(__name__, path="/lamp", name="Lamp", order=1)
layout = html.Section(
    [
        html.Label("Red light"),
        dcc.RadioItems(["off", "dim", "bright"], "off", id="lamp", inline=True),
        html.Output(id="lamp-text"),
    ]
)


@dash_devices.callback_shared(Output("lamp-text", "children"), [Input("lamp", "value")])
def light(level: str) -> str:
    return f"the lamp is {level}"
