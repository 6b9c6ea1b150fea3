"""An executable model of PROTOCOL.md: one server, pages, and lines that break. Every rule can be taken out.

Values are tuples of numbers that nobody uses twice, so a value tells who set it; a Patch appends one number.
No time, no bytes, no callbacks: what is left is who sends what, when, and what the other then does.

    Page.change -> line.up -> Server.read -> Server.store -> Server.flush -> line.down -> Page.read

This module has the rules, the messages and the line; `model_server` and `model_page` are the two parties.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from dataclasses import dataclass, field

Value = tuple[int, ...]
LIMIT = 3  # limits.unacked
BATCHES = 2  # limits.batches
WATCHED = ("p", "q", "late")  # the server has no value of "late" at first
PAIR = ("x", "y")  # always set together, by one callback


class Rule(enum.Enum):
    """The rules of PROTOCOL.md, by number, each as small as it can be taken out."""

    NEXT_SEQ = "1: each store takes the next seq"
    ALL_NEWER = "1: a page is sent everything newer than the seq it stands at"
    OLDEST_FIRST = "1: oldest first"
    ONLY_MODS_MOVE = "1: a page stands at the seq of the last mods it applied, not at the one of the welcome"
    PATCH_IN_STEP = "1: a page that is not in step gets the whole value instead of the Patch"
    ACK_ONLY = "2: the originator does not get its own value back"
    HOLD_BACK = "3: mods of a property with an unacknowledged change are kept aside"
    DROP_OLD = "3: at the ack, the value aside is dropped unless its seq is higher"
    ANSWERS_FIRST = "3: an answer leaves before mods that are newer than it"
    ONCE = "4: a number at or below the last handled one is not run"
    RECORDED = "4: after a lost socket the recorded answers are given again"
    EVERY_ANSWER = "4: all of them, not only the newest"
    RESEND = "4: after a lost socket what is above `handled` is sent again"
    IN_ORDER = "4: in order"
    SAME_EPOCH = "4: a seq counts only in its own epoch"
    NO_RESEND = "4: after a new epoch nothing is sent again"
    MOUNT = "5: a mount value is adopted only where the server has none"
    MOUNT_AGAIN = "5: a mount that a lost socket may have swallowed is sent again"
    ONE_SEQ = "6: the results of one callback have one seq"
    ONE_TASK = "6: the mods of one message are applied in one synchronous task"
    LIMITED = "7: at most limits.unacked changes are sent without an ack"
    BATCHED = "9: at most limits.batches batches are out that were not applied"
    GOES_ON = "9: what was kept back comes when the page has applied them"
    OWN_SEQ = "10: a mod has a seq of its own where that is not its message's"
    HELD_COUNTS = "10: the seq counts from the moment the mod arrives, also when it is held back"
    ACK_COUNTS = "10: the ack tells the seq of the page's own change"
    BASE = "10: what the layout had does not count"
    ADOPTED = "10: a value adopted from a mount comes back to the page that told it"
    KEPT = "12: after a kept welcome the page's numbers go on"
    KEPT_SETTLED = "12: what is at or below `handled` is settled"
    KEPT_RESENT = "12: what is above it is sent again"
    KEPT_GAP = "12: numbers that were answered before need not be known"


Rules = frozenset[Rule]
ALL_RULES: Rules = frozenset(Rule)


@dataclass(frozen=True)
class Patch:
    """Append ``added``."""

    added: Value


Triple = tuple[str, Value | Patch]


@dataclass(frozen=True)
class Hello:
    """``epoch`` None: a page without a layout. ``n``: of its last change."""

    token: int
    epoch: int | None
    seq: int
    n: int


@dataclass(frozen=True)
class Change:
    """``uid`` and ``doomed`` (the server will refuse it) are not on the wire."""

    n: int
    values: dict[str, Value]
    uid: int
    doomed: bool


@dataclass(frozen=True)
class Mount:
    values: dict[str, Value]


@dataclass(frozen=True)
class Welcome:
    token: int
    epoch: int
    seq: int
    mode: str
    handled: int
    kept: bool


@dataclass(frozen=True)
class Layout:
    seq: int
    values: dict[str, Value]


@dataclass(frozen=True)
class Mods:
    """Each with its own seq."""

    seq: int
    mods: tuple[tuple[str, Value | Patch, int], ...]


@dataclass(frozen=True)
class Ping:
    check: bool


@dataclass(frozen=True)
class Pong:
    """``held``: after a check, the seq of each property that counts."""

    seq: int
    held: frozenset[tuple[str, int]] | None


@dataclass(frozen=True)
class Applied:
    seq: int


@dataclass(frozen=True)
class Ack:
    n: int
    seq: int


@dataclass(frozen=True)
class Nack:
    n: int
    seq: int
    values: dict[str, Value]


@dataclass(frozen=True)
class Props:
    """Values for one page alone, written at once. The model's server has no use for it."""

    props: tuple[Triple, ...]


FromPage = Hello | Change | Mount | Applied | Pong
FromServer = Welcome | Layout | Mods | Props | Ack | Nack | Ping


@dataclass(eq=False)
class Line:
    """One socket: in order both ways, until it breaks and loses what is under way."""

    load: int
    up: deque[FromPage] = field(default_factory=deque)
    down: deque[FromServer] = field(default_factory=deque)
    is_open: bool = True

    def cut(self) -> None:
        """Nobody hears of it at once: what the page had sent may still reach the server."""
        self.is_open = False
        self.down.clear()
        if any(isinstance(message, Hello) for message in self.up):
            self.up.clear()


@dataclass
class World:
    """What no party of the protocol knows, and only the checks look at."""

    rules: Rules = ALL_RULES
    handled: Counter[int] = field(default_factory=Counter)  # uid of a change -> times the server handled it, ever
    faults: list[str] = field(default_factory=list)
    _last: int = 0

    def number(self) -> int:
        """A number nobody has used."""
        self._last += 1
        return self._last
