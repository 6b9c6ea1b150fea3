"""The push socket as a bare ASGI endpoint in front of the web application, for any ASGI server.

It reads the next message only after the last one was accepted: back-pressure instead of a queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from .connection import Connection, Handshake

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


class Gate(Protocol):
    """What the endpoint needs of an app."""

    @property
    def socket_path(self) -> str:
        """Path of the socket."""

    def admits(self, handshake: Handshake) -> bool:
        """May this request become a socket?"""

    def connect(
        self, handshake: Handshake, send: Callable[[bytes], None], close: Callable[[int, str], None]
    ) -> Connection:
        """The connection of an accepted socket."""


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
    )


class SocketEndpoint:
    """ASGI application: takes the push socket's path, hands everything else on."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        paths = (self.gate.socket_path, scope.get("root_path", "") + self.gate.socket_path)
        if scope["type"] != "websocket" or scope["path"] not in paths:
            await self.app(scope, receive, send)
            return
        await receive()  # websocket.connect
        handshake = handshake_of(scope)
        if not self.gate.admits(handshake):
            await send({"type": "websocket.close", "code": 4403, "reason": "foreign origin"})
            return
        await send({"type": "websocket.accept"})
        await _Socket(self.gate, handshake, receive, send).run()


class _Socket:
    """One accepted ASGI socket: a reader, and a writer that holds at most the frame it is sending."""

    def __init__(self, gate: Gate, handshake: Handshake, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._frames: list[bytes] = []
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self.connection = gate.connect(handshake, self._queue, self._close)

    def _queue(self, frame: bytes) -> None:
        self._frames.append(frame)
        self.connection.paused()
        self._wake.set()

    def _close(self, code: int, reason: str) -> None:
        self._closing = (code, reason)
        self._wake.set()

    async def run(self) -> None:
        """Until either side ends it."""
        writer = asyncio.ensure_future(self._write())
        code = 1006
        try:
            code = await self._read()
        finally:
            self.connection.closed(code)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _read(self) -> int:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return int(message.get("code") or 1006)
            text = message.get("text")
            if text is None:
                self.connection.close(1003, "send text frames")
            else:
                self.connection.receive(text)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            frames, self._frames = self._frames, []
            for frame in frames:
                await self._send({"type": "websocket.send", "text": frame.decode()})
            if self._closing is not None:
                code, reason = self._closing
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
            self.connection.resumed()
