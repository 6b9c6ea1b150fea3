"""A client that floods: ``python -m tests.attack.flooder PORT MODE SECONDS``; prints what became of it as JSON.

In a process of its own, with a plain socket that blocks: what it sends is what the server takes.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from dash_devices.protocol import PATH

TEXT, CONTINUED, LAST, COMPRESSED, PING = 0x81, 0x00, 0x80, 0xC1, 0x89
MIB = 2**20
QUIET = 5.0  # s after which it does not wait for a close frame any more


def frame(payload: bytes, first: int = TEXT) -> bytes:
    """One frame, with a mask of zeros."""
    size = len(payload)
    if size < 126:
        head = bytes([first, 0x80 | size])
    elif size < 65_536:
        head = bytes([first, 0xFE]) + struct.pack(">H", size)
    else:
        head = bytes([first, 0xFF]) + struct.pack(">Q", size)
    return head + bytes(4) + payload


def changes(value: str) -> Iterator[bytes]:
    """Changes of one control, numbered."""
    n = 0
    while True:
        n += 1
        yield frame(
            b'{"type":"change","n":%d,"values":[["c1","value","%s"]],"state":[],"at":%d}'
            % (n, value.encode(), time.time() * 1000)
        )


def small() -> Iterator[bytes]:
    """As many as go, 100 in one write."""
    made = changes("x")
    while True:
        yield b"".join(next(made) for _ in range(100))


def large() -> Iterator[bytes]:
    """Changes of 200 kB."""
    return changes("x" * 200_000)


def pings() -> Iterator[bytes]:
    """Pings, 100 in one write."""
    while True:
        yield frame(b"", PING) * 100


def fragments() -> Iterator[bytes]:
    """One message of a million fragments of one byte."""
    yield frame(b'"', 0x01)
    while True:
        yield frame(b"x", CONTINUED) * 1_000


def deflate() -> Iterator[bytes]:
    """1000:1, with the bit of an extension that nobody agreed to."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(b" " * (16 * MIB)) + packer.flush(zlib.Z_SYNC_FLUSH)
    while True:
        yield frame(packed, COMPRESSED)


def bombs() -> Iterator[bytes]:
    """JSON that would be a lot: deep, wide, and many small strings."""
    size = 16 * MIB - 200
    head = b'{"type":"request","ref":1,"route":"callback","query":"","body":'
    inner = [
        b"[" * size,
        b"[" + b"[]," * (size // 3) + b"0]",
        b"[" + b'"",' * (size // 3) + b"0]",
        b'{"a":' * (size // 5),
    ]
    while True:
        yield from (frame(head + one + b"}") for one in inner)


def requests(body: bytes, route: bytes = b"callback") -> Iterator[bytes]:
    """Requests of regular callbacks, 100 in one write."""
    ref = 0
    while True:
        ref += 100
        yield b"".join(
            frame(b'{"type":"request","ref":%d,"route":"%s","query":"","body":%s}' % (ref + place, route, body))
            for place in range(100)
        )


def asking(value: str) -> Iterator[bytes]:
    """For the regular callback of `tests.soak.app`."""
    asked: dict[str, Any] = {"id": "ask", "property": "value", "value": value}
    output = {"id": "asked", "property": "children"}
    body = {"output": "asked.children", "outputs": output, "inputs": [asked], "changedPropIds": ["ask.value"]}
    return requests(json.dumps({**body, "state": []}).encode())


def layouts() -> Iterator[bytes]:
    """Requests for the layout: 60 bytes each."""
    return requests(b"null", b"layout")


def quick() -> Iterator[bytes]:
    """Requests of a callback that does next to nothing."""
    return asking("quick")


def broken() -> Iterator[bytes]:
    """Of one that raises."""
    return asking("broken")


def slow() -> Iterator[bytes]:
    """Of one that takes 3 s."""
    return asking("slow")


def unknown() -> Iterator[bytes]:
    """For a callback that is none."""
    return requests(json.dumps({"output": "x" * 2_000, "inputs": []}).encode())


MODES: dict[str, Callable[[], Iterator[bytes]]] = {
    mode.__name__: mode
    for mode in (small, large, pings, fragments, deflate, bombs, layouts, quick, broken, slow, unknown)
}


class Line:
    """One connection. ``code`` is how the server closed it; 1006 where it just hung up."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(QUIET)
        self.code: int | None = None
        self._unread = b""
        self.socket.sendall(
            f"GET /{PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._unread:
            self._unread += self.socket.recv(4096)
        self._unread = self._unread.partition(b"\r\n\r\n")[2]
        self.socket.sendall(frame(b'{"type":"hello","version":1,"page":"flood","build":""}'))

    def send(self, data: bytes) -> bool:
        """Send and read, both as far as it goes. False once the line is closed."""
        view = memoryview(data)
        self.socket.setblocking(False)
        end = time.monotonic() + QUIET
        while view and self.code is None and time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                view = view[self._try(lambda view=view: self.socket.send(view)) or 0 :]
            self.read()
            if view:
                time.sleep(0.0005)  # the kernel's buffer is full: that is how it is slowed
        return self.code is None

    def read(self) -> None:
        """What the server says, until there is no more for now."""
        with contextlib.suppress(BlockingIOError, TimeoutError):
            data = self._try(lambda: self.socket.recv(MIB))
            if data == b"":
                self.code = self.code or 1006
            self._unread += data or b""
        self._frames()

    def _try(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except (ConnectionError, BrokenPipeError):
            self.code = self.code or 1006
            return None

    def _frames(self) -> None:
        while len(self._unread) >= 2:
            size, start = self._unread[1], 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                if len(self._unread) < 2 + wide:
                    return
                size, start = int.from_bytes(self._unread[2 : 2 + wide], "big"), 2 + wide
            if len(self._unread) < start + size:
                return
            if self._unread[0] == 0x88:
                self.code = int.from_bytes(self._unread[start : start + 2], "big")
            self._unread = self._unread[start + size :]

    def finish(self) -> int:
        """Wait for the server's last word."""
        self.socket.settimeout(QUIET)
        end = time.monotonic() + QUIET
        while self.code is None and time.monotonic() < end:
            self.read()
        self.socket.close()
        return self.code or 0


def flood(port: int, mode: str, seconds: float) -> dict[str, object]:
    """Flood for so long, coming back whenever it is closed."""
    end = time.monotonic() + seconds
    codes: Counter[int] = Counter()
    sent, lasted = 0, []
    while time.monotonic() < end:
        line, begin = Line(port), time.monotonic()
        for data in MODES[mode]():
            if not line.send(data) or time.monotonic() > end:
                break
            sent += len(data)
        is_over = line.code is None
        codes["still open" if is_over else line.finish()] += 1  # type: ignore[index]
        lasted.append(time.monotonic() - begin)
        line.socket.close()
        time.sleep(0.2)
    return {"codes": {str(code): count for code, count in codes.items()}, "sent": sent, "lasted": lasted}


if __name__ == "__main__":
    print(json.dumps(flood(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
