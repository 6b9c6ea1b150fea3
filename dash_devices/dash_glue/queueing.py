"""The requests of one page that have no reply yet: begun in order, as the page's pace allows."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ..connection import Connection
from ..protocol import Request
from ..sessions import Session
from .metering import Turn

MAX_UNANSWERED = 1_024  # requests of one tab: each is a task, and maybe a thread
MAX_BYTES = 4  # times the largest message: bodies of requests stay in memory until they are answered
MAX_QUERY = 8_192  # characters, as of an address
MAX_LAYOUTS = 10  # of one page load in LAYOUT_SECONDS: it needs one, and one more where it is sent everything anew
LAYOUT_SECONDS = 10.0
AT_ONCE = 8  # requests of a page that are due to take their first step on the loop


class Asked(NamedTuple):
    """One request.

    Attributes:
        page: the page load that asked.
        connection: the socket that it came over.
        size: bytes of its frame.
    """

    session: Session
    page: str
    connection: Connection
    request: Request
    size: int

    @property
    def is_wanted(self) -> bool:
        """Is the page still there that asked? It asks again over its next socket."""
        return self.session.link is self.connection and self.session.page == self.page


class PageRequests:
    """The requests of one tab. On the event loop only.

    Args:
        begin: starts to answer one; `began` is to be called with its first step, `ended` at its end.
        turn: how much of the current tick of the loop is used.
    """

    def __init__(self, begin: Callable[[Asked], object], turn: Turn) -> None:
        self._begin = begin
        self._turn = turn
        self._waiting: deque[Asked] = deque()
        self._timer: asyncio.Handle | None = None
        self._layouts: deque[float] = deque(maxlen=MAX_LAYOUTS)
        self._layouts_of = ""
        self._due = 0
        self.unanswered = 0
        self.size = 0

    def refusal(self, asked: Asked) -> tuple[int, str] | None:
        """Status and text for a request that is not answered."""
        if len(asked.request.query) > MAX_QUERY:
            return 413, f"query: expected at most {MAX_QUERY} characters, got {len(asked.request.query)}"
        if self.unanswered >= MAX_UNANSWERED:
            return 429, "too many requests at once"
        if self.size + asked.size > MAX_BYTES * asked.connection.limits.message_bytes:
            return 429, "too many bytes in requests at once"
        if asked.request.route == "layout" and not self._has_layout(asked.page):
            return 429, f"more than {MAX_LAYOUTS} layouts in {LAYOUT_SECONDS:g} s"
        return None

    def _has_layout(self, page: str) -> bool:
        now = time.monotonic()
        if self._layouts_of != page:
            self._layouts_of = page
            self._layouts.clear()
        if len(self._layouts) == MAX_LAYOUTS and now - self._layouts[0] < LAYOUT_SECONDS:
            return False
        self._layouts.append(now)
        return True

    def put(self, asked: Asked) -> None:
        """Answer it, as soon as those before it have begun and the pace allows it."""
        self.unanswered += 1
        self.size += asked.size
        self._waiting.append(asked)
        if self._timer is None:
            self._go()

    def began(self) -> None:
        """A request has taken its first step."""
        self._due -= 1
        if self._timer is None:
            self._go()

    def ended(self, asked: Asked) -> None:
        """A request was answered, or its page is gone."""
        self.unanswered -= 1
        self.size -= asked.size

    def _go(self) -> None:
        self._timer = None
        while self._waiting and self._due < AT_ONCE:
            first = self._waiting[0]
            if not first.is_wanted:
                self.ended(self._waiting.popleft())
            elif wait := first.connection.debt:
                self._timer = asyncio.get_running_loop().call_later(wait, self._go)
                return
            elif self._turn.is_over:
                self._timer = asyncio.get_running_loop().call_soon(self._go)
                return
            else:
                self._due += 1
                self._begin(self._waiting.popleft())
