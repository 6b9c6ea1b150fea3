"""What the server remembers of each tab: who it is, what it was told, and what it has handled of it.

Pure bookkeeping: no I/O, no asyncio, no clock of its own.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from .clients import Client
from .identity import is_same_person
from .outbox import KEPT_BYTES, Outbox
from .protocol import MAX_UNACKED, Hello
from .pulse import Clock, Pulse
from .shared import Key

KEEP_SECONDS = 600.0  # how long the tab of a client that left may come back as the same client
KEEP_TABS = 10_000
KEEP_BYTES = (
    64 * 2**20
)  # that all of them take, about: an answer is a few dozen bytes, but visitors may make up long ones
SESSION_BYTES = 3_000  # that a tab takes that has said nothing


class Link(Protocol):
    """The socket of a page, as far as the hub sees it.

    Attributes:
        heard: when something was last received, on the clock of the vital signs.
    """

    heard: float

    @property
    def writable(self) -> bool:
        """Would a frame go out now, rather than wait in memory?"""

    def send(self, frame: bytes) -> None:
        """Send one text frame."""

    def close(self, code: int, reason: str) -> None:
        """Close the socket."""

    def abort(self) -> None:
        """Cut the socket, without a word."""

    def progress(self) -> tuple[int, int]:
        """Bytes that the network has taken so far, and bytes that wait for it."""


class Remembered(NamedTuple):
    """What an earlier life of the server knew of a tab: the client's id, its page load, the last number it handled."""

    id: str
    page: str
    handled: int


class Session:
    """One tab.

    Attributes:
        page: the page load it is at; also the origin of its changes in the shared map.
        handled: number of the last change of this page load that was answered.
        taken: number of the last one that was taken; those above ``handled`` wait for the disk.
        waiting: how many changes wait for the disk, those of earlier page loads too.
        kept: is this page load sent everything anew, while its numbers go on? As after an earlier life of the server.
        unsure: then, the last number that may have been carried out in that life without a trace.
        answers: the recorded answers with their numbers, newest last.
        joined: is the client in ``app.clients``?
        known: ids that the page had made known, for when it is back; None while the engine knows them itself.
        layout_ref: the request for a layout that was answered on this line.
        identity: whom the gate let in, the last time.
        left_at: when it left, on the hub's clock.
        complained: the second, on the monotonic clock, of the last log line about a refused change.
        clock: how far the clock of the page is off.
        pulse: the heartbeats of its socket.
    """

    def __init__(self, client: Client, token: str) -> None:
        self.client = client
        self.token = token
        self.page = ""
        self.outbox = Outbox()
        self.link: Link | None = None
        self.handled = self.taken = self.waiting = 0
        self.kept, self.unsure = False, 0
        self.answers: list[tuple[int, bytes]] = []
        self.joined = False
        self.known: list[str] | None = []
        self.layout_ref: int | None = None
        self.identity: Any = None
        self.left_at = 0.0
        self.watch_version = -1
        self.complained = -1
        self.clock = Clock()
        self.pulse = Pulse(0.0, 0.0)

    def begin(self, page: str) -> None:
        """A page load begins: numbers start again, nothing is owed."""
        self.page = page
        self.handled = self.taken = 0
        self.kept, self.unsure = False, 0
        self.answers.clear()
        self.known = []
        self.outbox = Outbox()

    def resume_kept(self, last: int) -> None:
        """A page load goes on that is to be sent everything; ``last``: of an earlier life, the number of its last change."""
        self.unsure = last
        lost = self.outbox.waiting_events
        self.outbox = Outbox()
        self.outbox.lost = lost  # its rights may be others: it is told how many, not which

    def acknowledge(self, n: int, message: bytes, *, patient: bool) -> None:
        """Post that change ``n`` is taken, and record it; ``patient``: it may wait for what it brings about."""
        self._record(n, message)
        self.outbox.post(message, patient=patient)

    def refuse(self, n: int, message: bytes, refused: Iterable[Key], kept: bytes) -> None:
        """Post that change ``n`` is not taken, and record ``kept``: a shorter one, as each tab has 256 of them."""
        self._record(n, kept)
        self.outbox.post(message)
        # a page that takes a refused value from the answer must not get the patch that led there on top
        self.outbox.again.whole.update(refused)

    @property
    def size(self) -> int:
        """Bytes that are kept for it, about."""
        client = self.client
        texts = [client.address, client.host, client.origin or "", client.user_agent, self.page, *(self.known or ())]
        kept = sum(map(len, texts)) + sum(len(message) for _, message in self.answers)
        return SESSION_BYTES + kept + KEPT_BYTES * (len(texts) + len(self.answers)) + self.outbox.size

    def _record(self, n: int, message: bytes) -> None:
        self.handled = n
        self.answers.append((n, message))
        del self.answers[:-MAX_UNACKED]

    def answer_again(self, only: int | None = None) -> None:
        """Post the recorded answers again, or the one to change ``only``."""
        for n, message in self.answers:
            if only in (None, n):
                self.outbox.post(message)


class Sessions:
    """Every tab that is there or may come back, by its secret token.

    Attributes:
        recall: what an earlier life of the server knew of the tab with a token, or None.
    """

    def __init__(self) -> None:
        self.recall: Callable[[str], Remembered | None] = lambda token: None
        self._by_token: dict[str, Session] = {}
        self._gone: OrderedDict[str, tuple[Session, int]] = (
            OrderedDict()
        )  # of clients that left, oldest first; with their sizes
        self._gone_bytes = 0

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_token.values()))

    def get(self, token: str | None) -> Session | None:
        """The session of a token."""
        return self._by_token.get(token) if token else None

    def open(self, hello: Hello, make_client: Callable[[str], Client], identity: Any = None) -> Session:
        """The session that a hello belongs to: its own if the token is known and no other page uses it, else a new one.

        Nor is it its own if somebody else has logged in in that tab since.
        """
        session = self.get(hello.token)
        if session is None:
            session = self._recalled(hello.token, make_client)
        elif not is_same_person(session.identity, identity):
            session = None
        if session is None or (session.link is not None and session.page != hello.page):
            session = Session(make_client(secrets.token_urlsafe(9)), secrets.token_urlsafe(24))
            self._by_token[session.token] = session
        if identity is not None:
            session.identity = session.client.authentication = identity
        self._back(session.token)
        if session.page != hello.page:
            session.begin(hello.page)
        return session

    def _recalled(self, token: str | None, make_client: Callable[[str], Client]) -> Session | None:
        known = self.recall(token) if token else None
        if token is None or known is None:
            return None
        session = self._by_token[token] = Session(make_client(known.id), token)
        session.page, session.kept = known.page, True
        session.handled = session.taken = known.handled
        return session

    def left(self, session: Session, now: float) -> list[Session]:
        """A client left; returns the tabs that are forgotten by now, oldest first."""
        session.left_at = now
        self._back(session.token)
        self._gone[session.token] = session, session.size
        self._gone_bytes += session.size
        forgotten: list[Session] = []
        while self._gone:
            token, (oldest, _) = next(iter(self._gone.items()))
            is_room = len(self._gone) <= KEEP_TABS and self._gone_bytes <= KEEP_BYTES
            if is_room and now - oldest.left_at <= KEEP_SECONDS:
                break
            self._back(token)
            forgotten.append(self._by_token.pop(token))
        return forgotten

    def _back(self, token: str) -> None:
        """It counts no more among those that left."""
        _, size = self._gone.pop(token, (None, 0))
        self._gone_bytes -= size
