"""Hypercorn behind our listener: one connection at a time, with its bytes counted.

Leans on (Hypercorn 0.18): ``TCPServer._read_data``, ``.protocol_send``, ``H11Protocol._check_protocol``, ``.connection``,
``H2Protocol._priority_updated``, ``.connection``, and ``WorkerContext.mark_request``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from h2.events import PingReceived, PriorityUpdated, RemoteSettingsChanged
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, Updated
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol

from .heads import HeadError, IncomingHead
from .http_connections import HttpConnection, HttpConnections
from .http_requests import RequestHandler

HTTP2_PORTION = 4_096  # bytes read at once with HTTP/2: the heads of a hundred requests
CONTROL = (PriorityUpdated, PingReceived, RemoteSettingsChanged)  # frames that carry nothing
STREAMS = 100  # of one connection of HTTP/2, as Hypercorn tells its peers
STREAM_SECONDS = 0.005  # between two looks


class FloodError(Exception):
    """A peer resets its requests, or sends frames that carry nothing, faster than it may. Says the word for the counters."""


class _Protocol(asyncio.StreamReaderProtocol):
    """Counts what arrives, and gives the connection back where the next request is one for the push socket."""

    connection: HttpConnection
    connections: HttpConnections
    is_socket: Callable[[bytes], bool]
    give_back: Callable[[bytes], None]
    head: IncomingHead | None = None  # of the next request, once the one before has been answered

    def data_received(self, data: bytes) -> None:
        self.connection.received += len(data)
        if self.head is None:
            super().data_received(data)
            return
        try:
            line = self.head.take(data)
        except HeadError:
            line = b""  # Hypercorn and the gate know what to answer
        if line is None:
            return
        data, self.head = self.head.data, None
        if self.is_socket(line):
            self.give_back(data)
        else:
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
    """Counts what is written. Closes nothing once the connection was given back, and writes nothing once it is closed."""

    connection: HttpConnection
    is_given_back = False

    def write_eof(self) -> None:
        if not self.is_given_back:
            super().write_eof()

    def close(self) -> None:
        if not self.is_given_back:
            super().close()

    async def wait_closed(self) -> None:
        if not self.is_given_back:
            await super().wait_closed()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.transport.is_closing():  # asyncio would log each part that comes too late
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
            raise FloodError("cancelled_requests")


async def _without_priority(event: Any) -> None:
    """Priorities of HTTP/2 are passed over, as RFC 9113 allows: Hypercorn's tree of them costs, and fails where it is full."""


async def _without_upgrade(event: Any) -> None:
    """An offer of HTTP/2 (``Upgrade: h2c``) is not taken: the request is answered with HTTP/1.1."""


class HttpServer(TCPServer):
    """Hypercorn for one connection.

    Args:
        connections: where it is counted.
        connection: the one.
        transport, head: what was accepted, and what was read of it.
        is_socket: is this the first line of a request for the push socket?
        take_back: serves the connection from such a request on.
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
        is_socket: Callable[[bytes], bool],
        take_back: Callable[[asyncio.Transport, bytes], None],
        http2: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        reader = (_Reader if http2 else asyncio.StreamReader)(loop=loop)
        protocol = self._arriving = _Protocol(reader, loop=loop)
        protocol.connection, protocol.connections = connection, connections
        protocol.is_socket, protocol.give_back = is_socket, self._give_back
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        writer = self._leaving = _Writer(transport, protocol, reader, loop)
        writer.connection = connection
        reader.feed_data(head)
        super().__init__(cast(Any, handler), loop, config, _Context(context, connection), state, reader, writer)
        self._connections = connections
        self._connection = connection
        self._transport = transport
        self._take_back = take_back
        self._http2 = http2
        self._task: asyncio.Task[Any] | None = None
        self._counted: H2Protocol | None = None

    async def protocol_send(self, event: Event) -> None:
        """Hypercorn sends bytes, or says whether it waits for a request."""
        inner = self.protocol.protocol
        if isinstance(inner, H2Protocol) and inner is not self._counted:
            self._count_control(inner)
        if isinstance(event, Updated) and event.idle and isinstance(inner, H11Protocol):
            is_read = not (inner.connection.trailing_data[0] or cast(Any, self.reader)._buffer)
            self._arriving.head = IncomingHead() if is_read else None
        await super().protocol_send(event)

    def _count_control(self, protocol: H2Protocol) -> None:
        self._counted = protocol
        receive, control = protocol.connection.receive_data, self._connection.control

        def counted(data: bytes) -> list[Any]:
            events = receive(data)
            control.take(sum(isinstance(event, CONTROL) for event in events), self.loop.time())
            if control.debt:
                raise FloodError("control_frames")
            return events

        cast(Any, protocol.connection).receive_data = counted
        cast(Any, protocol)._priority_updated = _without_priority

    async def _read_data(self) -> None:
        self._task = asyncio.current_task()
        if not self._http2:
            cast(Any, self.protocol.protocol)._check_protocol = _without_upgrade
        try:
            await super()._read_data()
        except FloodError as error:
            self._connections.cut(self._connection, str(error))
            await self.protocol.handle(Closed())

    def _give_back(self, head: bytes) -> None:
        assert self._task is not None
        self._leaving.is_given_back = True
        self._task.cancel()
        self._connections.leave(self._connection)
        self._take_back(self._transport, head)
