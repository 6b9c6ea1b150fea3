"""``state.db.lock``: held by the one process that has the state; counts the commits that were acknowledged."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import sys
from pathlib import Path

from . import holders
from .errors import ServerError
from .files import is_same, open_no_link, set_aside

logger = logging.getLogger("dash_devices.state")

SQLITE_LOCKS = (0x40000000, 512)  # the bytes of a database that SQLite locks
TRIES = 3  # to lock a file that another process sets aside at the same time
_OURS = re.compile(rb"\d{20} [0-9a-f]{16}\n")


class LockFile:
    """A lock that is held until `close`.

    Args:
        path: of the lock.
        database: of the state, which SQLite locks, too.

    Raises:
        ServerError: another process holds it, or it is a link or cannot be opened; says what to do.
    """

    def __init__(self, path: Path, database: Path) -> None:
        self._path = path
        self._database = database
        self._descriptor = self._take()
        if not self._is_ours():
            foreign, aside = self._descriptor, set_aside(path)
            logger.warning("%s: was not written by this package; it is kept as %s", path, aside)
            self._descriptor = self._take()
            os.close(foreign)  # only now: a process that waits for it finds the new one held
        holders.close_in_children(self)

    def close(self) -> None:
        """Another process may have it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    # ---- holding -------------------------------------------------------------------------------------------------------
    def _take(self) -> int:
        for _ in range(TRIES):
            descriptor = self._open()
            try:
                self._lock(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            if is_same(descriptor, self._path):
                return descriptor
            os.close(descriptor)
        raise ServerError(f"{self._path}: is replaced again and again; stop what does that, or name another file")

    def _open(self) -> int:
        try:
            return open_no_link(self._path)
        except OSError as error:
            link = error.errno == errno.ELOOP
            reason = "it is a link; remove it" if link else f"{error.strerror}; the app must be able to write there"
            raise ServerError(f"{self._path}: cannot be opened: {reason}") from None

    def _lock(self, descriptor: int) -> None:
        if sys.platform == "win32":
            return
        try:
            _lock_files(descriptor, self._database)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise ServerError(
                    f"{self._database}: cannot be locked ({error.strerror}); name a file on another disk"
                ) from None
            raise ServerError(
                f"{self._database}: another process has the state open; stop that one, or name another file: "
                f"two servers would overwrite each other's values (it is held{holders.of_file(self._path)})"
            ) from None

    # ---- counting ------------------------------------------------------------------------------------------------------
    def acknowledge(self, commits: int) -> None:
        """Write down that so many commits are on disk. Not waited for: after a power cut it may say less, never more."""
        text = b"%d" % commits
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, b"%b %b\n" % (text.zfill(20), _seal(text)))
        except OSError as error:
            logger.warning("%s: the count of writes cannot be kept: %s", self._path, error.strerror)

    def acknowledged(self) -> int:
        """How many commits were; 0 where nothing vouches for it."""
        text, _, seal = self._read().strip().partition(b" ")
        known = text.lstrip(b"0")
        return int(known) if known.isdigit() and seal == _seal(known) else 0

    def _is_ours(self) -> bool:
        found = self._read()
        return not found or _OURS.fullmatch(found) is not None

    def _read(self) -> bytes:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, 64)


def _lock_files(descriptor: int, database: Path) -> None:
    """Hold the lock; raises OSError where a server of ours, or another program with SQLite, has the file."""
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if database.exists():
        with database.open("rb+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SQLITE_LOCKS[1], SQLITE_LOCKS[0])


def _seal(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=8).hexdigest().encode()
