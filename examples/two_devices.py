"""S2: each page gets its own answer, yet a device is never entered twice; two devices work side by side."""

import threading
import time

import dash_devices
from dash_devices import html
from dash_devices.dependencies import Input, Output


class Instrument:
    """Stands for the hardware: slow, and confused when two ask at once."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.count = 0
        self.entered = threading.Lock()

    def measure(self) -> str:
        if not self.entered.acquire(blocking=False):
            raise RuntimeError("the instrument was asked while it was measuring")
        time.sleep(0.1)  # how long it takes
        self.count += 1
        self.entered.release()
        return f"measurement {self.count}: {self.count * 1.5:.1f} {self.unit}"


def panel(name: str, title: str) -> html.Section:
    button = html.Button("Measure", id=f"{name}-ask")
    return html.Section([html.H2(title), html.Output("–", id=f"{name}-answer"), button])


app = dash_devices.Dash(__name__, title="Two devices")
app.layout = html.Main(
    [
        html.H1("Two instruments"),
        html.P("The answer is yours alone; the instrument serves one after the other."),
        panel("scope", "Oscilloscope"),
        panel("meter", "Power meter"),
    ]
)
scope, meter = Instrument("V"), Instrument("W")


@app.callback_s2(Output("scope-answer", "children"), [Input("scope-ask", "n_clicks")], prevent_initial_call=True)
def ask_scope(_clicks: int) -> str:
    return scope.measure()


@app.callback_s2(Output("meter-answer", "children"), [Input("meter-ask", "n_clicks")], prevent_initial_call=True)
def ask_meter(_clicks: int) -> str:
    return meter.measure()


if __name__ == "__main__":
    app.run()
