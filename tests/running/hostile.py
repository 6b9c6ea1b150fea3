"""What the tests of hostile pages share: an app, a text of a change, and a peer that sends bytes."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any

import dash_devices
from dash_devices import ALL, dcc, html

from ..support import TIMEOUT

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{more}\r\n"
)
HELLO = b'{"type":"hello","version":1,"page":"p","build":"raw"}'


def make_app(**options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div(id="shown"), html.Div(id="panel")])
    app.share("a", "value")
    app.share("panel", "children")
    app.share({"type": "row", "index": ALL}, "value")
    return app


def change(value: str, n: int = 1, **more: str) -> str:
    fields = {"type": '"change"', "n": f"{n}", "values": f'[["a","value",{value}]]', "state": "[]"} | more
    return "{" + ",".join(f'"{k}":{v}' for k, v in fields.items()) + f',"at":{time.time() * 1000}}}'


class Bare:
    """A TCP connection that becomes a socket, byte by byte as the test wants it."""

    def __init__(self, url: str, more: str = "", path: str = "/_dash-devices/socket") -> None:
        port = int(url.rpartition(":")[2])
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.stream = self.socket.makefile("rb")
        self.send(HANDSHAKE.format(port=port, more=more, path=path).encode())
        self.head = b"".join(iter(self.stream.readline, b"\r\n"))

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # it may have hung up already
            self.socket.sendall(data)

    def say(self, text: bytes, first: int = 0x81) -> None:
        self.send(frame(text, first))

    def code(self) -> int:
        """The code of the server's close frame."""
        with contextlib.suppress(ConnectionError):
            while head := self.stream.read(2):
                length = head[1]
                if length == 126:
                    length = struct.unpack(">H", self.stream.read(2))[0]
                elif length == 127:
                    length = struct.unpack(">Q", self.stream.read(8))[0]
                payload = self.stream.read(length)
                if head[0] == 0x88:
                    return int.from_bytes(payload[:2], "big")
        return 1006


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """One frame as a client sends it, with a mask of zeros."""
    size = len(payload)
    if size < 126:
        return bytes([first, 0x80 | size]) + bytes(4) + payload
    return bytes([first, 0xFE]) + struct.pack(">H", size) + bytes(4) + payload
