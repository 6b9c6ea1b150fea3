"""Requests for a socket on the bare transport, in the terms of ASGI, so that the gate sees one kind alone."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any
from urllib.parse import unquote

from websockets.exceptions import SecurityError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from .endpoint import SocketApp
from .gate.door import plain
from .gate.head import Head, Scope
from .gate.headers import ALWAYS
from .heads import HeadError
from .identity import Refuse

# its own lines are about single frames; what matters is logged by the listener
_quiet = logging.getLogger("dash_devices.websockets")
_quiet.setLevel(logging.CRITICAL)


class Frames(ServerProtocol):
    """A peer may close in the middle of a message (RFC 6455, 5.4); the library takes that for an error of the peer."""

    def recv_frame(self, frame: Frame) -> None:
        """A frame was read."""
        if frame.opcode is Opcode.CLOSE:
            self.current_size = self.cur_size = None  # its name in websockets 17, and in 15
        super().recv_frame(frame)


@dataclasses.dataclass(frozen=True, slots=True)
class Opening:
    """A request for a socket that is being decided about."""

    owner: SocketApp
    protocol: ServerProtocol
    request: Request
    scope: Scope
    head: Head


def opening_of(owner: SocketApp, head: bytes, transport: Any) -> Opening:
    """The request for a socket that a head holds.

    Raises:
        HeadError: it is none that can be read.
    """
    protocol = Frames(max_size=owner.limits.message_bytes, logger=_quiet)
    protocol.receive_data(head)
    events = protocol.events_received()
    if not events or not isinstance(events[0], Request):
        error = protocol.handshake_exc
        is_large = isinstance(error, SecurityError) or isinstance(error and error.__cause__, SecurityError)
        raise HeadError(431 if is_large else 400)
    scope = owner.gate.unwrap(scope_of(events[0], transport))
    return Opening(owner, protocol, events[0], scope, Head(scope))


def scope_of(request: Request, transport: Any) -> Scope:
    """The ASGI scope of a request for a socket."""
    path, _, query = request.path.partition("?")
    headers = tuple((n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in request.headers.raw_items())
    peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    secure = transport.get_extra_info("ssl_object") is not None
    return {
        "type": "websocket",
        "http_version": "1.1",
        "scheme": "wss" if secure else "ws",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": peer[:2] if peer else None,
        "server": own[:2] if own else None,
    }


def rejection(protocol: ServerProtocol, refuse: Refuse) -> Response:
    """The answer to a request that is refused."""
    status, headers, text = plain(Refuse(refuse.status, None, refuse.reason))
    response = protocol.reject(status, text)
    for name, value in (*headers, *((name.decode(), value.decode()) for name, value in ALWAYS)):
        response.headers[name] = value
    return response
