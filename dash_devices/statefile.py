"""One SQLite file that holds the state: a row for each durable property and each tab, and a head that vouches for all of them.

SQLite looks after transactions and torn writes. A flipped byte it does not notice; the head does: it holds the sum of the
digests of all rows, changed in the same transaction, and a digest of itself. Sync, for one thread at a time.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from .errors import ServerError

SCHEMA: Final = 1
MAGIC: Final = b"SQLite format 3\0"
VALUE, TAB = 0, 1  # kinds of rows
DISK_ERRORS: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY)
"""Primary result codes that say nothing of what is in the file."""

RowKey = tuple[int, str, str]
"""``(kind, name, part)``: a component id and a property, or the hash of a tab's token and nothing."""

_TABLES = """
CREATE TABLE dash_devices_rows (
    kind INTEGER NOT NULL, name TEXT NOT NULL, part TEXT NOT NULL, body BLOB NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (kind, name, part)) WITHOUT ROWID;
CREATE TABLE dash_devices_head (
    only INTEGER PRIMARY KEY CHECK (only = 0), layout INTEGER NOT NULL, commits INTEGER NOT NULL, total BLOB NOT NULL,
    digest BLOB NOT NULL);
"""
_PUT = "INSERT OR REPLACE INTO dash_devices_rows VALUES (?, ?, ?, ?, ?)"
_DROP = "DELETE FROM dash_devices_rows WHERE kind = ? AND name = ? AND part = ?"
_HEAD = "INSERT OR REPLACE INTO dash_devices_head VALUES (0, ?, ?, ?, ?)"
_READ_ROWS = "SELECT kind, name, part, body, place FROM dash_devices_rows ORDER BY place"
_READ_HEAD = "SELECT layout, commits, total, digest FROM dash_devices_head"


class Damaged(Exception):
    """The file does not hold what was written to it; says what is wrong."""


class Row(NamedTuple):
    """JSON, and its place in the order of what was written."""

    body: bytes
    place: int


class StateFile:
    """An open file.

    Attributes:
        commits: transactions since the file was made.
        inode: of the file, whatever has its name by now.

    Raises:
        sqlite3.Error: as every method does, when SQLite or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.commits = 0
        self._rows: dict[RowKey, Row] = {}
        self.inode = path.stat().st_ino
        self._total = 0
        self._digests: dict[RowKey, int] = {}
        self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)

    # ---- reading -------------------------------------------------------------------------------------------------------
    def load(self) -> None:
        """Read and check everything.

        Raises:
            Damaged: something is not as it was written.
            ServerError: it is whole, but not for us.
        """
        try:
            self._check()
            self._read()
        except (sqlite3.Error, UnicodeError, TypeError, ValueError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in DISK_ERRORS:
                raise
            raise Damaged(str(error)) from error

    def _check(self) -> None:
        found = [row[0] for row in self._db.execute("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            raise Damaged(str(found[0]).replace("\n", " "))
        tables = [str(row[0]) for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if tables and not any(name.startswith("dash_devices") for name in tables):
            raise ServerError(
                f"expected a state file, got a database with other tables ({tables[0]}); name another file"
            )

    def _read(self) -> None:
        head = self._db.execute(_READ_HEAD).fetchone()
        if head is None or head[3] != _head_digest(*head[:3]):
            raise Damaged("its head is not as it was written")
        schema, self.commits, total, _ = head
        if schema > SCHEMA:
            raise ServerError(
                f"expected a state file of layout {SCHEMA}, got {schema}: a newer dash_devices wrote it; "
                "install that one, or name another file"
            )
        found = self._db.execute(_READ_ROWS)
        self._rows = {(kind, name, part): Row(body, place) for kind, name, part, body, place in found}
        self._digests = {key: _digest(key, row) for key, row in self._rows.items()}
        self._total = sum(self._digests.values()) % 2**64
        if total != _as_bytes(self._total):
            raise Damaged("its rows are not those that were written")

    def take_rows(self) -> dict[RowKey, Row]:
        """What `load` found, oldest first; it is not kept."""
        rows, self._rows = self._rows, {}
        return rows

    # ---- writing -------------------------------------------------------------------------------------------------------
    def create(self) -> None:
        """Make the tables of a new file."""
        self._db.executescript(_TABLES)
        self.write({})

    def prepare(self) -> None:
        """Make it ready for many small transactions: nobody else may touch it, and each commit waits for the disk."""
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF"):
            self._db.execute(f"PRAGMA {pragma}")
        with self._transaction():  # takes the lock
            pass

    def write(self, rows: Mapping[RowKey, Row | None]) -> None:
        """Put and (None) drop rows in one transaction; on disk when it returns, and nothing is changed when it raises."""
        digests = {key: _digest(key, row) if row else 0 for key, row in rows.items()}
        total = (self._total + sum(digest - self._digests.get(key, 0) for key, digest in digests.items())) % 2**64
        head = (SCHEMA, self.commits + 1, _as_bytes(total))
        with self._transaction():
            self._db.executemany(_PUT, [(*key, *row) for key, row in rows.items() if row])
            self._db.executemany(_DROP, [key for key, row in rows.items() if not row])
            self._db.execute(_HEAD, (*head, _head_digest(*head)))
        self.commits, self._total = self.commits + 1, total
        self._digests.update(digests)
        for key in [key for key, row in rows.items() if not row]:
            del self._digests[key]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def copy_to(self, path: Path) -> None:
        """Copy it as it stands now into a new file."""
        target = sqlite3.connect(path)
        try:
            self._db.backup(target)
        finally:
            target.close()

    def finish(self) -> None:
        """Bring everything into the one file, and close it."""
        try:
            self._db.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:  # so says its own head
                raise Damaged(str(error)) from error
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Close it."""
        self._db.close()


def looks_like_sqlite(path: Path) -> bool:
    """Does it begin as a database does? SQLite takes an empty file for a new one."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def make_private(path: Path) -> None:
    """Make an empty file that only this user may read, in place of what was there."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _digest(key: RowKey, row: Row) -> int:
    whole = orjson.dumps((*key, row.place)) + row.body
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big")


def _head_digest(schema: int, commits: int, total: bytes) -> bytes:
    return hashlib.blake2b(b"%d %d %b" % (schema, commits, total), digest_size=8).digest()


def _as_bytes(total: int) -> bytes:
    return total.to_bytes(8, "big")
