"""Where the state lies: the file, its previous generation, who holds it, and what becomes of a bad one.

``state.db`` is the file, ``state.db.previous`` an older whole copy, ``state.db.lock`` says who holds it and how many commits
were acknowledged; ``state.db.corrupt-<time>`` is what was found damaged. Nothing is overwritten that was not read and found
whole: a start looks at a copy (``state.db.draft``), which then becomes the previous generation.
"""

from __future__ import annotations

import errno
import glob
import logging
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path

from .errors import ServerError
from .files import close_to_others, journals_of, make_private, set_aside, sync_folder
from .lockfile import LockFile
from .statefile import Damaged, StateFile, looks_like_sqlite

logger = logging.getLogger("dash_devices.state")


class Generations:
    """The files of one app's state, held by this process until `release`.

    Attributes:
        path: of the file, symbolic links resolved: its other files lie beside it.
        notes: what the pages and the log should say of the start.

    Raises:
        ServerError: it is no file, not ours to read, or another process holds it; says what to do.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(path))
        self.notes: list[str] = []
        self._draft = self._beside(".draft")
        self._previous = self._beside(".previous")
        _look_at_kind(self.path)
        self._lock = LockFile(self._beside(".lock"), self.path)

    def release(self) -> None:
        """Somebody else may have it."""
        self._lock.close()

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

    # ---- opening -------------------------------------------------------------------------------------------------------
    def open(self) -> StateFile:
        """The file, loaded and checked: as it is, or its previous generation where it is damaged, or a new one.

        Raises:
            ServerError: it can be neither read nor replaced.
        """
        self._make_private()
        try:
            try:
                file = self._found()
            except (OSError, sqlite3.Error, Damaged) as error:
                logger.warning("%s: %s; trying once more", self.path, _reason(error))
                file = self._found()
        except (OSError, sqlite3.Error, Damaged) as error:
            raise ServerError(
                f"{self.path}: the state cannot be read and written ({_reason(error)}); nothing was changed: "
                "free the disk, close what else uses the file, or name another one"
            ) from error
        self.acknowledge(file.commits)
        return file

    def _make_private(self) -> None:
        """All files of the state are for their user alone, also those that a backup put there with other rights."""
        aside = self.path.parent.glob(f"{glob.escape(self.path.name)}*.corrupt-*")
        for file in (self.path, self._previous, self._draft, self._beside(".lock"), *aside):
            for path in (file, *journals_of(file)):
                try:
                    mode = close_to_others(path)
                except OSError as error:
                    logger.warning("%s: others may read it, and that cannot be changed (%s)", path, error.strerror)
                    continue
                if mode is not None:
                    logger.warning("%s: others could read or write it (mode %o); now its user alone can", path, mode)

    def _found(self) -> StateFile:
        if not (self._take(self.path) or self._take(self._previous)):
            self._begin()
        return self._opened()

    def _opened(self) -> StateFile:
        file = StateFile(self.path)
        try:
            file.prepare()
            file.load()
            if dropped := file.drop_unvouched():
                self._note(
                    f"Values with components, of an earlier version, are not taken over: {', '.join(dropped):.200}."
                )
        except BaseException:
            file.close()
            raise
        return file

    def reopen(self) -> StateFile:
        """Another file in the place of one that was spoilt or taken away while it was in use. Raises like `open`."""
        told = len(self.notes)
        file = self.open()
        self.notes[told:] = [f"{self.path.name} was spoilt or taken away while the app ran; all is written again."]
        logger.error("%s: %s", self.path, self.notes[-1])
        return file

    def _take(self, source: Path) -> bool:
        """Make a generation the current one, if it is whole; else it is kept aside. Is there a current one now?"""
        if not source.exists():
            return False
        if source == self._previous and not self.notes:
            self._note(f"{self.path.name} is missing.")
        try:
            missing = self._look(source)
        except Damaged as damage:
            aside = set_aside(source)
            self._note(f"{source.name} is damaged ({damage}); it is kept as {aside}.")
            return False
        target = self.path
        if source == self._previous:
            when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(source.stat().st_mtime))
            self._note(f"The values are those of {when}.")
        elif missing:
            aside = set_aside(source)
            self._note(f"The last {missing} writes to {source.name} are lost; what was found is kept as {aside}.")
        else:
            target = self._previous
        self._name_draft(target)
        return True

    def _name_draft(self, name: Path) -> None:
        """The draft takes the place of another generation, and is on disk before."""
        with self._draft.open("rb") as draft:
            os.fsync(draft)
        os.replace(self._draft, name)
        sync_folder(name.parent)

    def _look(self, source: Path) -> int:
        """Copy it to the draft and read that. Returns how many acknowledged commits are missing."""
        acknowledged = self._lock.acknowledged() if source == self.path else 0
        self._begin_draft()
        _twice(lambda: _copy(source, self._draft))
        if not looks_like_sqlite(self._draft):
            raise Damaged("empty" if not source.stat().st_size else "not a state file")
        file = self._check_draft()
        return max(0, acknowledged - file.commits)

    def _begin_draft(self) -> None:
        """An empty draft, without a journal of an earlier one: SQLite would play that back into it."""
        for journal in journals_of(self._draft):
            journal.unlink(missing_ok=True)
        make_private(self._draft)

    def _check_draft(self) -> StateFile:
        """Read the draft; afterwards it is one file, and closed."""
        file = StateFile(self._draft)
        try:
            file.load()
            file.finish()
        finally:
            file.close()
        return file

    def _begin(self) -> None:
        """A new file; complete before it has its name."""
        if self.notes:
            self._note("The values are those of the layout.")
        self._begin_draft()
        file = StateFile(self._draft)
        file.create()
        file.finish()
        self._name_draft(self.path)

    def _note(self, text: str) -> None:
        logger.error("%s: %s", self.path, text)
        self.notes.append(text)

    # ---- while it is in use --------------------------------------------------------------------------------------------
    def keep(self, file: StateFile) -> None:
        """Make the previous generation anew, from the file as it stands.

        Raises:
            Damaged: the copy cannot be trusted; the previous generation stays.
        """
        self._begin_draft()
        file.copy_to(self._draft)
        self._check_draft()
        self._name_draft(self._previous)

    def holds(self, file: StateFile) -> bool:
        """Is the open file still the one that has the name?"""
        return self.path.exists() and self.path.stat().st_ino == file.inode

    def acknowledge(self, commits: int) -> None:
        """Write down that so many commits are on disk."""
        self._lock.acknowledge(commits)


def _look_at_kind(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise ServerError(f"{path}: there is no folder {path.parent}; make it, or name another file") from None
        return
    except OSError as error:
        raise ServerError(f"{path}: cannot be looked at ({error.strerror}); name another file") from None
    if not stat.S_ISREG(mode):
        raise ServerError(f"{path}: expected a file for the state, got a folder or device; name a file in it")
    if not os.access(path, os.R_OK | os.W_OK):
        raise ServerError(f"{path}: may not be read and written by this user; give it to the user that runs the app")


def _copy(source: Path, target: Path) -> None:
    for name, copy in zip((source, *journals_of(source)), (target, *journals_of(target)), strict=True):
        if name.exists():
            shutil.copyfile(name, copy)


def _twice(work: Callable[[], None]) -> None:
    """A disk that fails to read once may not fail again; one that does has lost it."""
    try:
        work()
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        try:
            work()
        except OSError as again:
            if again.errno != errno.EIO:
                raise
            raise Damaged(str(again)) from again


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
