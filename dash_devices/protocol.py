"""The wire: every message as a frozen dataclass, and the numbers both ends agree on. `codec` reads and writes it.

``PROTOCOL.md`` explains it; ``renderer/src/protocol.ts`` is generated from this module by ``tools/generate_protocol.py``.
No I/O here and no asyncio.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Final

VERSION: Final = 1
PATH: Final = "_dash-devices/socket"
SEQ_HEADER: Final = "x-dash-devices-seq"
TAB_HEADER: Final = "x-dash-devices-tab"

MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000
MAX_MESSAGE: Final = (
    24 * 2**20
)  # bytes: a request of a regular callback, or the State that travels with a change: a file of 16 MiB
MAX_CHANGE: Final = 256 * 2**10  # bytes: the values of one change
MAX_NAME: Final = 64  # characters of what a hello says of a page: its load, its build, its tab and the token of that
MAX_UNACKED: Final = 256  # changes per page without an ack
MAX_BATCHES: Final = 8  # batches of state per page that it has not said it applied
PING_SECONDS: Final = 5  # between two pings to a page
CHECK_EVERY: Final = 6  # pings: each so many-th asks for the hash of what the page holds
DEAD_SECONDS: Final = 9  # a page that received nothing for so long gives its line up


class Close:
    """Close codes that this package sends or understands; ``PROTOCOL.md`` says what a page does with each."""

    NORMAL: Final = 1000
    GOING_AWAY: Final = 1001
    UNSUPPORTED: Final = 1003
    INVALID: Final = 1007
    POLICY: Final = 1008
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
    TOO_OLD: Final = "too_old"
    STORAGE: Final = "storage"
    OUTDATED: Final = "outdated"
    UNCONFIRMED: Final = "unconfirmed"


Triple = tuple[str, str, Any]
"""``(id, property, value)``; on the wire a JSON array of three."""

Mod = tuple[str, str, Any] | tuple[str, str, Any, int]
"""A triple, or one with the seq of its value at the end: in `Mods`, where that is not the seq of the message."""


def _not_sent(default: bool) -> Any:
    """A field that is not on the wire. ``is_suspect``: could the message hold what only code may say, see `strict`?"""
    return dataclasses.field(default=default, compare=False, repr=False, metadata={"sent": False})


# ---- from the page -------------------------------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a socket. ``at`` is the page's clock in milliseconds, ``n`` the number of its last change."""

    type: ClassVar[str] = "hello"
    version: int
    page: str
    build: str
    tab: str | None = None
    token: str | None = None
    epoch: str | None = None
    seq: int | None = None
    at: float | None = None
    n: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """Watched properties got new values in a page. ``at`` is the page's clock in milliseconds.

    ``base``: the component changed by itself, in a page that stood at this seq.
    """

    type: ClassVar[str] = "change"
    n: int
    values: list[Triple]
    state: list[Triple]
    at: float
    base: int | None = None
    is_suspect: bool = _not_sent(True)


@dataclasses.dataclass(frozen=True, slots=True)
class Mount:
    """Watched properties appeared in a page with these values, as part of mounting. ``state`` is as in `Change`."""

    type: ClassVar[str] = "mount"
    values: list[Triple]
    state: list[Triple] | None = None
    is_suspect: bool = _not_sent(True)


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """An HTTP exchange of Dash's renderer that travels over the socket."""

    type: ClassVar[str] = "request"
    ref: int
    route: str
    query: str
    body: Any
    is_suspect: bool = _not_sent(True)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an `Ask`: ``{property: value}``."""

    type: ClassVar[str] = "answer"
    ref: int
    values: dict[str, Any]
    is_suspect: bool = _not_sent(True)


@dataclasses.dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a `Ping`. ``seq`` is the newest one applied, ``at`` the page's clock in milliseconds.

    ``hash``, when the ping has ``check``: what the page holds, as the sum of the CRC-32 of each ``id.property:seq``.
    """

    type: ClassVar[str] = "pong"
    seq: int
    at: float
    hash: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Applied:
    """Everything up to ``seq`` was applied."""

    type: ClassVar[str] = "applied"
    seq: int


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
    message_bytes: int
    batches: int


@dataclasses.dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to a `Hello`. ``shared``: the ids, or patterns of them, of components that show shared state.

    ``kept``: the epoch is new, but ``handled`` still counts. ``rerun``: milliseconds in which a page of another epoch
    repeats its initial calls; 0: it does not.
    """

    type: ClassVar[str] = "welcome"
    version: int
    epoch: str
    seq: int
    mode: str
    build: str
    tab: str
    token: str
    handled: int
    kept: bool
    rerun: int
    watch: list[Watch]
    shared: list[str]
    limits: Limits


@dataclasses.dataclass(frozen=True, slots=True)
class WatchList:
    """Replaces the page's list of watched properties."""

    type: ClassVar[str] = "watch"
    watch: list[Watch]


@dataclasses.dataclass(frozen=True, slots=True)
class Mods:
    """New values, applied in one synchronous task; then the events. The page stands at ``seq`` afterwards.

    ``gone``: components of which the server has forgotten all values; it comes before the mods.
    """

    type: ClassVar[str] = "mods"
    seq: int
    mods: list[Mod]
    events: list[Triple]
    lost: int
    gone: list[str] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Props:
    """Values for one page alone."""

    type: ClassVar[str] = "props"
    props: list[Triple]


@dataclasses.dataclass(frozen=True, slots=True)
class Ack:
    """Change ``n`` was stored, at ``seq``. There is one for each change."""

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
    """Something the author of the app should see. ``detail`` is its traceback. Sent in debug mode only."""

    type: ClassVar[str] = "error"
    message: str
    detail: str


@dataclasses.dataclass(frozen=True, slots=True)
class Notice:
    """Something that everybody who looks at the page should know, shown with the mark; empty: no more."""

    type: ClassVar[str] = "notice"
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Ping:
    """Heartbeat. ``at`` is the server's clock in milliseconds; ``check``: the answer is to have the hash."""

    type: ClassVar[str] = "ping"
    at: float
    check: bool


FromPage = Hello | Change | Mount | Request | Answer | Pong | Applied
FromServer = Welcome | WatchList | Mods | Props | Ack | Refusal | Reply | Ask | Error | Notice | Ping
FROM_PAGE: Final[tuple[type, ...]] = (Hello, Change, Mount, Request, Answer, Pong, Applied)
FROM_SERVER: Final[tuple[type, ...]] = (Welcome, WatchList, Mods, Props, Ack, Refusal, Reply, Ask, Error, Notice, Ping)
