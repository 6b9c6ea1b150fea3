"""Hypercorn behind our listener: one connection at a time, with its bytes and requests counted.

Leans on (Hypercorn 0.18): ``TCPServer._read_data``, ``H11Protocol._check_protocol``, ``WorkerContext.mark_request``, and
``app_send``, ``send``, ``WSStream.handshake``, ``.buffer``, and ``H2Protocol.stream_buffers``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer, WSStream
from wsproto.events import Message

from .endpoint import UNDER_RUN, ASGIApp, Receive, Scope, Send
from .http_connections import HttpConnection, HttpConnections
from .limits import PageLimits

PIECE = 16_384  # bytes of an answer that are passed on at once: as much as waits in the server for each of its readers
HTTP2_PORTION = 4_096  # bytes read at once with HTTP/2: the heads of a hundred requests
STREAMS = 100  # of one connection of HTTP/2, as Hypercorn tells its peers
STREAM_SECONDS = 0.005  # between two looks
BODIES = 2  # messages of the largest size that the bodies of all requests of one connection may hold together
FRAGMENT_BYTES = 4_096  # a message may have one more fragment for each of these
CLOSE_SECONDS = 1.0  # for a peer to answer a close frame


class CancelledRequestsError(Exception):
    """A peer resets its requests faster than it may."""


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
        if size > self.max_length or self._count > self._fragments + size // FRAGMENT_BYTES:
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
    """

    def __init__(
        self, app: ASGIApp, connection: HttpConnection, limits: PageLimits, cut: Callable[[str], None]
    ) -> None:
        self._app = app
        self._connection = connection
        self._limits = limits
        self._cut = cut

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
            if scope.get("http_version") == "2" and not answer.is_complete:
                connection.cancelled.take(1, loop.time())

    async def _receive(self, body: _Body) -> Any:
        message = await body.receive()
        connection = self._connection
        if connection.requests > 1 and connection.held > BODIES * self._limits.message_bytes:
            self._cut("bodies")
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
        self.size = 0

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


class _Protocol(asyncio.StreamReaderProtocol):
    """Counts what arrives."""

    connection: HttpConnection
    connections: HttpConnections

    def data_received(self, data: bytes) -> None:
        self.connection.received += len(data)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.leave(self.connection)
        super().connection_lost(exc)


class _Reader(asyncio.StreamReader):
    """Reads in small portions, so that what one of them begins is seen before the next one is read."""

    async def read(self, n: int = -1) -> bytes:
        await asyncio.sleep(0)
        return await super().read(HTTP2_PORTION)


class _Writer(asyncio.StreamWriter):
    """Counts what is written."""

    connection: HttpConnection

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.connection.written += len(data)
        super().write(data)


class _Context(WorkerContext):
    """Sees each request of one connection before the next one is looked at."""

    def __init__(self, shared: WorkerContext, connection: HttpConnection) -> None:
        super().__init__(None)
        self.terminate, self.terminated = shared.terminate, shared.terminated
        self._connection = connection

    async def mark_request(self) -> None:
        await asyncio.sleep(0)  # the request begins
        # more than can be open: those that were reset have to end first; an event for so rare a case would be more code
        while self._connection.requests > STREAMS:  # noqa: ASYNC110
            await asyncio.sleep(STREAM_SECONDS)
        if self._connection.cancelled.debt:
            raise CancelledRequestsError


async def _without_upgrade(event: Any) -> None:
    """An offer of HTTP/2 (``Upgrade: h2c``) is not taken: the request is answered with HTTP/1.1."""


class HttpServer(TCPServer):
    """Hypercorn for one connection.

    Args:
        connections: where it is counted.
        connection: the one.
        transport, head: what was accepted, and what was read of it.
        http2: may it speak HTTP/2?
    """

    def __init__(
        self,
        handler: RequestHandler,
        config: Config,
        context: WorkerContext,
        state: Any,
        connections: HttpConnections,
        connection: HttpConnection,
        transport: asyncio.Transport,
        head: bytes,
        *,
        http2: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        reader = (_Reader if http2 else asyncio.StreamReader)(loop=loop)
        protocol = _Protocol(reader, loop=loop)
        protocol.connection, protocol.connections = connection, connections
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        writer = _Writer(transport, protocol, reader, loop)
        writer.connection = connection
        reader.feed_data(head)
        super().__init__(cast(Any, handler), loop, config, _Context(context, connection), state, reader, writer)
        self._connections = connections
        self._connection = connection
        self._http2 = http2

    async def _read_data(self) -> None:
        if not self._http2:
            cast(Any, self.protocol.protocol)._check_protocol = _without_upgrade
        try:
            await super()._read_data()
        except CancelledRequestsError:
            self._connections.cut(self._connection, "cancelled_requests")
            await self.protocol.handle(Closed())
