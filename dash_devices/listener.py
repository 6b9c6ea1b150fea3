"""The push socket on the bare transport: for ``app.run()``, which owns the port.

One port, two readers: a request for the socket's path is served here, by the sans-I/O protocol of ``websockets``; every other
connection goes to Hypercorn as it arrived. Frames are handled in the tick they arrive in and leave in the tick they are made in.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Callable
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from .connection import Connection, Handshake
from .endpoint import Gate
from .feed import Feed

logger = logging.getLogger("dash_devices.socket")
# its own lines are about single frames; what matters is logged here
_quiet = logging.getLogger("dash_devices.websockets")
_quiet.setLevel(logging.CRITICAL)

MAX_HEAD = 65_536  # bytes of a request head
HEAD_SECONDS = 10.0
CLOSE_SECONDS = 1.0

HandOver = Callable[[asyncio.Transport, bytes], None]


class Listener(asyncio.Protocol):
    """One TCP connection: looks at the head of its first request and decides who serves it.

    Args:
        gates: the apps whose sockets may be asked for.
        hand_over: gives the connection and what was read of it to the HTTP server.
    """

    def __init__(self, gates: list[Gate], hand_over: HandOver, live: set[Listener]) -> None:
        self._gates = gates
        self._hand_over = hand_over
        self._live = live
        self._head = b""
        self._fragments: list[bytes] = []
        self._binary = False
        self._connection: Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._transport: Any = None
        self._protocol: ServerProtocol | None = None
        self._written = 0

    # ---- asyncio.Protocol ----------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection was accepted."""
        self._transport = transport
        self._feed = Feed(self._transport, self._handle)
        self._live.add(self)
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        if self._protocol is None:
            self._head += data
            self._decide()
        else:
            self._feed.take(data)

    def _handle(self, data: bytes) -> float:
        """Some of what arrived; returns the seconds to wait before there may be more."""
        assert self._protocol is not None
        began = time.thread_time()
        if self._connection is not None:
            self._connection.alive()
        self._protocol.receive_data(data)
        self._handle_events()
        return self._connection.took(len(data), time.thread_time() - began) if self._connection is not None else 0.0

    def eof_received(self) -> bool:
        """The peer sends no more."""
        if self._protocol is not None:
            self._protocol.receive_eof()
            self._handle_events()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._live.discard(self)
        self._stop_timer()
        self._feed.stop()
        if self._connection is not None:
            received = self._protocol.close_rcvd if self._protocol else None
            self._connection.closed(received.code if received else 1006)
        self._let_go()

    def _let_go(self) -> None:
        """Half a message may be 16 MiB, and nobody knows when the collector comes: the parser refers to itself until it ends."""
        protocol, self._protocol = self._protocol, None
        self._fragments.clear()
        if protocol is not None:
            with contextlib.suppress(EOFError):  # the peer had said that it sends no more
                protocol.receive_eof()
            protocol.parser_exc = None  # its traceback holds the last frame

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        if self._connection is not None:
            self._connection.paused()

    def resume_writing(self) -> None:
        """The transport's buffer has drained."""
        if self._connection is not None:
            self._connection.resumed()

    # ---- whose connection is it? ---------------------------------------------------------------------------------------
    def _decide(self) -> None:
        if b"\r\n" not in self._head and len(self._head) < MAX_HEAD:
            return
        gate = self._wanted_gate()
        if gate is None:
            self._stop_timer()
            self._live.discard(self)
            self._hand_over(self._transport, self._head)
        elif b"\r\n\r\n" in self._head:
            self._stop_timer()
            self._open(gate)
        elif len(self._head) >= MAX_HEAD:
            self._transport.close()

    def _wanted_gate(self) -> Gate | None:
        method, _, rest = self._head.partition(b"\r\n")[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return None
        return next((gate for gate in self._gates if gate.socket_path.encode() == path), None)

    def _open(self, gate: Gate) -> None:
        protocol = ServerProtocol(max_size=gate.limits.message_bytes, logger=_quiet)
        protocol.receive_data(self._head)
        self._head = b""
        events = protocol.events_received()
        if not events or not isinstance(events[0], Request):
            self._transport.close()
            return
        handshake = self._handshake(events[0])
        response = protocol.accept(events[0])
        if response.status_code == 101 and not gate.admits(handshake):
            response = protocol.reject(403, "foreign origin\n")
        protocol.send_response(response)
        self._protocol = protocol
        self._write_out()
        if protocol.state is State.OPEN:
            self._connection = gate.connect(handshake, self)
            self._handle_events()
        else:
            self._transport.close()

    def _handshake(self, request: Request) -> Handshake:
        path, _, query = request.path.partition("?")
        headers = tuple((n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in request.headers.raw_items())
        peer, own = self._transport.get_extra_info("peername"), self._transport.get_extra_info("sockname")
        secure = self._transport.get_extra_info("ssl_object") is not None
        scope = {
            "type": "websocket",
            "http_version": "1.1",
            "scheme": "wss" if secure else "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": peer[:2] if peer else None,
            "server": own[:2] if own else None,
        }
        return Handshake(path, query, headers, peer[0] if peer else "", scope["scheme"], scope)  # type: ignore[arg-type]

    # ---- frames --------------------------------------------------------------------------------------------------------
    def _handle_events(self) -> None:
        protocol = self._protocol
        assert protocol is not None
        for event in protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._handle_frame(protocol, event)
            elif isinstance(event, Frame) and event.opcode is not Opcode.CLOSE and self._connection is not None:
                self._write_out()  # a ping is answered before what follows it
                self._connection.control()
        self._write_out()
        if protocol.close_expected() and self._timer is None and not self._transport.is_closing():
            self._expect_close()

    def _handle_frame(self, protocol: ServerProtocol, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._binary = frame.opcode is Opcode.BINARY
        if self._binary:
            protocol.fail(1003, "send text frames")
            return
        assert self._connection is not None
        self._fragments.append(bytes(frame.data))
        if not frame.fin:
            if len(self._fragments) > (limit := self._connection.limits.fragments):
                protocol.fail(1008, f"more than {limit} fragments")
            return
        data = b"".join(self._fragments)
        self._fragments.clear()
        if not data.isascii():  # decoding 16 MiB only to look at them takes as much again
            try:
                data.decode()
            except UnicodeDecodeError:
                protocol.fail(1007, "not UTF-8")
                return
        self._connection.receive(data)

    # ---- connection.Wire -----------------------------------------------------------------------------------------------
    def send(self, frame: bytes) -> None:
        """Write one text frame."""
        # after a close frame, ours or theirs, nothing may follow: writing would raise, and stop the flush for all pages
        if self._protocol is not None and self._protocol.state is State.OPEN:
            self._write(text_frame(frame))

    def close(self, code: int, reason: str) -> None:
        """Say that the socket is closed; cut it if the peer does not answer."""
        if self._protocol is not None and self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._write_out()
            self._expect_close()
        else:
            self._transport.close()

    def _write_out(self) -> None:
        assert self._protocol is not None
        for data in self._protocol.data_to_send():
            if data:
                self._write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()

    def _write(self, data: bytes) -> None:
        self._written += len(data)
        self._transport.write(data)

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def progress(self) -> tuple[int, int]:
        """Bytes that the kernel has taken so far, and bytes that wait for it."""
        waiting: int = self._transport.get_write_buffer_size()
        return self._written - waiting, waiting

    def _expect_close(self) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@functools.lru_cache(
    maxsize=1
)  # what is new goes to all pages in step, one after the other: the same bytes, framed once
def text_frame(payload: bytes) -> bytes:
    """One unfragmented text frame as a server sends it: RFC 6455, 5.2, no mask, no extension."""
    length = len(payload)
    if length < 126:
        return b"\x81%c%b" % (length, payload)
    if length < 65_536:
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (length.to_bytes(8, "big"), payload)
