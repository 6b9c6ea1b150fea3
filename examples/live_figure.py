"""A live figure: a thread adds points (`extendData`), a shared control changes one detail of it (`Patch`)."""

import math
import threading

import dash_devices
from dash_devices import Patch, dcc, html
from dash_devices.dependencies import Input, Output

POINTS = 200
COLOURS = {"green": "#14a08d", "amber": "#dd8a2b", "rose": "#d0639a"}
CLEAR = "rgba(0,0,0,0)"
LAYOUT = {
    "margin": {"l": 34, "r": 8, "t": 8, "b": 30},
    "yaxis": {"range": [-1.1, 1.1], "gridcolor": "#8884", "zeroline": False},
    "xaxis": {"gridcolor": "#8884"},
    "font": {"color": "#808080"},
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
}
FIGURE = {"data": [{"x": [], "y": [], "mode": "lines", "line": {"color": COLOURS["green"]}}], "layout": LAYOUT}

app = dash_devices.Dash(__name__, title="Live figure")
app.layout = html.Main(
    [
        html.H1("Oscillator"),
        dcc.Graph(id="trace", figure=FIGURE, config={"displayModeBar": False}, style={"height": "320px"}),
        html.Label("Colour, for everybody"),
        dcc.RadioItems(list(COLOURS), "green", id="colour", inline=True),
    ]
)
stopped = threading.Event()


def oscillate() -> None:
    step = 0
    while not stopped.wait(0.1):
        step += 1
        app.push_mods({"trace": {"extendData": [{"x": [[step]], "y": [[math.sin(step / 8)]]}, [0], POINTS]}})


oscillator = threading.Thread(target=oscillate, daemon=True)


@app.callback_shared(Output("trace", "figure"), [Input("colour", "value")])
def paint(colour: str) -> Patch:
    if not oscillator.is_alive():  # the first call is made by the server itself, when it starts
        oscillator.start()
    figure = Patch()
    figure["data"][0]["line"]["color"] = COLOURS[colour]
    return figure


app.on_shutdown(stopped.set)

if __name__ == "__main__":
    app.run()
