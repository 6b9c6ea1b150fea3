"""A chain at the server: setpoint, heater, alarm. One change runs all three, and no page has to carry it on."""

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

app = dash_devices.Dash(__name__, title="Chain")
app.layout = html.Main(
    [
        html.H1("Oven"),
        html.P("Each step listens to the one above it. All of them run at the server, also with no page open."),
        html.Label("Setpoint, °C", htmlFor="setpoint"),
        dcc.Slider(20, 300, step=10, value=100, marks=None, allow_direct_input=False, id="setpoint"),
        html.Label("Heater, W"),
        html.Output(id="heater"),
        html.Label("State"),
        html.Output(id="state"),
    ]
)


@app.callback_shared(Output("heater", "children"), [Input("setpoint", "value")])
def regulate(celsius: int) -> int:
    return 4 * (celsius - 20)


@app.callback_shared(Output("state", "children"), [Input("heater", "children")])
def judge(watts: int) -> str:
    return "too hot" if watts > 800 else "fine"


@app.callback_shared(Output("state", "className"), [Input("state", "children")])
def alarm(state: str) -> str:
    return "alarm" if state == "too hot" else ""


if __name__ == "__main__":
    app.run()
