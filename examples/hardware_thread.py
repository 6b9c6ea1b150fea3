"""A hardware thread that pushes: it starts when the first page joins and stops when the last one left."""

import threading
from typing import Any

import dash_devices
from dash_devices import dcc, html

app = dash_devices.Dash(__name__, title="Hardware thread")
app.layout = html.Main(
    [
        html.H1("Turntable"),
        html.P("It turns only while somebody looks."),
        dcc.Slider(0, 359, value=0, marks=None, disabled=True, allow_direct_input=False, id="angle"),
        html.Output("0°", id="angle-text"),
    ]
)


class Turntable:
    """Stands for the hardware: turns in a thread of its own, between `start` and `stop`."""

    def __init__(self) -> None:
        self.angle = 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.thread: threading.Thread | None = None

    def switch(self, on: bool) -> None:
        with self.lock:
            if on and self.thread is None:
                self.stopped.clear()
                self.thread = threading.Thread(target=self.turn, daemon=True)
                self.thread.start()
            elif not on and self.thread is not None:
                self.stopped.set()
                self.thread.join()
                self.thread = None

    def turn(self) -> None:
        while not self.stopped.wait(0.05):
            self.angle = (self.angle + 3) % 360
            app.push_mods({"angle": {"value": self.angle}, "angle-text": {"children": f"{self.angle}°"}})


table = Turntable()


@app.callback_connect
def look(_client: Any, _connect: bool) -> None:
    table.switch(len(app.clients) > 0)


app.on_shutdown(lambda: table.switch(False))

if __name__ == "__main__":
    app.run()
