"""Files that the package writes: readable by their user alone, never written through a link, and set aside under dated names."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from pathlib import Path

PRIVATE = 0o600
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none


def make_private(path: Path) -> None:
    """Make an empty file that only this user may read, in place of what was there."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))


def open_no_link(path: Path) -> int:
    """Open a file to read and write, or make it; what is in it stays. Returns the descriptor.

    Raises:
        OSError: it is a link or no file, or cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | _NO_LINK, PRIVATE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return descriptor


def is_same(descriptor: int, path: Path) -> bool:
    """Is the open file still the one that has the name?"""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def close_to_others(path: Path) -> int | None:
    """Take the rights of everybody but the owner; the mode before, where there was anything to take. Links are left alone.

    Raises:
        OSError: the file is somebody else's.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if sys.platform == "win32" or not stat.S_ISREG(mode) or not mode & 0o077:
        return None
    path.chmod(mode & 0o700)
    return stat.S_IMODE(mode)


def journals_of(database: Path) -> list[Path]:
    """What SQLite keeps beside it: the write-ahead log, and the journal of a change of its mode."""
    return [database.with_name(database.name + ending) for ending in ("-wal", "-journal")]


def set_aside(bad: Path) -> str:
    """Give a file a dated name; its journals first: left behind they would be taken for those of the next file."""
    stamp = f"{bad.name}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    aside, count = bad.with_name(stamp), 1
    while any(os.path.lexists(path) for path in (aside, *journals_of(aside))):
        aside, count = bad.with_name(f"{stamp}-{count}"), count + 1
    for source, target in zip((*journals_of(bad), bad), (*journals_of(aside), aside), strict=True):
        if os.path.lexists(source):
            os.rename(source, target)
    sync_folder(bad.parent)
    return aside.name


def sync_folder(folder: Path) -> None:
    """Names are on disk, too."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
