"""A button without an output: it does something to the device, and nothing happens because a page was opened."""

import dash_devices
from dash_devices import html
from dash_devices.dependencies import Input

app = dash_devices.Dash(__name__, title="Button")
app.layout = html.Main(
    [
        html.H1("Feeder"),
        html.P("Each click drops one portion, whoever clicks. Loading the page drops none."),
        html.Output("none yet", id="dropped"),
        html.Button("Drop a portion", id="drop"),
        html.Button("Refill", id="refill", className="quiet"),
    ]
)


class Feeder:
    """Stands for the hardware."""

    dropped = 0

    def drop(self) -> None:
        self.dropped += 1

    def refill(self) -> None:
        self.dropped = 0


feeder = Feeder()


@app.callback_shared(None, [Input("drop", "n_clicks")], lane="feeder")
def drop(_clicks: int) -> None:
    feeder.drop()
    app.push_mods({"dropped": {"children": f"{feeder.dropped} dropped"}})


@app.callback_shared(None, [Input("refill", "n_clicks")], lane="feeder")  # one lane: never while it drops
def refill(_clicks: int) -> None:
    feeder.refill()
    app.push_mods({"dropped": {"children": "none yet"}})


if __name__ == "__main__":
    app.run()
