"""The push socket as a bare ASGI endpoint in front of the web application, for any ASGI server.

It reads the next message only after the last one was accepted: back-pressure instead of a queue.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

from .connection import Connection, Handshake, Wire
from .gate.door import refuse_socket
from .gate.gate import PLACE, Gate
from .heads import method_and_path
from .identity import IDENTITY, Refuse
from .limits import PageLimits

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
UNDER_RUN = "dash_devices.under_run"
"""Key of the scopes of a server whose listener serves the push socket, with limits that no ASGI server has."""

logger = logging.getLogger("dash_devices.socket")


class SocketApp(Protocol):
    """What the endpoint needs of an app."""

    gate: Gate

    @property
    def socket_path(self) -> str:
        """Path of the socket."""

    @property
    def limits(self) -> PageLimits:
        """What one page may do."""

    def connect(self, handshake: Handshake, wire: Wire) -> Connection:
        """The connection of an accepted socket."""


def socket_owner(line: bytes, apps: Iterable[SocketApp]) -> SocketApp | None:
    """The app whose push socket is asked for by a request with this first line."""
    method, path = method_and_path(line)
    return next((app for app in apps if app.socket_path == path), None) if method == b"GET" else None


def handshake_of(scope: Scope) -> Handshake:
    """The request of an ASGI WebSocket scope."""
    client = scope.get("client")
    return Handshake(
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=tuple((bytes(name).lower(), bytes(value)) for name, value in scope["headers"]),
        address=client[0] if client else "",
        scheme=scope.get("scheme", "ws"),
        scope=scope,
        identity=scope.get(IDENTITY),
    )


class SocketEndpoint:
    """ASGI application behind the gate's door: takes the push socket's path, hands everything else on."""

    def __init__(self, app: ASGIApp, owner: SocketApp) -> None:
        self.app = app
        self.owner = owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        paths = (self.owner.socket_path, scope.get("root_path", "") + self.owner.socket_path)
        if scope["type"] != "websocket" or scope["path"] not in paths:
            await self.app(scope, receive, send)
            return
        if scope.get(UNDER_RUN):
            client = scope.get("client")
            note = "a socket refused (421): not the first request of its connection, or HTTP/2, from %s"
            self.owner.gate.refusals.note("connection", note, client[0] if client else "")
            await refuse_socket(scope, receive, send, Refuse(421, reason="Use a connection of its own, and HTTP/1.1."))
            return
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        socket = _Socket(self.owner, handshake_of(scope), receive, send)
        scope[PLACE].close = socket.connection.close
        await socket.run()


class _Socket:
    """One accepted ASGI socket: a reader, and a writer that holds at most the frame it is sending.

    ASGI shows neither bytes nor the transport. Progress is seen frame by frame, when the server returns from sending one, so
    a frame that takes 30 s counts as stalled; and a server that buffers without end never shows it. There is no abort either:
    the application ends, and the server closes as it likes (Hypercorn and uvicorn: 1006 or 1011, once they get through).
    """

    def __init__(self, owner: SocketApp, handshake: Handshake, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._frames: list[bytes] = []
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._sent = 0
        self._unsent = 0
        self._reader: asyncio.Task[int] | None = None
        self.connection = owner.connect(handshake, self)

    def send(self, frame: bytes) -> None:
        """Hand one text frame to the writer."""
        self._unsent += len(frame)
        self._frames.append(frame)
        self.connection.paused()
        self._wake.set()

    def progress(self) -> tuple[int, int]:
        """Bytes of the frames that the server took, and of those that it did not."""
        return self._sent, self._unsent

    def abort(self) -> None:
        """End the application: the server has to close the socket then."""
        if self._reader is not None:
            self._reader.cancel()

    def close(self, code: int, reason: str) -> None:
        """Close the socket after what waits."""
        self._closing = (code, reason)
        self._wake.set()

    async def run(self) -> None:
        """Until either side ends it."""
        writer = asyncio.ensure_future(self._write())
        writer.add_done_callback(self._wrote)
        self._reader = asyncio.ensure_future(self._read())
        code = 1006
        try:
            await asyncio.wait([self._reader])
            if not self._reader.cancelled():
                code = self._reader.result()
        finally:
            self._reader.cancel()
            self.connection.closed(code)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _read(self) -> int:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return int(message.get("code") or 1006)
            self.connection.alive()
            text = message.get("text")
            if text is None:
                self.connection.fault(1003, "send text frames")
            else:
                began = time.thread_time()
                self.connection.receive(text)
                wait = self.connection.took(len(text), time.thread_time() - began)
                if wait:
                    await asyncio.sleep(wait)

    def _wrote(self, writer: asyncio.Task[None]) -> None:
        """The writer has ended. Without one a page would be heard, but never answered."""
        error = None if writer.cancelled() else writer.exception()
        if error is not None:
            logger.warning("a socket could not be written to (%r); it is cut", error)
            self.abort()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            frames, self._frames = self._frames, []
            for frame in frames:
                await self._send({"type": "websocket.send", "text": frame.decode()})
                self._sent += len(frame)
                self._unsent -= len(frame)
            if self._closing is not None:
                code, reason = self._closing
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
            self.connection.resumed()
