"""A camera: a thread grabs frames, encodes each once and pushes it to every page as a shared image."""

import base64
import struct
import threading
import time
import zlib
from typing import Any

import numpy as np

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

Frame = np.ndarray[Any, Any]  # grey values 0-255, uint8, shape (HEIGHT, WIDTH)
WIDTH, HEIGHT = 320, 200
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]

app = dash_devices.Dash(__name__, title="Camera")
image = html.Img(id="frame", alt="the newest frame", width=WIDTH, height=HEIGHT)
label = html.Label("Exposure, for everybody", htmlFor="exposure")
slider = dcc.Slider(1, 10, step=1, value=5, updatemode="drag", allow_direct_input=False, id="exposure")
app.layout = html.Main([html.H1("Camera"), image, label, slider, html.Output(id="exposure-text")])
stopped = threading.Event()


def grab(at: float, exposure: int) -> Frame:
    """Stands for the hardware: a spot that circles. ``at``: seconds."""
    cx, cy = WIDTH / 2 + 90 * np.cos(at), HEIGHT / 2 + 60 * np.sin(at)
    return np.clip(51 * exposure * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 900), 0, 255).astype(np.uint8)


def png(frame: Frame) -> str:
    """A grey frame as the data URI of a PNG."""
    rows = np.pad(frame, ((0, 0), (1, 0))).tobytes()  # each row starts with its filter, 0: none
    size = struct.pack(">IIBBBBB", frame.shape[1], frame.shape[0], 8, 0, 0, 0, 0)
    parts = [(b"IHDR", size), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts]
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def film() -> None:
    while not stopped.wait(0.1):
        app.push_mods({"frame": {"src": png(grab(time.monotonic(), app.get("exposure", "value")))}})


camera = threading.Thread(target=film, daemon=True)


@app.callback_shared(Output("exposure-text", "children"), [Input("exposure", "value")])
def expose(exposure: int) -> str:
    if not camera.is_alive():  # the first call is made by the server itself, when it starts
        camera.start()
    return f"{exposure} ms"


app.on_shutdown(stopped.set)
if __name__ == "__main__":
    app.run()
