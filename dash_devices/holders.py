"""Ports and files that one process alone may hold: which process has them, and that no child keeps them after a fork."""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path
from typing import Any, Final

LISTEN: Final = "0A"  # the state of a socket that listens, in /proc/net/tcp
_held: weakref.WeakSet[Any] = weakref.WeakSet()


def close_in_children(held: Any) -> None:
    """A socket or file is closed in processes that are forked from this one: an orphan would keep port and lock."""
    _held.add(held)


def _close_all() -> None:
    for held in list(_held):
        held.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all)


def of_port(port: int) -> str:
    """Words for an error: which processes listen on a port, where the system tells (Linux); else nothing."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net") / table, port)}
    return _words({f"socket:[{inode}]" for inode in inodes})


def of_file(path: Path) -> str:
    """Words for an error: which processes have a file open."""
    return _words({os.path.realpath(path)})


def _listening(table: Path, port: int) -> list[str]:
    if sys.platform != "linux" or not table.exists():
        return []
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[3] == LISTEN and int(row[1].rpartition(":")[2], 16) == port]


def _words(targets: set[str]) -> str:
    pids = sorted(int(folder.name) for folder in Path("/proc").glob("[0-9]*") if targets and _has_open(folder, targets))
    return f" by process {', '.join(map(str, pids))}" if pids else ""


def _has_open(process: Path, targets: set[str]) -> bool:
    try:
        return any(os.readlink(process / "fd" / number) in targets for number in os.listdir(process / "fd"))
    except OSError:
        return False  # it has ended, or belongs to another user
