"""What the tests of HTTP connections share: an app with views, and peers that say what they are told to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import h2.config
import h2.connection
import h2.settings

import dash_devices

from ..support import TIMEOUT
from .hostile import make_app

LARGE = 40 * 2**20  # bytes: more than the buffers of two sockets hold


def http_app(**options: Any) -> dash_devices.Dash:
    """Views and a socket of an author; ``app.release`` ends ``/events``."""
    app: Any = make_app(**options)
    app.release = threading.Event()

    @app.server.get("/large")
    async def large() -> Any:
        return bytes(LARGE)

    @app.server.get("/events")
    async def events() -> Any:
        async def stream() -> Any:
            yield b"first\n"
            await asyncio.to_thread(app.release.wait, TIMEOUT)
            yield b"last\n"

        return stream()

    @app.server.get("/silent")
    async def silent() -> None:
        await asyncio.Event().wait()

    @app.server.post("/length")
    async def length() -> str:
        from quart import request

        return str(len(await request.get_data()))

    @app.server.websocket("/own")
    async def own() -> None:
        from quart import websocket

        while True:
            await websocket.send(await websocket.receive())

    return app  # type: ignore[no-any-return]


class Peer:
    """A TCP connection that says what it is told to."""

    def __init__(self, server: Any, *, receive: int | None = None) -> None:
        self.socket = socket.socket()
        if receive is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(("127.0.0.1", server.port))
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def ask(self, path: str, headers: str = "", method: str = "GET") -> None:
        self.send(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())

    def head(self) -> bytes:
        """The head of an answer; nothing where the connection has ended."""
        with contextlib.suppress(ConnectionError):
            return b"".join(iter(self.stream.readline, b"\r\n")) if self.stream.peek(1) else b""
        return b""

    def status(self) -> int:
        """The status of an answer without a body that matters; 0 where the connection has ended."""
        head = self.head()
        return int(head.split()[1]) if head else 0

    def answer(self) -> tuple[int, bytes]:
        """Status and body of an answer of known length."""
        head = self.head()
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        return int(head.split()[1]), self.stream.read(length)

    def is_gone(self) -> bool:
        """Wait for the server to end the connection."""
        try:
            while self.socket.recv(65_536):
                pass
        except ConnectionError:
            pass
        return True


class H2:
    """A client of HTTP/2 without TLS."""

    def __init__(self, server: Any, *, window: int | None = None) -> None:
        self.peer = Peer(server)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()

    def __enter__(self) -> H2:
        return self

    def __exit__(self, *exc: object) -> None:
        self.peer.__exit__()

    def flush(self) -> None:
        self.peer.send(self.h2.data_to_send())

    def ask(self, path: str, *more: tuple[str, str], method: str = "GET") -> int:
        stream = self.h2.get_next_available_stream_id()
        names = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "127.0.0.1"), *more]
        self.h2.send_headers(stream, names, end_stream=method == "GET")
        return int(stream)

    def until(self, kind: type, stream: int) -> Any:
        while True:
            data = self.peer.socket.recv(65_536)
            assert data, "the connection has ended"
            for event in self.h2.receive_data(data):
                if isinstance(event, kind) and event.stream_id == stream:
                    return event
