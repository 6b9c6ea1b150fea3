"""One socket: reads frames, says who is there, hands every message to the hub. Knows no server and no transport.

States: OPENING (no hello yet) -> LIVE -> CLOSED.
"""

from __future__ import annotations

import dataclasses
import enum
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from . import codec, protocol
from .clients import Client
from .errors import ProtocolError, TooComplexError
from .hub import Hub
from .identity import username_of
from .pace import Pace
from .protocol import Answer, Applied, Change, Close, FromPage, Hello, Mount, Pong, Request
from .sessions import Session

logger = logging.getLogger("dash_devices.socket")

HELLO_SECONDS = 10.0
MAX_UNREAD = (
    4 * protocol.MAX_UNACKED
)  # answers for a page that asks on and reads nothing; an honest one waits for its acks


class State(enum.Enum):
    """Where a connection is in its life."""

    OPENING = "opening"
    LIVE = "live"
    CLOSED = "closed"


@dataclasses.dataclass(frozen=True, slots=True)
class Handshake:
    """The HTTP request that became the socket; or one over HTTP alone.

    Attributes:
        headers: lower-case names and values as bytes, in order.
        identity: whom the gate let in; None where nobody has to say who he is.
    """

    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    address: str
    scheme: str
    scope: Mapping[str, Any]
    identity: Any = None

    def header(self, name: bytes) -> str | None:
        """The first header of that name."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)

    def client(self, id: str = "") -> Client:
        """Who made this request, as the author's code sees it. ``id``: of the tab; over HTTP alone there is none."""
        client = Client(
            id,
            address=self.address,
            host=self.header(b"host") or "",
            origin=self.header(b"origin"),
            user_agent=self.header(b"user-agent") or "",
        )
        client.authentication, client.username = self.identity, username_of(self.identity)
        return client


class Wire(Protocol):
    """What a connection needs of its transport."""

    def send(self, frame: bytes) -> None:
        """Write one text frame."""

    def close(self, code: int, reason: str) -> None:
        """Close the socket."""

    def abort(self) -> None:
        """Cut it, and what waits to be sent with it."""

    def progress(self) -> tuple[int, int]:
        """Bytes that the network has taken so far, and bytes that wait for it."""


RequestHandler = Callable[[Session, "Connection", Request, int], None]
"""Answers a request of a page that came over this connection in a frame of so many bytes."""


class Connection:
    """The reader and writer of one socket.

    Args:
        hub: where messages go.
        handshake: the request that opened the socket.
        wire: the transport.
        on_request: answers Dash's own requests.
    """

    def __init__(
        self,
        hub: Hub,
        handshake: Handshake,
        wire: Wire,
        on_request: RequestHandler,
    ) -> None:
        self._hub = hub
        self.handshake = handshake
        self._wire = wire
        self._handle: dict[type, Callable[[Session, Any, int], None]] = {
            Change: self._change,
            Mount: lambda session, message, size: hub.mount(session, message),
            Request: lambda session, message, size: on_request(session, self, message, size),
            Answer: lambda session, message, size: hub.asks.answered(session, message),
            Pong: lambda session, message, size: hub.applied(session, message),
            Applied: lambda session, message, size: hub.applied(session, message),
        }
        self.state = State.OPENING
        self.session: Session | None = None
        self.writable = True
        self.heard = hub.vitals.now()
        self.limits = hub.limits
        self._pace = Pace(hub.limits, self.heard)
        self._unpaced = 0  # messages
        assert hub.loop is not None
        self._timer = hub.loop.call_later(HELLO_SECONDS, self._no_hello)
        if handshake.header(b"sec-websocket-protocol") is not None:
            self.fault(Close.VERSION, "no subprotocol is spoken here; reload")

    # ---- the transport's side -----------------------------------------------------------------------------------------
    def alive(self) -> None:
        """Something was received, be it a part of a frame."""
        self.heard = self._hub.vitals.now()

    def receive(self, data: str | bytes) -> None:
        """One text frame arrived. A frame that breaks the protocol closes the socket with its code."""
        if self.state is State.CLOSED:
            return
        self._hub.engine.metrics["frames_received"] += 1
        self._unpaced += 1
        raw = data.encode() if isinstance(data, str) else data
        try:
            message = self._decode(raw)
            if message is None:
                pass  # answered
            elif self.session is None:
                self._open(message)
            elif isinstance(message, Hello):
                raise ProtocolError("hello: expected once, got it again")
            else:
                self._handle[type(message)](self.session, message, len(raw))
            self._check_reading()
        except ProtocolError as error:
            self.fault(error.code, f"{codec.named(raw)}{error}")

    def fault(self, code: int, reason: str) -> None:
        """The page breaks the rules of the socket: that is counted, told in the log, and ends it."""
        if self.state is not State.CLOSED:
            self._tell_fault(code, reason)
            self.close(code, reason)

    def broke(self, code: int, reason: str) -> None:
        """Its frames broke those of WebSockets; the transport has closed it. Harmless after a close of ours."""
        if self.state is not State.CLOSED:
            self._tell_fault(code, reason)
            self.state = State.CLOSED
            self._timer.cancel()

    def _tell_fault(self, code: int, reason: str) -> None:
        if self._hub.faults.has_line():
            logger.warning("%s: %s (closed with %d)", self._who, reason, code)
        self._hub.engine.metrics["protocol_errors"] += 1

    def took(self, size: int, work: float) -> float:
        """So many bytes were read, and so many seconds of the event loop were spent on what they asked for.

        Returns the seconds to wait before more is read. Who goes on and on in spite of that is closed.
        """
        now = self._hub.vitals.now()
        was_slowed = self._pace.slowed_since is not None
        wait = self._pace.took(self._unpaced, size, work, now)
        self._unpaced = 0
        if self._pace.slowed_since is not None and not was_slowed:
            self._hub.engine.metrics["slowed_pages"] += 1
            logger.warning("%s: says more than it may, and is read more slowly", self._who)
        if self._pace.is_flooding(now):
            self._too_fast(f"more than may be said, for {self.limits.flood_seconds:g} s")
        return wait

    @property
    def debt(self) -> float:
        """Seconds to wait before more is done for the page."""
        return self._pace.debt(self._hub.vitals.now())

    def control(self) -> None:
        """A ping or pong of the transport arrived."""
        if self._pace.control(self._hub.vitals.now()):
            self._too_fast(f"more than {self.limits.control_per_second:g} pings a second")

    def _too_fast(self, reason: str) -> None:
        if self.state is not State.CLOSED:
            self._hub.engine.metrics["flooding_pages"] += 1
            logger.warning("%s: %s; it is closed", self._who, reason)
            self.close(Close.TOO_FAST, reason)

    @property
    def _who(self) -> object:
        return self.session.client if self.session else self.handshake.address

    def resumed(self) -> None:
        """The transport takes frames again."""
        self.writable = True
        if self.session is not None and self.state is State.LIVE:
            self._hub.flush_session(self.session)

    def paused(self) -> None:
        """The transport's buffer is full: nothing more until it drains; state is conflated meanwhile."""
        self.writable = False

    def closed(self, code: int) -> None:
        """The socket is gone, with the peer's code (1006 when there was none)."""
        if self.state is State.CLOSED and self.session is None:
            return
        self.state = State.CLOSED
        self._timer.cancel()
        session, self.session = self.session, None
        if session is not None:
            self._hub.unlinked(session, self, code)

    def _decode(self, raw: bytes) -> FromPage | None:
        """The message, or None where it was too much to be decoded, and was answered so."""
        try:
            return codec.decode(raw, self.limits.nodes)
        except TooComplexError as error:
            if self.session is None or not error.kind:
                raise
            self._hub.intake.refuse_unread(self.session, error)
            self._hub.wake()
            return None

    def _check_reading(self) -> None:
        if not self.writable and self.session is not None and len(self.session.outbox) > MAX_UNREAD:
            self.fault(Close.TOO_FAST, f"more than {MAX_UNREAD} answers wait to be read")

    # ---- the hub's side -----------------------------------------------------------------------------------------------
    def send(self, frame: bytes) -> None:
        """Send one frame."""
        if self.state is State.LIVE:
            self._wire.send(frame)

    def close(self, code: int, reason: str) -> None:
        """Close the socket; the hub hears of it through `closed`."""
        if self.state is not State.CLOSED:
            self.state = State.CLOSED
            self._timer.cancel()
            self._wire.close(code, reason.encode()[:120].decode(errors="ignore"))

    def abort(self) -> None:
        """Cut the socket."""
        self.state = State.CLOSED
        self._timer.cancel()
        self._wire.abort()

    def progress(self) -> tuple[int, int]:
        """Bytes that the network has taken so far, and bytes that wait for it."""
        return self._wire.progress()

    # ---- messages -----------------------------------------------------------------------------------------------------
    def _no_hello(self) -> None:
        if self.state is State.OPENING:
            self.fault(Close.HELLO_TIMEOUT, f"no hello within {HELLO_SECONDS:g} s")

    def _open(self, message: Any) -> None:
        if not isinstance(message, Hello):
            raise ProtocolError(f"first message: expected hello, got {message.type}")
        if message.version != protocol.VERSION:
            raise ProtocolError(
                f"protocol version: expected {protocol.VERSION}, got {message.version}; reload", Close.VERSION
            )
        _check_names(message)
        self._timer.cancel()
        self.state = State.LIVE
        self.session = self._hub.hello(self, message, self.handshake.client, self.handshake.identity)

    def _change(self, session: Session, message: Change, size: int) -> None:
        self._hub.change(session, message, size)


def _check_names(hello: Hello) -> None:
    """They are kept for every tab that may come back."""
    for name in ("page", "build", "tab", "token"):
        if len(getattr(hello, name) or "") > protocol.MAX_NAME:
            raise ProtocolError(f"hello.{name}: expected at most {protocol.MAX_NAME} characters")
