"""What Hypercorn calls for each request of one connection: counts it, and passes its answer on in pieces.

Leans on (Hypercorn 0.18): ``app_send``, ``send``, ``WSStream.handshake``, ``.buffer``, and ``H2Protocol.stream_buffers``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer, WSStream
from wsproto.events import Message

from .body_room import FREE, BodyRoom
from .endpoint import UNDER_RUN, ASGIApp, Receive, Scope, Send
from .fragments import BYTES_FOR_ONE_MORE
from .http_connections import HttpConnection
from .limits import PageLimits

PIECE = 16_384  # bytes of an answer that are passed on at once: as much as waits in the server for each of its readers
BODIES = 2  # messages of the largest size that the bodies of all requests of one connection may hold together
CLOSE_SECONDS = 1.0  # for a peer to answer a close frame


class BoundedMessage(WebsocketBuffer):
    """A message of an author's own WebSocket while it arrives: bounded in bytes and in fragments.

    Hypercorn reads on after it has refused a message, so nothing is kept then, and the connection is cut.
    """

    def __init__(self, limits: PageLimits, refused: Callable[[], object]) -> None:
        super().__init__(limits.message_bytes)
        self._fragments = limits.fragments
        self._refused = refused
        self._count = 0

    def extend(self, event: Message[Any]) -> None:
        """Take a part of the message.

        Raises:
            FrameTooLargeError: it is too large, or has too many fragments; Hypercorn closes with 1009.
        """
        self._count += event.frame_finished
        size = self.length + len(event.data)
        if size > self.max_length or self._count > self._fragments + size // BYTES_FOR_ONE_MORE:
            self.clear()
            self.max_length = -1  # nothing that follows is taken
            self._refused()
            raise FrameTooLargeError
        super().extend(event)

    def clear(self) -> None:
        """The message is complete."""
        super().clear()
        self._count = 0


class RequestHandler:
    """What Hypercorn calls for each request of one connection.

    Args:
        app: what answers.
        connection: whose requests they are.
        limits: of messages on sockets of the author's own, and of bodies.
        cut: ends the connection, with a word for the counters.
        room: for the bodies of all connections.
    """

    def __init__(
        self,
        app: ASGIApp,
        connection: HttpConnection,
        limits: PageLimits,
        cut: Callable[[str], None],
        room: BodyRoom,
    ) -> None:
        self._app = app
        self._connection = connection
        self._limits = limits
        self._cut = cut
        self._room = room

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, sync_spawn: Callable[..., Any], call_soon: Callable[..., Any]
    ) -> None:
        """One request."""
        connection, loop = self._connection, asyncio.get_running_loop()
        if scope["type"] == "websocket":
            self._bound(send)
        scope[UNDER_RUN] = True
        answer, body = _Answer(connection, send), _Body(connection, scope, receive)
        connection.begin()
        try:
            await self._app(scope, lambda: self._receive(body), answer.send)
        finally:
            connection.end(loop.time())
            connection.held -= body.size
            if connection.held <= FREE:
                self._room.leave(connection)
            if scope.get("http_version") == "2" and not answer.is_complete:
                connection.cancelled.take(1, loop.time())

    async def _receive(self, body: _Body) -> Any:
        message = await body.receive()
        connection, most = self._connection, BODIES * self._limits.message_bytes
        if connection.requests > 1 and connection.held > most:
            self._cut("bodies")
        elif connection.held > FREE:
            await self._room.enter(connection, min(max(body.announced, connection.held), most))
        return message

    def _bound(self, send: Send) -> None:
        """No compression, so that nothing can be inflated, and limits of messages."""
        stream = cast(WSStream, cast(Any, send).__self__)
        stream.handshake.extensions = None
        abort, loop = self._connection.transport.abort, asyncio.get_running_loop()
        stream.buffer = BoundedMessage(self._limits, lambda: loop.call_later(CLOSE_SECONDS, abort))


class _Body:
    """What is received of one request: counted, and known to be waited for."""

    def __init__(self, connection: HttpConnection, scope: Scope, receive: Receive) -> None:
        self._connection = connection
        self._receive = receive
        self._is_complete = scope["type"] != "http"
        self._headers = scope["headers"]
        self.size = 0

    @property
    def announced(self) -> int:
        """Bytes of the whole body, where its head says so: the HTTP server has checked that it is a number."""
        return max((int(value) for name, value in self._headers if name == b"content-length"), default=0)

    async def receive(self) -> Any:
        """The next ASGI message."""
        if self._is_complete:
            return await self._receive()
        self._connection.awaited += 1
        try:
            message = await self._receive()
        finally:
            self._connection.awaited -= 1
        self._is_complete = not message.get("more_body", False)
        size = len(message.get("body", b""))
        self.size += size
        self._connection.held += size
        return message


class _Answer:
    """What is sent of one answer: in pieces, each of them when the one before was taken."""

    def __init__(self, connection: HttpConnection, send: Send) -> None:
        self._connection = connection
        self._send = send
        self.is_complete = False

    async def send(self, message: Any) -> None:
        """Send one ASGI message."""
        if message["type"] == "http.response.body":
            for piece in _pieces(message):
                await self._pass_on(piece)
            self.is_complete = not message.get("more_body", False)
        else:
            await self._pass_on(message)

    async def _pass_on(self, message: Any) -> None:
        self._connection.sending += 1
        try:
            await self._send(message)
            if message["type"] == "http.response.body" and message.get("body"):
                await self._drain()
        finally:
            self._connection.sending -= 1

    async def _drain(self) -> None:
        """Wait until HTTP/2 has sent the piece: Hypercorn goes on where the peer's window is empty, and keeps it all."""
        stream = cast(HTTPStream, cast(Any, self._send).__self__)
        protocol = cast(Any, stream.send).__self__
        if isinstance(protocol, H2Protocol) and (buffer := protocol.stream_buffers.get(stream.stream_id)) is not None:
            await buffer.drain()


def _pieces(message: Any) -> Iterator[Any]:
    body = message.get("body", b"")
    if len(body) <= PIECE:
        yield message
        return
    view = memoryview(body)
    for at in range(0, len(body), PIECE):
        is_last = at + PIECE >= len(body)
        yield {**message, "body": view[at : at + PIECE], "more_body": not is_last or message.get("more_body", False)}
