"""Who may read the files of a state, and what is not written to: links, and what somebody else wrote."""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

from dash_devices import server
from dash_devices.errors import ServerError
from dash_devices.generations import Generations

from ..state_files import ENDINGS, Opened, Sample, opened

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="rights are not modes there")


def modes(folder: Path) -> dict[str, int]:
    return {entry.name: entry.lstat().st_mode & 0o777 for entry in folder.iterdir()}


def wider(folder: Path, mode: int) -> Path:
    """Files of a state that a crash left behind, which others may read, too; their path."""
    sample = Sample(folder, crashed=True)
    assert len(sample.files) == len(ENDINGS)
    (folder / "state.db.corrupt-20260101T000000Z").write_bytes(b"of an earlier start")
    for file in folder.iterdir():
        file.chmod(mode)
    return folder / "state.db"


@pytest.mark.fault("A16")
@pytest.mark.parametrize("mode", [0o644, 0o666, 0o640, 0o604])
def test_files_that_others_may_read_are_closed_to_them(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = wider(tmp_path / "state", mode)
    held = Generations(path)
    file = held.open()
    try:
        assert set(modes(path.parent).values()) == {0o600}
        assert "state.db-wal" in modes(path.parent)
        assert f"state.db: others could read or write it (mode {mode:o})" in caplog.text
    finally:
        file.close()
        held.release()


@pytest.mark.fault("A16")
def test_a_file_that_a_backup_put_back_while_the_app_runs_is_closed_to_others(tmp_path: Path) -> None:
    path = wider(tmp_path / "state", 0o600)
    held = Generations(path)
    held.open().close()
    path.chmod(0o644)
    held.reopen().close()
    held.release()
    assert set(modes(path.parent).values()) == {0o600}


def test_files_that_nobody_else_may_read_are_not_spoken_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = wider(tmp_path / "state", 0o600)
    with caplog.at_level(logging.WARNING):
        assert opened(path).notes == ""
    assert caplog.records == []


@pytest.mark.fault("A17")
@pytest.mark.parametrize("ending", [".lock", ".draft", ".previous", "-wal", "-journal"])
@pytest.mark.parametrize("content", [b"", b"somebody's letters\n"], ids=["empty", "letters"])
def test_nothing_is_written_through_a_link(tmp_path: Path, ending: str, content: bytes) -> None:
    letters = tmp_path / "letters"
    letters.write_bytes(content)
    letters.chmod(0o644)
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "state.db"
    opened(path)
    link = path.with_name(f"state.db{ending}")
    link.unlink(missing_ok=True)
    link.symlink_to(letters)
    found = opened(path)
    if ending == ".lock":
        assert "it is a link; remove it" in found.refused
    assert letters.read_bytes() == content
    assert letters.stat().st_mode & 0o777 == 0o644


@pytest.mark.fault("A17")
@pytest.mark.parametrize("content", [b"x", b"somebody's letters\n", b"0" * 38, b"1" * 5_000])
def test_a_lock_that_somebody_else_wrote_is_kept(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.db"
    lock = path.with_name("state.db.lock")
    lock.write_bytes(content)
    assert opened(path) == Opened({}, "")
    aside = re.search(r"kept as (state\.db\.lock\.corrupt-\d{8}T\d{6}Z)", caplog.text)
    assert aside is not None
    assert path.with_name(aside[1]).read_bytes() == content
    assert len(lock.read_bytes()) == 38
    caplog.clear()
    assert opened(path) == Opened({}, "")
    assert "kept as" not in caplog.text


@pytest.mark.fault("A17")
def test_a_lock_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "state.db.lock")
    assert "state.db.lock: cannot be opened" in opened(tmp_path / "state.db").refused


def test_the_new_lock_is_held_in_the_place_of_a_foreign_one(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.with_name("state.db.lock").write_bytes(b"letters")
    held = Generations(path)
    assert "another process has the state open" in opened(path).refused
    held.release()
    assert opened(path).refused == ""


@pytest.mark.fault("A17")
def test_the_lock_of_the_one_worker_is_not_written_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: True)
    held = server.only_process("app", "/socket")
    assert held is not None
    with pytest.raises(ServerError, match="one worker process"):
        server.only_process("app", "/socket")
    held.close()
    (lock,) = tmp_path.iterdir()
    assert lock.stat().st_mode & 0o777 == 0o600
    letters = tmp_path / "letters"
    lock.rename(letters)
    letters.write_bytes(b"somebody's letters\n")
    lock.symlink_to(letters)
    with pytest.raises(ServerError, match="remove it"):
        server.only_process("app", "/socket")
    assert letters.read_bytes() == b"somebody's letters\n"
