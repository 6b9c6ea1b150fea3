"""The head of a connection's first request while it arrives, and what its first line says."""

from __future__ import annotations

import http
import re
from urllib.parse import unquote

from .gate.rules import MAX_HEADERS, MAX_TARGET

MAX_HEAD = MAX_TARGET + MAX_HEADERS  # bytes
HTTP2_PREFACE = b"PRI * HTTP/2.0"  # the first line of HTTP/2 without TLS
_END = re.compile(rb"\r?\n\r?\n")  # of a head; some clients leave the returns out


class HeadError(Exception):
    """A head that is answered with an error. ``status``: 400, 414 or 431."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class IncomingHead:
    """The bytes of a head until it is complete. Nothing else is kept of a connection meanwhile.

    Attributes:
        data: what arrived, and maybe the beginning of what follows the head.
    """

    def __init__(self) -> None:
        self.data = b""
        self._searched = 0

    def take(self, data: bytes) -> bytes | None:
        """More bytes arrived. Returns the first line when the head is complete.

        Raises:
            HeadError: it is longer than a head may be.
        """
        self.data += data
        end = _END.search(self.data, max(0, self._searched - 3))
        self._searched = len(self.data)
        size = end.start() if end is not None else self._searched
        line = self.data[:size].partition(b"\n")[0]
        if size > MAX_HEAD or len(line) > MAX_TARGET:
            raise HeadError(414 if size <= MAX_HEAD or b"\n" not in self.data[:MAX_TARGET] else 431)
        return line.rstrip(b"\r") if end is not None else None


def method_and_path(line: bytes) -> tuple[bytes, str]:
    """Method and path of a first line; the path is decoded as an ASGI server does it."""
    method, _, rest = line.partition(b" ")
    return method, unquote(rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1"))


def error_answer(status: int) -> bytes:
    """An answer without a body, after which the connection ends."""
    phrase = http.HTTPStatus(status).phrase
    return f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
