"""The leanest WebSocket that can be a page: a thousand of them fit into one process. No compression, masks of zeros."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Protocol

from dash_devices.protocol import PATH

from .names import TOKEN

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Owner(Protocol):
    """Who listens to a `Wire`."""

    def connected(self, wire: Wire) -> None:
        """The TCP connection is there."""

    def opened(self) -> None:
        """The handshake is done."""

    def heard(self, frame: bytes) -> None:
        """A text frame arrived."""

    def closed(self, code: int, reason: str) -> None:
        """It is gone; 1006 where no close frame came."""


class Wire(asyncio.Protocol):
    """One WebSocket over one TCP connection. ``heard_at``: when the last byte came, on the loop's clock."""

    def __init__(self, owner: Owner, host: str, path: str = f"/{PATH}", secure: bool = False) -> None:
        self._owner = owner
        self._head = handshake(host, path, None if secure else f"http://{host}")
        self._buffer = bytearray()
        self._is_open = False
        self._close = (1006, "")
        self._loop = asyncio.get_running_loop()
        self.transport: Any = None
        self.heard_at = self._loop.time()

    # ---- asyncio.Protocol ----------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there: ask for the socket."""
        self.transport = transport
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._owner.connected(self)
        self.transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        self.heard_at = self._loop.time()
        self._buffer += data
        if self._is_open or self._upgraded():
            self._frames()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._owner.closed(*self._close)

    # ---- the owner's side ----------------------------------------------------------------------------------------------
    def send(self, payload: bytes, opcode: int = TEXT) -> None:
        """Send one frame."""
        size = len(payload)
        if size < 126:
            head = bytes([0x80 | opcode, 0x80 | size])
        elif size < 65_536:
            head = bytes([0x80 | opcode, 0xFE]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | opcode, 0xFF]) + size.to_bytes(8, "big")
        self.transport.write(head + bytes(4) + payload)

    def close(self, code: int = 1001) -> None:
        """Close as a tab that goes away does."""
        if self._is_open:
            self.send(code.to_bytes(2, "big"), CLOSE)
        self.transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abort()

    # ---- reading -------------------------------------------------------------------------------------------------------
    def _upgraded(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        if b" 101 " not in head.partition(b"\r\n")[0]:
            self.transport.abort()
            return False
        self._buffer = bytearray(rest)
        self._is_open = True
        self._owner.opened()
        return True

    def _frames(self) -> None:
        buffer, start = self._buffer, 0
        while (found := frame_at(buffer, start)) is not None:
            opcode, first, start = found
            payload = bytes(buffer[first:start])
            if opcode == TEXT:
                self._owner.heard(payload)
            elif opcode == PING:
                self.send(payload, PONG)
            elif opcode == CLOSE:
                self._close = (int.from_bytes(payload[:2], "big") or 1005, payload[2:].decode())
                self.transport.close()
        del buffer[:start]


def frame_at(buffer: bytearray, start: int) -> tuple[int, int, int] | None:
    """Opcode, first byte and end of the payload of the frame that begins at ``start``; None while it is not complete."""
    have = len(buffer) - start
    if have < 2:
        return None
    size, first = buffer[start + 1] & 0x7F, start + 2
    if size >= 126:
        wide = 2 if size == 126 else 8
        if have < 2 + wide:
            return None
        size, first = int.from_bytes(buffer[first : first + wide], "big"), first + wide
    if len(buffer) < first + size:
        return None
    return buffer[start] & 0x0F, first, first + size


def handshake(host: str, path: str, origin: str | None) -> bytes:
    """The request that asks for the socket, as a browser on a page of this origin sends it, or one that is no browser.

    A server behind TLS has to be told the origin of its pages; these have none.
    """
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        f"Authorization: Bearer {TOKEN}",  # where nobody asks, it is not looked at
        *([f"Origin: {origin}"] if origin else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode()
