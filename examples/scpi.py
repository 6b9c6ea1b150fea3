"""A bench supply that speaks SCPI over TCP, through PyVISA-py. Set SCPI_RESOURCE to use a real one."""

import functools
import os
import subprocess
import sys
import threading

import pyvisa
from pyvisa.resources import MessageBasedResource as Instrument

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

app = dash_devices.Dash(__name__, title="SCPI")
volts = dcc.Slider(0, 12, step=0.5, value=3, marks=None, allow_direct_input=False, id="volts")
set_to = [html.Label("Voltage", htmlFor="volts"), volts, html.Output(id="volts-text")]
measured = [html.Label("Current, measured twice a second"), html.Output(id="amperes"), dcc.Store(id="tick")]
app.layout = html.Main([html.H1("Bench supply"), html.P(id="identity"), *set_to, *measured])
stopped = threading.Event()


def simulate() -> str:
    """Start the simulator in a process of its own and return its VISA resource."""
    script = os.path.join(os.path.dirname(__file__), "scpi_simulator.py")
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    app.on_shutdown(lambda: (process.terminate(), process.communicate()))
    return f"TCPIP::127.0.0.1::{process.stdout.readline().strip()}::SOCKET"


@functools.cache
def supply() -> Instrument:
    """The open instrument. All that use it are in one lane, so it is opened once and asked one thing at a time."""
    resource = os.environ.get("SCPI_RESOURCE") or simulate()
    line = pyvisa.ResourceManager("@py").open_resource(resource, read_termination="\n", write_termination="\n")
    app.push_mods({"identity": {"children": line.query("*IDN?")}})
    threading.Thread(target=tick, daemon=True).start()
    return line


def tick() -> None:
    while not stopped.wait(0.5):
        app.push_mods({"tick": {"data": 0}})  # "clicks" `measure`, which waits in the lane for its turn


@app.callback_shared(Output("volts-text", "children"), [Input("volts", "value")], lane="supply")
def set_volts(value: float) -> str:
    supply().write(f"VOLT {value}")
    return f"{float(supply().query('VOLT?')):.2f} V"


@app.callback_shared(Output("amperes", "children"), [Input("tick", "data")], lane="supply", most_recent=True)
def measure(_tick: int) -> str:
    return f"{float(supply().query('MEAS:CURR?')):.3f} A"


app.on_shutdown(stopped.set)
if __name__ == "__main__":
    app.run()
