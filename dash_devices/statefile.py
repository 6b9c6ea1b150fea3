"""One SQLite file that holds the state: a row for each durable property and each tab, and a head that vouches for all of them.

SQLite looks after transactions and torn writes. A flipped byte it does not notice; the head does: it holds the sum of the
digests of all rows, changed in the same transaction, and a digest of itself. Sync, for one thread at a time.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from .errors import ServerError
from .strict import code_in

SCHEMA: Final = 2
VOUCHED: Final = 2  # from this one on, no value holds components or a Patch that came from data
MAGIC: Final = b"SQLite format 3\0"
FORMAT: Final = 2  # the newest that SQLite writes and reads: bytes 18 and 19
VALUE, TAB, HEAD = 0, 1, 2  # kinds of rows
HEAD_KEY: Final = (HEAD, "", "")
DISK_ERRORS: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY)
"""Primary result codes that say nothing of what is in the file."""

RowKey = tuple[int, str, str]
"""``(kind, name, part)``: a component id and a property, or the hash of a tab's token and nothing."""

_TABLE = """
CREATE TABLE dash_devices_rows (
    kind INTEGER NOT NULL, name TEXT NOT NULL, part TEXT NOT NULL, body BLOB NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (kind, name, part)) WITHOUT ROWID"""
_DROP = "DELETE FROM dash_devices_rows WHERE kind = ? AND name = ? AND part = ?"
_READ = "SELECT kind, name, part, body, place FROM dash_devices_rows ORDER BY place"
_SIZES = (4, 16, 64, 256)
_PUT = {
    size: f"INSERT OR REPLACE INTO dash_devices_rows VALUES {', '.join(['(?, ?, ?, ?, ?)'] * size)}" for size in _SIZES
}
"""By number of rows. One statement for all: each gives the interpreter away, and gets it back when a busy loop lets it."""


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
        self.commits, self._schema = 0, SCHEMA
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
        found = {(kind, name, part): Row(body, place) for kind, name, part, body, place in self._db.execute(_READ)}
        head = found.pop(HEAD_KEY, None)
        self._schema, self.commits, total = _read_head(head.body if head else b"")
        if self._schema > SCHEMA:
            raise ServerError(
                f"expected a state file of layout {SCHEMA}, got {self._schema}: a newer dash_devices wrote it; "
                "install that one, or name another file"
            )
        self._rows, self._digests = found, {key: _digest(key, row) for key, row in found.items()}
        self._total = sum(self._digests.values()) % 2**64
        if total != self._total:
            raise Damaged("its rows are not those that were written")

    def drop_unvouched(self) -> list[str]:
        """Drop the values of an earlier version that hold components, a Patch or ``__proto__``: a page may have written them.

        Returns their properties.
        """
        if self._schema >= VOUCHED:
            return []
        found = [key for key, row in self._rows.items() if key[0] == VALUE and code_in(orjson.loads(row.body))]
        self.write(dict.fromkeys(found))
        self._schema = SCHEMA
        return [f"{id}.{property}" for _, id, property in found if self._rows.pop((VALUE, id, property))]

    def take_rows(self) -> dict[RowKey, Row]:
        """What `load` found, oldest first; it is not kept."""
        rows, self._rows = self._rows, {}
        return rows

    # ---- writing -------------------------------------------------------------------------------------------------------
    def create(self) -> None:
        """Make the tables of a new file."""
        self._db.execute(_TABLE)
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
        put = [(*key, *row) for key, row in rows.items() if row]
        put.append((*HEAD_KEY, _head(self.commits + 1, total), 0))
        drop = [key for key, row in rows.items() if not row]
        if drop or len(put) > _SIZES[-1]:
            with self._transaction():
                self._db.executemany(_DROP, drop)
                self._put(put)
        else:
            self._put(put)
        self.commits, self._total = self.commits + 1, total
        self._digests.update(digests)
        for key in drop:
            del self._digests[key]

    def _put(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for start in range(0, len(rows), _SIZES[-1]):
            some = rows[start : start + _SIZES[-1]]
            size = next(size for size in _SIZES if size >= len(some))
            filled = [*some, *[some[-1]] * (size - len(some))]  # the same row again changes nothing
            self._db.execute(_PUT[size], [value for row in filled for value in row])

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
    """Does it begin as a database does? SQLite takes an empty file for a new one, and one of a newer format as read-only."""
    with path.open("rb") as file:
        head = file.read(20)
    return head.startswith(MAGIC) and len(head) == 20 and max(head[18:]) <= FORMAT


def _digest(key: RowKey, row: Row) -> int:
    whole = orjson.dumps((*key, row.place)) + row.body
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big")


def _head(commits: int, total: int) -> bytes:
    text = b"%d %d %d" % (SCHEMA, commits, total)
    return b"%b %b" % (text, _seal(text))


def _read_head(body: bytes) -> tuple[int, int, int]:
    """Layout, commits, and the sum of the digests of all rows."""
    text, _, seal = body.rpartition(b" ")
    if seal != _seal(text) or not text:
        raise Damaged("its head is not as it was written")
    schema, commits, total = map(int, text.split())
    return schema, commits, total


def _seal(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=8).hexdigest().encode()
