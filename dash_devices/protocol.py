"""The wire: every message as a frozen dataclass, how it is decoded and encoded, and the numbers both ends agree on.

``PROTOCOL.md`` explains it; ``renderer/src/protocol.ts`` is generated from this module by ``tools/generate_protocol.py``.
No I/O here and no asyncio.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final, get_type_hints

import orjson

from .errors import ProtocolError

VERSION: Final = 1
PATH: Final = "_dash-devices/socket"
SEQ_HEADER: Final = "x-dash-devices-seq"
TAB_HEADER: Final = "x-dash-devices-tab"

MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000
MAX_MESSAGE: Final = 16 * 2**20  # bytes: a request of a regular callback, or the State that travels with a change
MAX_CHANGE: Final = 256 * 2**10  # bytes: the values of one change
MAX_UNACKED: Final = 256  # changes per page without an ack


class Close:
    """Close codes that this package sends or understands; ``PROTOCOL.md`` says what a page does with each."""

    NORMAL: Final = 1000
    GOING_AWAY: Final = 1001
    UNSUPPORTED: Final = 1003
    INVALID: Final = 1007
    TOO_BIG: Final = 1009
    INTERNAL: Final = 1011
    RESTART: Final = 1012
    BAD_MESSAGE: Final = 4400
    UNAUTHENTICATED: Final = 4401
    FORBIDDEN: Final = 4403
    HELLO_TIMEOUT: Final = 4408
    REPLACED: Final = 4409
    VERSION: Final = 4426
    TOO_FAST: Final = 4429


class Nack:
    """Codes of a refused change."""

    BUSY: Final = "busy"
    NOT_FOUND: Final = "not_found"
    TOO_BIG: Final = "too_big"
    TOO_COMPLEX: Final = "too_complex"
    BAD_VALUE: Final = "bad_value"


Triple = tuple[str, str, Any]
"""``(id, property, value)``; on the wire a JSON array of three."""


# ---- from the page -------------------------------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a socket."""

    type: ClassVar[str] = "hello"
    version: int
    page: str
    build: str
    tab: str | None = None
    token: str | None = None
    epoch: str | None = None
    seq: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """Watched properties got new values in a page. ``at`` is the page's clock in milliseconds."""

    type: ClassVar[str] = "change"
    n: int
    values: list[Triple]
    state: list[Triple]
    at: float


@dataclasses.dataclass(frozen=True, slots=True)
class Mount:
    """Watched properties appeared in a page with these values; nobody changed them."""

    type: ClassVar[str] = "mount"
    values: list[Triple]


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """An HTTP exchange of Dash's renderer that travels over the socket."""

    type: ClassVar[str] = "request"
    ref: int
    route: str
    query: str
    body: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an `Ask`: ``{property: value}``."""

    type: ClassVar[str] = "answer"
    ref: int
    values: dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a `Ping`. ``seq`` is the newest one applied, ``at`` the page's clock in milliseconds."""

    type: ClassVar[str] = "pong"
    seq: int
    at: float


# ---- from the server -----------------------------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True, slots=True)
class Watch:
    """One watched property, or pattern of them, with the State that travels with its changes."""

    id: str
    property: str
    state: list[tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What the page has to keep to."""

    unacked: int
    change_bytes: int


@dataclasses.dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to a `Hello`."""

    type: ClassVar[str] = "welcome"
    version: int
    epoch: str
    seq: int
    mode: str
    build: str
    tab: str
    token: str
    handled: int
    watch: list[Watch]
    limits: Limits


@dataclasses.dataclass(frozen=True, slots=True)
class WatchList:
    """Replaces the page's list of watched properties."""

    type: ClassVar[str] = "watch"
    watch: list[Watch]


@dataclasses.dataclass(frozen=True, slots=True)
class Mods:
    """New values, applied in one synchronous task; then the events. The page stands at ``seq`` afterwards."""

    type: ClassVar[str] = "mods"
    seq: int
    mods: list[Triple]
    events: list[Triple]
    lost: int


@dataclasses.dataclass(frozen=True, slots=True)
class Props:
    """Values for one page alone."""

    type: ClassVar[str] = "props"
    props: list[Triple]


@dataclasses.dataclass(frozen=True, slots=True)
class Ack:
    """Changes up to ``n`` were stored, the last of them at ``seq``."""

    type: ClassVar[str] = "ack"
    n: int
    seq: int


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """Change ``n`` was refused; ``values`` are the server's own."""

    type: ClassVar[str] = "nack"
    n: int
    seq: int
    code: str
    message: str
    values: list[Triple]


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a `Request`."""

    type: ClassVar[str] = "reply"
    ref: int
    status: int
    headers: dict[str, str]
    body: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """What are these properties in your page now?"""

    type: ClassVar[str] = "ask"
    ref: int
    id: str
    properties: list[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Error:
    """Something the author of the app should see. ``detail`` is a traceback, or empty outside debug mode."""

    type: ClassVar[str] = "error"
    message: str
    detail: str


@dataclasses.dataclass(frozen=True, slots=True)
class Ping:
    """Heartbeat. ``at`` is the server's clock in milliseconds."""

    type: ClassVar[str] = "ping"
    at: float


FromPage = Hello | Change | Mount | Request | Answer | Pong
FromServer = Welcome | WatchList | Mods | Props | Ack | Refusal | Reply | Ask | Error | Ping
FROM_PAGE: Final[tuple[type, ...]] = (Hello, Change, Mount, Request, Answer, Pong)
FROM_SERVER: Final[tuple[type, ...]] = (Welcome, WatchList, Mods, Props, Ack, Refusal, Reply, Ask, Error, Ping)


# ---- decoding: what a page says is checked field by field, before anything is done with it --------------------------
def _is_int(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _is_str(value: Any) -> bool:
    return type(value) is str


def _is_triples(value: Any) -> bool:
    return type(value) is list and all(
        type(t) is list and len(t) == 3 and type(t[0]) is str and type(t[1]) is str for t in value
    )


def _is_object(value: Any) -> bool:
    return type(value) is dict


def _optional(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


_CHECKS: Final[dict[Any, tuple[Callable[[Any], bool], str]]] = {
    int: (_is_int, "a whole number"),
    float: (_is_number, "a number"),
    str: (_is_str, "a string"),
    list[Triple]: (_is_triples, "a list of [id, property, value]"),
    dict[str, Any]: (_is_object, "an object"),
    str | None: (_optional(_is_str), "a string or null"),
    int | None: (_optional(_is_int), "a whole number or null"),
    Any: (lambda _: True, "anything"),
}


def _plan(cls: type) -> tuple[type, list[tuple[str, bool, Callable[[Any], bool], str]]]:
    hints = get_type_hints(cls)
    fields = dataclasses.fields(cls)
    return cls, [(f.name, f.default is dataclasses.MISSING, *_CHECKS[hints[f.name]]) for f in fields]


_PLANS: Final = {cls.type: _plan(cls) for cls in FROM_PAGE}  # type: ignore[attr-defined]


def decode(data: str | bytes) -> FromPage:
    """Decode one frame of a page.

    Raises:
        ProtocolError: not JSON, not an object, an unknown type, a field missing or of the wrong type.
    """
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"frame: expected JSON, got {error}; send one JSON object per text frame") from None
    if type(message) is not dict:
        raise ProtocolError(f"frame: expected an object, got {type(message).__name__}")
    plan = _PLANS.get(message.get("type"))  # type: ignore[arg-type]
    if plan is None:
        raise ProtocolError(f"frame: expected type to be one of {', '.join(_PLANS)}, got {message.get('type')!r:.40}")
    cls, fields = plan
    values = []
    for name, required, check, wanted in fields:
        value = message.get(name)
        if (required and name not in message) or not check(value):
            raise ProtocolError(f"{message['type']}.{name}: expected {wanted}, got {value!r:.40}")
        values.append(value)
    decoded: FromPage = cls(*values)
    return decoded


def complexity(value: Any) -> tuple[int, int]:
    """Depth and number of nodes of a decoded JSON value; stops counting just past the limits. Does not recurse."""
    depth, nodes, level = 0, 0, [value]
    while level and depth <= MAX_DEPTH and nodes <= MAX_NODES:
        nodes += len(level)
        depth += 1
        nested: list[Any] = []
        for item in level:
            if type(item) is dict:
                nested.extend(item.values())
            elif type(item) is list:
                nested.extend(item)
        level = nested
    return depth, nodes


# ---- encoding: values arrive as JSON bytes, so that what goes to many pages is encoded once --------------------------
def triple(id: str, property: str, encoded: bytes) -> bytes:
    """One triple on the wire, from an id, a property and a value that is JSON already."""
    return b"[%b,%b,%b]" % (orjson.dumps(id), orjson.dumps(property), encoded)


def mods(seq: int, triples: Iterable[bytes], events: Iterable[bytes] = (), lost: int = 0) -> bytes:
    """A `Mods` message from encoded triples."""
    return b'{"type":"mods","seq":%d,"mods":[%b],"events":[%b],"lost":%d}' % (
        seq,
        b",".join(triples),
        b",".join(events),
        lost,
    )


def props(triples: Iterable[bytes]) -> bytes:
    """A `Props` message from encoded triples."""
    return b'{"type":"props","props":[%b]}' % b",".join(triples)


def ack(n: int, seq: int) -> bytes:
    """An `Ack` message."""
    return b'{"type":"ack","n":%d,"seq":%d}' % (n, seq)


def refusal(n: int, seq: int, code: str, message: str, triples: Iterable[bytes]) -> bytes:
    """A `Refusal` message from encoded triples."""
    return b'{"type":"nack","n":%d,"seq":%d,"code":%b,"message":%b,"values":[%b]}' % (
        n,
        seq,
        orjson.dumps(code),
        orjson.dumps(message),
        b",".join(triples),
    )


def reply(ref: int, status: int, headers: dict[str, str], body: bytes) -> bytes:
    """A `Reply` message. ``body`` is JSON already."""
    return b'{"type":"reply","ref":%d,"status":%d,"headers":%b,"body":%b}' % (
        ref,
        status,
        orjson.dumps(headers),
        body or b"null",
    )


def encode(message: Any) -> bytes:
    """Any message of the server that is not built from encoded parts."""
    return b'{"type":%b,%b' % (orjson.dumps(message.type), orjson.dumps(message)[1:])


def frame(messages: list[bytes]) -> bytes:
    """One frame out of encoded messages: the message itself, or a JSON array of several."""
    return messages[0] if len(messages) == 1 else b"[%b]" % b",".join(messages)
