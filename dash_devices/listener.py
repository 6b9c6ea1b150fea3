"""The push socket on the bare transport: for ``app.run()``, which owns the port.

One port, two readers: the sans-I/O protocol of ``websockets`` serves requests for the socket's path, Hypercorn all others as they
arrived. Frames are handled in the tick they arrive in, up to 5 ms for each peer, and leave in the tick they are made in.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from .connection import Connection
from .endpoint import SocketApp, handshake_of, socket_owner
from .feed import Feed
from .fragments import Fragments
from .framing import text_frame
from .handshakes import Opening, opening_of, rejection
from .heads import HTTP2_PREFACE, HeadError, IncomingHead, error_answer
from .http_connections import HttpConnection, HttpConnections
from .identity import IDENTITY, Refuse

CLOSE_SECONDS = 1.0


class Listener(asyncio.Protocol):
    """One TCP connection: looks at the head of its first request and decides who serves it.

    Args:
        apps: those whose sockets may be asked for.
        hand_over: gives the connection and what was read of it to the HTTP server.
        connections: where it is counted until it is a socket.
        http2: does the HTTP server take HTTP/2?
    """

    def __init__(
        self,
        apps: list[SocketApp],
        hand_over: Callable[[asyncio.Transport, bytes, HttpConnection], None],
        live: set[Listener],
        connections: HttpConnections,
        *,
        http2: bool = False,
    ) -> None:
        self._apps = apps
        self._hand_over = hand_over
        self._live = live
        self._connections = connections
        self._http2 = http2
        self._http: Any = None
        self._head = IncomingHead()
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
        peer = self._peer()
        self._http = self._connections.enter(self._transport, self._apps[0].gate.places.key(peer), peer)
        if self._http is None:
            self._write(error_answer(503))
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        if self._protocol is not None:
            self._feed.take(data)
        elif self._identifying is not None:
            self._head.data += data
        elif self._http is not None and not self._transport.is_closing():
            self._decide(data)

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
        self._connections.leave(self._http)
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
    def _decide(self, data: bytes) -> None:
        try:
            line = self._head.take(data)
        except HeadError as error:
            self._refuse_head(error.status)
            return
        if line == HTTP2_PREFACE and not self._http2:
            self._refuse_head(505)
        elif line is not None:
            self._route(line)

    def _refuse_head(self, status: int) -> None:
        self._apps[0].gate.refusals.note("size", f"a head refused ({status}): from %s", self._peer())
        self._write(error_answer(status))
        self._transport.close()

    def _route(self, line: bytes) -> None:
        owner = socket_owner(line, self._apps)
        if owner is not None:
            self._open(owner)
        else:
            http, self._http = self._http, None
            self._live.discard(self)
            self._hand_over(self._transport, self._head.data, http)

    def _open(self, owner: SocketApp) -> None:
        try:
            opening = opening_of(owner, self._head.data, self._transport)
        except HeadError as error:
            self._refuse_head(error.status)
            return
        self._head.data = b""
        self._http.begin()  # while it is decided, the connection is not idle
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
        self._connections.leave(self._http)
        place = owner.gate.enter(opening.head, opening.scope[IDENTITY])
        self._gone = functools.partial(owner.gate.places.leave, place)
        self._connection = owner.connect(handshake_of(opening.scope), self)
        place.close = self._connection.close
        self._handle_events()
        if self._head.data:
            self._feed.take(self._head.data)

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
