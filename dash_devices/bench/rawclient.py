"""The smallest WebSocket client that can be a page: one blocking socket, frames read by hand, no library in the way."""

from __future__ import annotations

import itertools
import json
import os
import socket
import time
from typing import Any, Final

from ..protocol import VERSION
from .errors import BenchError

TIMEOUT: Final = 10.0  # s
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class RawClient:
    """A connected page without a browser. It tells the server how far it is when `settle` is called, else it only reads.

    Raises:
        BenchError: the server closed the socket, or said something that is not a WebSocket.
    """

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self._unsettled: list[bytes] = []
        self._seq = 0
        self._upgrade(port, path)

    def _upgrade(self, port: int, path: str) -> None:
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"Origin: http://127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise BenchError(f"socket {path}: expected status 101, got {head[:80]!r}; is this the right server?")

    def join(self) -> None:
        """Say hello and ask for the layout, as a page does; returns when the layout has come."""
        self.send_json({"type": "hello", "version": VERSION, "page": os.urandom(8).hex(), "build": ""})
        self.send_json({"type": "request", "ref": 1, "route": "layout", "query": "", "body": None})
        while not any(b'"type":"reply"' in text for text in self.receive()):
            pass

    def send_json(self, message: dict[str, Any]) -> None:
        """Send one text frame."""
        self._send(TEXT, json.dumps(message, separators=(",", ":")).encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size > 0xFFFF:
            raise BenchError(f"frame: expected at most 65535 bytes, got {size}; send less")
        length = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2, "big")
        self.socket.sendall(bytes([0x80 | opcode]) + length + bytes(4) + payload)  # a mask of zeros changes nothing

    def receive(self) -> list[bytes]:
        """Wait for data; the payloads of the text frames that it completes. Pings are answered on the way."""
        self._fill()
        texts = []
        while (found := split_frame(self.buffer)) is not None:
            opcode, payload, self.buffer = found
            if opcode == TEXT:
                texts.append(payload)
                self._unsettled.append(payload)
            elif opcode == CLOSE:
                raise BenchError(f"socket: expected a message, got close {int.from_bytes(payload[:2], 'big')}")
            elif opcode == PING:
                self._send(PONG, payload)
        return texts

    def settle(self) -> None:
        """Say that all that was received is applied, and answer heartbeats: apart from `receive`, whose end is timed."""
        received, self._unsettled = map(json.loads, self._unsettled), []
        for message in itertools.chain.from_iterable(part if isinstance(part, list) else [part] for part in received):
            kind = message.get("type") if isinstance(message, dict) else None
            if kind == "mods":
                self._seq = message["seq"]
                self.send_json({"type": "applied", "seq": self._seq})
            elif kind == "ping":
                self.send_json({"type": "pong", "seq": self._seq, "at": time.time() * 1000})

    def _fill(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise BenchError("socket: expected data, got its end; look at the server's log")
        self.buffer += data

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()


def split_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Opcode and payload of the first server frame in ``data`` and what follows it; None when it is not complete."""
    if len(data) < 2:
        return None
    size, start = data[1] & 0x7F, 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(data[2:start], "big")
    if len(data) < start + size:
        return None
    return data[0] & 0x0F, data[start : start + size], data[start + size :]
