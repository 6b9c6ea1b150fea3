"""Pattern-matching shared controls: MATCH serves each channel, ALL looks at all of them."""

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import ALL, MATCH, Input, Output

CHANNELS = ("Kick", "Snare", "Voice")


def channel(name: str) -> html.Section:
    slider = dcc.Slider(
        0, 10, step=1, value=5, marks=None, allow_direct_input=False, id={"type": "gain", "channel": name}
    )
    return html.Section([html.H2(name), slider, html.Output(id={"type": "level", "channel": name})])


app = dash_devices.Dash(__name__, title="Patterns")
app.layout = html.Main(
    [html.H1("Mixer"), *map(channel, CHANNELS), html.H2("Sum"), html.Output(id="sum")],
)


@app.callback_shared(
    Output({"type": "level", "channel": MATCH}, "children"), [Input({"type": "gain", "channel": MATCH}, "value")]
)
def set_gain(gain: int) -> str:
    return f"{3 * gain - 15:+d} dB"


@app.callback_shared(Output("sum", "children"), [Input({"type": "gain", "channel": ALL}, "value")])
def add_up(gains: list[int]) -> str:
    return f"{sum(gains)} of {10 * len(gains)}"


if __name__ == "__main__":
    app.run()
