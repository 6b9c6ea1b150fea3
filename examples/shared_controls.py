"""Shared controls: a slider and a text that are the same in every tab, one by a plain function, one by a coroutine."""

import asyncio

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

app = dash_devices.Dash(__name__, title="Shared controls")
app.layout = html.Main(
    [
        html.H1("Shared controls"),
        html.P("Open this page twice. Move the slider or type: the other page follows."),
        html.Label("Power", htmlFor="power"),
        dcc.Slider(0, 100, step=1, value=40, marks=None, updatemode="drag", allow_direct_input=False, id="power"),
        html.Output(id="power-text"),
        html.Label("Name of the run", htmlFor="run"),
        dcc.Input(id="run", value="first try", debounce=False),
        html.Output(id="run-text"),
    ]
)


@app.callback_shared(Output("power-text", "children"), [Input("power", "value")])
def set_power(watts: int) -> str:
    return f"{watts} W"


@app.callback_shared(Output("run-text", "children"), [Input("run", "value")])
async def set_run(name: str) -> str:
    await asyncio.sleep(0)  # what talks to the device may be awaited; the next call waits its turn
    return f"saved as {name.strip().replace(' ', '-') or 'untitled'}.csv"


if __name__ == "__main__":
    app.run()
