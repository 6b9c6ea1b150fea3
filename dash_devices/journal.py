"""Durable state: a change of a page is on disk before anything comes of it, and all other shared values soon are.

Here is what lives on the event loop: what waits for the disk, which tabs are known, what pages are told. `scribe` writes.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from functools import partial

import orjson

from .calls import Item
from .engine import Engine
from .generations import Generations
from .scribe import Scribe, Work, Write
from .selection import Selection
from .sessions import KEEP_SECONDS, KEEP_TABS, Remembered, Session
from .shared import Key
from .startup import QUIET
from .statefile import TAB, Row, RowKey
from .supervision import Watch

logger = logging.getLogger("dash_devices.state")

LINGER = 1.0  # s that pushes and results gather before they are written
STOP_SECONDS = 1.0


class Journal:
    """The durable state of one app: the scribe's `Desk`.

    Attributes:
        tell: called on the loop with the text that pages should show, when it changes.

    Raises:
        ServerError: the state can be neither read nor begun.
    """

    def __init__(self, engine: Engine, selection: Selection, generations: Generations) -> None:
        self.tell: Callable[[str], None] = lambda text: None
        self._engine = engine
        self._selection = selection
        self._generations = generations
        self._condition = threading.Condition()
        self._ahead: list[Write] = []  # changes that wait for the disk
        self._pending: Counter[Key] = (
            Counter()
        )  # properties with changes that are not stored yet, under the engine's lock
        self._is_behind = False  # is there anything else to write?
        self._is_busy = self._is_halted = self._is_ending = False
        self._settled: deque[tuple[list[Write], str]] = deque()
        self._tabs: dict[str, bytes] = {}  # the row of each tab that is on disk, or on its way
        self._changed_tabs: dict[str, bytes | None] = {}
        self._unclaimed: set[str] = set()  # tabs of earlier lives that have not come back
        self._told = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch = Watch(engine.metrics)
        self._scribe = Scribe(self, generations, engine.metrics)
        self._load(self._scribe.rows)

    # ---- the server's life ---------------------------------------------------------------------------------------------
    def _load(self, rows: dict[RowKey, Row]) -> None:
        """Values from the file win over those of the layout, but not over what the app has pushed in this life."""
        pushed = {entry.key for entry in self._engine.shared.entries() if entry.seq}
        for (kind, name, part), row in rows.items():
            if kind == TAB:
                self._tabs[name] = row.body
            elif self._selection.keeps((name, part)) and (name, part) not in pushed:
                self._engine.store([Item((name, part), row.body)], QUIET)
        rows.clear()
        self._unclaimed = set(self._tabs)
        self._drop(list(self._tabs)[:-KEEP_TABS])
        self.everything()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server runs."""
        self._loop = loop
        self._told = self.notice
        self.tell(self.notice)
        self._scribe.start(self._engine.shared.seq)
        loop.call_later(KEEP_SECONDS, lambda: self._drop(list(self._unclaimed)))

    def halt(self) -> None:
        """The pages are about to go: what is not on its way to the disk yet they send to the next life of the server."""
        with self._condition:
            self._is_halted = True
            self._ahead = []
            self._condition.wait_for(lambda: not self._is_busy, STOP_SECONDS / 2)
        self._go_on()
        self._wake()  # to be written while the app's own hooks run

    def end(self) -> None:
        """Write what is left, and let go of the file."""
        with self._engine.lock:
            self._pending.clear()  # nobody carries those out any more
        with self._condition:
            self._is_halted = self._is_ending = self._is_behind = True
            self._condition.notify_all()

    def join(self) -> None:
        """Wait for the end of that. Not on the loop."""
        self._scribe.join(STOP_SECONDS)

    # ---- changes -------------------------------------------------------------------------------------------------------
    @property
    def trouble(self) -> str:
        """Why nothing can be written; empty while all is well."""
        return self._scribe.trouble

    def waits(self, keys: Iterable[Key]) -> bool:
        """Does a change of these properties wait for the disk?"""
        return any(map(self._selection.keeps, keys))

    def write(self, session: Session, n: int, items: Iterable[Item], done: Callable[[str], None]) -> None:
        """Write change ``n`` of a page, then call ``done`` with an empty text, or with the trouble there is.

        On the loop, both. A server that stops takes no more.
        """
        kept = [item for item in items if self._selection.keeps(item.key)]
        write = Write(_name(session.token), _tab_row(session, n), kept, done)
        with self._engine.lock:
            self._pending.update(item.key for item in kept)
        with self._condition:
            if not self._is_halted:
                self._ahead.append(write)
                self._condition.notify_all()

    def stored(self) -> None:
        """Something may have been stored. From any thread."""
        if self._engine.shared.dirty and not self._is_behind:
            self._wake()

    def _wake(self) -> None:
        with self._condition:
            self._is_behind = True
            self._condition.notify_all()

    # ---- tabs ----------------------------------------------------------------------------------------------------------
    def recall(self, token: str) -> Remembered | None:
        """What an earlier life of the server knew of a tab."""
        name = _name(token)
        self._unclaimed.discard(name)
        row = self._tabs.get(name)
        return None if row is None else Remembered(*orjson.loads(row))

    def remember(self, session: Session) -> None:
        """A page has said hello."""
        name = _name(session.token)
        row = self._tabs.get(name)
        if row is None or orjson.loads(row)[1] != session.page:
            with self._condition:
                self._tabs[name] = self._changed_tabs[name] = _tab_row(session, 0)
            self._wake()

    def forget(self, sessions: Iterable[Session]) -> None:
        """These tabs will not come back."""
        self._drop([_name(session.token) for session in sessions])

    def _drop(self, names: list[str]) -> None:
        self._unclaimed.difference_update(names)
        with self._condition:
            self._changed_tabs.update((name, None) for name in names if self._tabs.pop(name, None) is not None)
        if names:
            self._wake()

    # ---- the scribe's side: in its thread ------------------------------------------------------------------------------
    def gather(self) -> Work | None:
        """Wait for something to write. What no page waits for is left to gather for a while."""
        with self._condition:
            self._is_busy = False
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._ahead or self._is_behind or self._is_ending)
            self._condition.wait_for(lambda: self._ahead or self._is_halted, LINGER)
            if not self._ahead and not self._is_behind:
                return None
            self._is_busy, self._is_behind = True, False
            writes, self._ahead = self._ahead, []
            tabs, self._changed_tabs = self._changed_tabs, {}
        try:
            return self._work(tabs, writes)
        except BaseException:
            self.returned(Work({}, tabs, writes, 0), writes)
            raise

    def _work(self, tabs: dict[str, bytes | None], writes: list[Write]) -> Work:
        with self._engine.lock:
            shared = self._engine.shared
            dirty = [key for key in shared.dirty or () if self._selection.keeps(key)]
            found = {key: shared.get(key) for key in dirty if key not in self._pending}
            # what stands there is older than the change, which may be on disk already
            shared.dirty = {key: None for key in dirty if key in self._pending}
            return Work(found, tabs, writes, shared.seq)

    def settled(self, writes: list[Write], trouble: str) -> None:
        """The loop goes on with these changes."""
        if not trouble:
            with self._condition:
                self._tabs.update((write.tab, write.row) for write in writes if write.tab in self._tabs)
        self._settled.append((writes, trouble))
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._go_on)
            except RuntimeError:
                logger.debug("a commit ended after the event loop was closed")

    def returned(self, work: Work, writes: list[Write]) -> None:
        """Take work back; changes of pages that go to the next life of the server are not kept."""
        with self._engine.lock:
            self._engine.shared.dirty = {**dict.fromkeys(work.values), **(self._engine.shared.dirty or {})}
        with self._condition:
            self._changed_tabs = {**work.tabs, **self._changed_tabs}
            self._is_behind = not self._is_ending
            if not self._is_halted:
                self._ahead[:0] = writes

    def pause(self, seconds: float) -> bool:
        """Wait, unless the end comes."""
        with self._condition:
            self._is_busy = False
            self._condition.notify_all()
            return self._condition.wait_for(lambda: self._is_ending, seconds)

    def everything(self) -> None:
        """All tabs and all values but the layout's have to be written, where they differ."""
        with self._condition:
            self._changed_tabs = {**self._tabs, **self._changed_tabs}
            self._is_behind = True
        with self._engine.lock:
            shared = self._engine.shared
            shared.dirty = {entry.key: None for entry in shared.entries() if entry.seq}

    # ---- back on the loop ----------------------------------------------------------------------------------------------
    def _go_on(self) -> None:
        """Carry out the changes that are on disk, in order."""
        while self._settled:
            writes, trouble = self._settled.popleft()
            for write in writes:
                self._watch.guard("changes that are on disk", partial(write.done, trouble))
                self._watch.guard("changes that are on disk", partial(self._stored, write))
        if self.notice != self._told:
            self._told = self.notice
            self.tell(self.notice)

    def _stored(self, write: Write) -> None:
        with self._engine.lock:
            self._pending.subtract(item.key for item in write.items)
            self._pending = +self._pending
        self.stored()

    @property
    def notice(self) -> str:
        """What pages should show: that nothing can be written, or what was wrong at the start."""
        if self.trouble:
            return f"Changes cannot be kept: {self.trouble}"
        return " ".join(self._generations.notes)


def _name(token: str) -> str:
    """What the disk has of a token: enough to know it again, not to be it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _tab_row(session: Session, n: int) -> bytes:
    return orjson.dumps((session.client.id, session.page, n))
