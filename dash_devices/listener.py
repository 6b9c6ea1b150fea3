"""The push socket on the bare transport: for ``app.run()``, which owns the port.

One port, two readers: the sans-I/O protocol of ``websockets`` serves requests for the socket's path, Hypercorn all others as they
arrived. Frames are handled in the tick they arrive in, up to 5 ms for each peer, and leave in the tick they are made in.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http
import logging
import re
import time
from collections.abc import Callable
from typing import Any

from websockets.exceptions import SecurityError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from .connection import Connection
from .endpoint import SocketApp, handshake_of
from .feed import Feed
from .fragments import Fragments
from .framing import text_frame
from .gate.head import Head
from .gate.rules import MAX_HEADERS, MAX_TARGET
from .handshakes import Frames, Opening, rejection, scope_of
from .identity import IDENTITY, Refuse

logger = logging.getLogger("dash_devices.socket")
# its own lines are about single frames; what matters is logged here
_quiet = logging.getLogger("dash_devices.websockets")
_quiet.setLevel(logging.CRITICAL)

MAX_HEAD = MAX_TARGET + MAX_HEADERS  # bytes
_END = re.compile(rb"\r?\n\r?\n")  # of a head; some clients leave the returns out
HEAD_SECONDS = 10.0
CLOSE_SECONDS = 1.0

HandOver = Callable[[asyncio.Transport, bytes], None]


class Listener(asyncio.Protocol):
    """One TCP connection: looks at the head of its first request and decides who serves it.

    Args:
        apps: those whose sockets may be asked for.
        hand_over: gives the connection and what was read of it to the HTTP server.
    """

    def __init__(self, apps: list[SocketApp], hand_over: HandOver, live: set[Listener]) -> None:
        self._apps = apps
        self._hand_over = hand_over
        self._live = live
        self._head = b""
        self._searched = 0
        self._identifying: asyncio.Task[None] | None = None
        self._gone: Callable[[], None] | None = None
        self._fragments = Fragments()
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
            if self._identifying is None:
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
        if self._identifying is not None:
            self._identifying.cancel()
        if self._gone is not None:
            self._gone()
        if self._connection is not None:
            received = self._protocol.close_rcvd if self._protocol else None
            self._connection.closed(received.code if received else 1006)
        self._let_go()

    def _let_go(self) -> None:
        """Half a message may be 24 MiB, and nobody knows when the collector comes: the parser refers to itself until it ends."""
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
        """Nothing but the bytes of an unfinished head is kept of a connection, however many there are."""
        end = _END.search(self._head, max(0, self._searched - 3))
        self._searched = len(self._head)
        size = end.start() if end is not None else self._searched
        if size > MAX_HEAD or len(line := self._head[:size].partition(b"\n")[0]) > MAX_TARGET:
            self._refuse_head(414 if size <= MAX_HEAD or b"\n" not in self._head[:MAX_TARGET] else 431)
        elif end is not None:
            self._stop_timer()
            self._route(line.rstrip(b"\r"))

    def _refuse_head(self, status: int) -> None:
        phrase = http.HTTPStatus(status).phrase
        self._apps[0].gate.refusals.note("size", f"a head refused ({status}): from %s", self._peer())
        self._write(f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        self._transport.close()

    def _route(self, line: bytes) -> None:
        method, _, rest = line.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        owner = next((app for app in self._apps if app.socket_path == path), None)
        if owner is not None and method == b"GET":
            self._open(owner)
        else:
            self._live.discard(self)
            self._hand_over(self._transport, self._head)

    def _open(self, owner: SocketApp) -> None:
        protocol = Frames(max_size=owner.limits.message_bytes, logger=_quiet)
        protocol.receive_data(self._head)
        self._head = b""
        events = protocol.events_received()
        if not events or not isinstance(events[0], Request):
            error = protocol.handshake_exc
            is_large = isinstance(error, SecurityError) or isinstance(error and error.__cause__, SecurityError)
            self._refuse_head(431 if is_large else 400)
            return
        scope = owner.gate.unwrap(scope_of(events[0], self._transport))
        opening = Opening(owner, protocol, events[0], scope, Head(scope))
        refuse = owner.gate.check(opening.head)
        if refuse is None and owner.gate.is_guarded:
            self._transport.pause_reading()
            self._identifying = asyncio.get_running_loop().create_task(self._identify(opening))
        else:
            self._answer(opening, refuse)

    async def _identify(self, opening: Opening) -> None:
        gate = opening.owner.gate
        identity = await gate.identify(opening.head)
        self._identifying = None
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        if isinstance(identity, Refuse):
            self._answer(opening, identity)
            return
        opening.scope[IDENTITY] = identity
        self._answer(opening, gate.check_places(opening.head))  # others came while he was asked

    def _answer(self, opening: Opening, refuse: Refuse | None) -> None:
        owner, protocol = opening.owner, opening.protocol
        protocol.send_response(protocol.accept(opening.request) if refuse is None else rejection(protocol, refuse))
        self._protocol = protocol
        self._write_out()
        if protocol.state is not State.OPEN:
            self._transport.close()
            return
        place = owner.gate.enter(opening.head, opening.scope[IDENTITY])
        self._gone = functools.partial(owner.gate.places.leave, place)
        self._connection = owner.connect(handshake_of(opening.scope), self)
        place.close = self._connection.close
        self._handle_events()
        if self._head:
            self._feed.take(self._head)

    def _peer(self) -> str:
        return str((self._transport.get_extra_info("peername") or [""])[0])

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
        if protocol.close_sent is not None and protocol.close_rcvd is None and self._connection is not None:
            self._connection.broke(protocol.close_sent.code, protocol.close_sent.reason)
        if protocol.close_expected() and self._timer is None and not self._transport.is_closing():
            self._expect_close()

    def _handle_frame(self, protocol: ServerProtocol, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._binary = frame.opcode is Opcode.BINARY
        if self._binary:
            protocol.fail(1003, "send text frames")
            return
        assert self._connection is not None
        if not self._fragments.add(bytes(frame.data), self._connection.limits.fragments):
            protocol.fail(1008, "too many fragments for its size")
            return
        if not frame.fin:
            return
        data = self._fragments.take()
        if not data.isascii():  # decoding 24 MiB only to look at them takes as much again
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
