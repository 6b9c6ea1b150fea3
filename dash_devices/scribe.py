"""The thread that writes the state: it commits whatever has gathered, and does not rest while that fails."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from .calls import Item
from .errors import DashDevicesError
from .generations import Generations
from .shared import Entry, Key
from .statefile import TAB, VALUE, Damaged, Row, RowKey
from .supervision import Watch

logger = logging.getLogger("dash_devices.state")

PATIENCE = 0.5  # s that changes wait for a disk that fails, before they are refused
FIRST_RETRY, LAST_RETRY = 0.05, 1.0  # s
COPY_SECONDS = 600.0  # between two copies of the file
SPOILT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)  # primary result codes


@dataclasses.dataclass(frozen=True, slots=True)
class Write:
    """A change on its way to the disk, with the row of its tab. ``done`` gets what went wrong, or an empty text."""

    tab: str
    row: bytes
    items: list[Item]
    done: Callable[[str], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """What goes into one commit: values and tabs (None: forgotten), and the changes that wait for it. ``seq``: of now."""

    values: dict[Key, Entry | None]
    tabs: dict[str, bytes | None]
    writes: list[Write]
    seq: int


class Desk(Protocol):
    """Where the scribe gets its work from and brings it back to."""

    def gather(self) -> Work | None:
        """Wait for work; None: the end."""

    def settled(self, writes: list[Write], trouble: str) -> None:
        """These changes are on disk, or will not get there because of this trouble."""

    def returned(self, work: Work, writes: list[Write]) -> None:
        """Nothing of this is on disk; it has to be gathered again, with these changes."""

    def pause(self, seconds: float) -> bool:
        """Wait, unless the end comes. Is it the end?"""

    def everything(self) -> None:
        """All that is durable has to be gathered again."""


class Scribe:
    """Writes the state of one app.

    Attributes:
        trouble: why nothing can be written; empty while all is well.
        rows: what the file held, oldest first; to be taken once.
    """

    def __init__(self, desk: Desk, generations: Generations, metrics: Counter[str]) -> None:
        self.trouble = ""
        self._desk = desk
        self._generations = generations
        self._metrics = metrics
        self._file = generations.open()
        self.rows = self._file.take_rows()
        self._digests = {key: _digest(row.body) for key, row in self.rows.items()}  # of what is on disk
        self._base = max((row.place for row in self.rows.values()), default=0)
        self._failing_since: float | None = None
        self._delay = FIRST_RETRY
        self._copied_at, self._copied_commits = time.monotonic(), self._file.commits
        self._watch = Watch(metrics)
        self._thread = self._watch.thread("the state", self._run, "dash-devices-state")
        metrics.update(dict.fromkeys(("state_commits", "state_errors", "state_copies", "state_failing"), 0))

    def start(self, seq: int) -> None:
        """Begin; what is stored after this seq comes after what the file holds."""
        self._base += seq
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        if self._thread.ident is None:
            self._finish()
            return
        self._thread.join(seconds)
        if self._thread.is_alive():
            logger.error("the state could not be written within %g s; ending without it", seconds)

    def _run(self) -> None:
        while self._step():
            pass
        self._finish()

    def _step(self) -> bool:
        """Gather work and commit it. A fault of ours ends neither this thread nor the wait of a page. False: the end."""
        work = None
        try:
            work = self._desk.gather()
            if work is not None:
                self._commit(work)
            return work is not None
        except Exception as error:
            self._metrics["state_errors"] += 1
            if work is None:
                self._watch.failed("gathering the state", error)
                return not self._desk.pause(LAST_RETRY)
            self._watch.failed("writing the state (this part of it is given up)", error)
            self._desk.settled(work.writes, str(error) or repr(error))
            return True

    # ---- one commit ----------------------------------------------------------------------------------------------------
    def _commit(self, work: Work) -> None:
        rows = self._rows(work)
        try:
            if rows or self._is_failing:
                self._check_name()
                self._file.write(rows)
        except (sqlite3.Error, OSError, Damaged) as error:
            self._failed(work, error)
            return
        if rows or self._is_failing:
            self._written(rows)
        self._desk.settled(work.writes, "")

    @property
    def _is_failing(self) -> bool:
        """Did the last try fail?"""
        return self._failing_since is not None

    def _rows(self, work: Work) -> dict[RowKey, Row | None]:
        """What differs from what is on disk; a change comes after what was stored before it."""
        rows: dict[RowKey, Row | None] = {}
        for key, entry in work.values.items():
            is_known = (VALUE, *key) in self._digests
            if entry is None and is_known:
                rows[VALUE, *key] = None
            elif entry is not None and self._digests.get((VALUE, *key)) != _digest(entry.encoded):
                rows[VALUE, *key] = Row(entry.encoded, self._base + entry.seq)
        place = self._base + work.seq
        for name, body in work.tabs.items():
            rows[TAB, name, ""] = Row(body, place) if body else None
        for write in work.writes:
            rows.update({(VALUE, *item.key): Row(item.encoded, place) for item in write.items})
            rows[TAB, write.tab, ""] = Row(write.row, place)
        return rows

    def _check_name(self) -> None:
        """A file that somebody took away would still take everything, and nobody would find it."""
        if not self._generations.holds(self._file):
            raise Damaged(f"{self._generations.path.name} is gone")

    def _written(self, rows: dict[RowKey, Row | None]) -> None:
        self._metrics["state_commits"] += 1
        for key, row in rows.items():
            if row:
                self._digests[key] = _digest(row.body)
            else:
                self._digests.pop(key, None)
        try:
            self._generations.acknowledge(self._file.commits)
            if time.monotonic() - self._copied_at > COPY_SECONDS:
                self._copy()
        except (sqlite3.Error, OSError, Damaged) as error:
            self._metrics["state_errors"] += 1
            logger.error("the state is on disk, but not its copy: %s", error)
        if self._is_failing:
            logger.warning("the state can be written again")
        self._failing_since, self._delay, self.trouble = None, FIRST_RETRY, ""
        self._metrics["state_failing"] = 0

    def _copy(self) -> None:
        """Make the previous generation anew where there is something new."""
        self._copied_at = time.monotonic()
        if self._file.commits != self._copied_commits:
            self._generations.keep(self._file)
            self._copied_commits = self._file.commits
            self._metrics["state_copies"] += 1

    # ---- when it fails -------------------------------------------------------------------------------------------------
    def _failed(self, work: Work, error: Exception) -> None:
        """Nothing of it is on disk. Values are tried again for ever, changes of pages for a moment."""
        self._metrics["state_errors"] += 1
        self._metrics["state_failing"] = 1
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
            logger.error("the state cannot be written: %s; trying again", error)
        if now - self._failing_since < PATIENCE:
            self._desk.returned(work, work.writes)
        else:
            self.trouble = str(error)
            self._desk.returned(work, [])
            self._desk.settled(work.writes, self.trouble)
        if isinstance(error, Damaged) or getattr(error, "sqlite_errorcode", 0) & 0xFF in SPOILT:
            self._replace()
        self._desk.pause(self._delay)
        self._delay = min(2 * self._delay, LAST_RETRY)

    def _replace(self) -> None:
        """The file is gone or spoilt: all that is durable has to go into another one."""
        self._file.close()
        try:
            self._file = self._generations.reopen()
        except DashDevicesError as error:
            logger.error("%s", error)
            return
        self._digests = dict.fromkeys(self._file.take_rows(), b"")
        self._desk.everything()

    def _finish(self) -> None:
        for step in (self._copy, self._file.finish):
            try:
                step()
            except (sqlite3.Error, OSError, Damaged) as error:
                logger.error("the state could not be closed cleanly: %s", error)
        self._generations.release()


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
