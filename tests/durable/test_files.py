"""The files of a state: what is found again, and what becomes of one that is damaged, or not ours."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from dash_devices import files, generations, statefile
from dash_devices.errors import ServerError
from dash_devices.generations import Generations
from dash_devices.statefile import Row, StateFile

from ..state_files import Opened, Sample, cut_off, flipped, opened, row

ROOT = Path(__file__).parents[2]
DATED = r"state\.db\.corrupt-\d{8}T\d{6}Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def write(path: Path, value: bytes, name: str = "a") -> None:
    """One life of a server that stores a value."""
    held = Generations(path)
    file = held.open()
    file.take_rows()
    file.write({row(name): Row(value, 1)})
    held.acknowledge(file.commits)
    file.finish()
    held.release()


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir()}


def test_a_new_file_is_empty_and_private(path: Path) -> None:
    assert opened(path) == Opened({}, "")
    assert names(path) == {"state.db", "state.db.lock"}
    for name in names(path):
        assert (path.parent / name).stat().st_mode & 0o777 == 0o600


def test_values_are_found_again_and_the_start_keeps_a_copy(path: Path) -> None:
    write(path, b"1")
    assert opened(path) == Opened({"a": b"1"}, "")
    assert names(path) == {"state.db", "state.db.lock", "state.db.previous"}
    os.rename(path.with_name("state.db.previous"), path.with_name("copy.db"))
    assert opened(path.with_name("copy.db")).values == {"a": b"1"}


def test_rows_come_back_in_the_order_they_were_written(path: Path) -> None:
    file = StateFile(_made(path))
    file.create()
    file.write({row("z"): Row(b"1", 1), row("m"): Row(b"2", 3), row("a"): Row(b"3", 2)})
    file.write({row("z"): Row(b"4", 4), row("m"): None})
    file.load()
    assert list(file.take_rows()) == [row("a"), row("z")]
    file.close()


def test_a_write_that_fails_changes_nothing(path: Path) -> None:
    file = StateFile(_made(path))
    file.create()
    file.write({row("a"): Row(b"1", 1)})
    with pytest.raises(OverflowError):
        file.write({row("a"): Row(b"2", 2), row("b"): Row(b"2", 2**63)})  # more than SQLite counts to
    file.write({row("c"): Row(b"3", 3)})
    file.load()
    assert {name: found.body for (_, name, _), found in file.take_rows().items()} == {"a": b"1", "c": b"3"}
    file.close()


def _made(path: Path) -> Path:
    files.make_private(path)
    return path


@pytest.mark.parametrize("crashed", [False, True], ids=["stopped", "killed"])
def test_damage_gives_no_wrong_value(tmp_path: Path, crashed: bool) -> None:
    """Some bytes of all; `tests.attack` turns over every one."""
    sample = Sample(tmp_path / "sample", crashed=crashed)
    assert len(sample.files) == 4 if crashed else 3
    faults, told = [], 0
    for file in sample.files:
        data = file.read_bytes()
        step = 997 if len(data) > 100 else 7
        for what, changed in (*flipped(data, step), *cut_off(data, step)):
            found, fault = sample.damaged(tmp_path / "scratch", file, changed)
            told += bool(found.notes)
            faults += [f"{file.name} {what}: {fault}"] if fault else []
    assert faults == []
    assert told >= 5


@pytest.mark.parametrize("crashed", [False, True], ids=["stopped", "killed"])
def test_damage_to_the_head_of_the_database_gives_no_wrong_value(tmp_path: Path, crashed: bool) -> None:
    """Each of its 100 bytes; what SQLite cannot write for a newer version's file is damaged to us, not a full disk."""
    sample = Sample(tmp_path / "sample", crashed=crashed)
    file = sample.files[0]
    data = file.read_bytes()
    faults = []
    for what, head in flipped(data[:100]):
        _, fault = sample.damaged(tmp_path / "scratch", file, head + data[100:])
        faults += [f"{what}: {fault}"] if fault else []
    assert faults == []


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 5000, b"{}", os.urandom(9000)], ids=["empty", "zeros", "text", "noise"]
)
@pytest.mark.parametrize("has_previous", [True, False])
def test_a_bad_file_is_kept_aside_and_the_previous_generation_used(
    path: Path, content: bytes, has_previous: bool
) -> None:
    write(path, b"1")
    write(path, b"2")  # at its start it copied the first
    if not has_previous:
        path.with_name("state.db.previous").unlink()
    path.write_bytes(content)
    found = opened(path)
    assert found.values == ({"a": b"1"} if has_previous else {})
    aside = re.search(DATED, found.notes)
    assert aside is not None, found.notes
    assert path.with_name(aside[0]).read_bytes() == content
    assert re.search(r"are those of \d{4}-" if has_previous else "are those of the layout", found.notes)
    assert opened(path) == Opened(found.values, ""), "the next start is a plain one"


def test_where_both_generations_are_bad_both_are_kept_aside(path: Path) -> None:
    write(path, b"1")
    write(path, b"2")
    path.write_bytes(b"bad")
    path.with_name("state.db.previous").write_bytes(b"worse")
    found = opened(path)
    assert found.values == {}
    kept = {entry.read_bytes() for entry in path.parent.iterdir() if ".corrupt-" in entry.name}
    assert kept == {b"bad", b"worse"}


def test_two_bad_files_within_a_second_have_two_names(path: Path) -> None:
    for content in (b"one", b"two", b"three"):
        path.write_bytes(content)
        opened(path)
    kept = {entry.read_bytes() for entry in path.parent.iterdir() if ".corrupt-" in entry.name}
    assert kept == {b"one", b"two", b"three"}


def test_a_file_that_is_gone_is_replaced_by_its_previous_generation(path: Path) -> None:
    write(path, b"1")
    write(path, b"2")
    path.unlink()
    found = opened(path)
    assert found.values == {"a": b"1"}
    assert found.notes.startswith("state.db is missing.")


def test_an_older_state_in_its_place_is_noticed(path: Path) -> None:
    write(path, b"1")
    old = path.read_bytes()
    write(path, b"2")
    path.write_bytes(old)
    found = opened(path)
    assert found.values == {"a": b"1"}
    assert found.notes.startswith("The last 1 writes to state.db are lost")
    assert opened(path).notes == ""


def test_a_newer_layout_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statefile, "SCHEMA", statefile.SCHEMA + 1)
    write(path, b"1")
    monkeypatch.undo()
    before = path.read_bytes()
    assert "a newer dash_devices wrote it; install that one, or name another file" in opened(path).refused
    assert path.read_bytes() == before
    assert not any(".corrupt-" in name for name in names(path))


@pytest.mark.fault("A2")
@pytest.mark.parametrize(
    "bad", [b'[{"namespace":"n","type":"T","props":{}}]', b'{"__dash_patch_update":1}', b'{"__proto__":1}']
)
def test_components_in_a_file_of_an_earlier_version_may_be_a_pages(
    path: Path, monkeypatch: pytest.MonkeyPatch, bad: bytes
) -> None:
    monkeypatch.setattr(statefile, "SCHEMA", 1)
    write(path, b'{"namespace":"of a pod","type":"pod"}')
    write(path, bad, "b")
    monkeypatch.undo()
    found = opened(path)
    assert found.values == {"a": b'{"namespace":"of a pod","type":"pod"}'}
    assert found.notes == "Values with components, of an earlier version, are not taken over: b.value."
    assert opened(path) == Opened(found.values, ""), "they are gone from the file, too"
    write(path, bad, "b")
    assert opened(path).values["b"] == bad, "this version has looked at what it writes"


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute("CREATE TABLE measurements (value REAL)")
    database.close()
    before = path.read_bytes()
    assert "got a database with other tables (measurements); name another file" in opened(path).refused
    assert path.read_bytes() == before


@pytest.mark.parametrize("what", ["folder", "fifo"])
def test_what_is_no_file_is_refused(path: Path, what: str) -> None:
    path.mkdir() if what == "folder" else os.mkfifo(path)
    assert "expected a file for the state" in opened(path).refused
    assert names(path) == {"state.db"}


def test_a_link_that_leads_nowhere_else_is_refused(path: Path) -> None:
    path.symlink_to(path.name)
    assert "cannot be looked at" in opened(path).refused


def test_a_folder_that_is_not_there_is_refused(path: Path) -> None:
    assert "there is no folder" in opened(path / "state.db").refused


OPEN_AS_NOBODY = """
import os, sys
from tests.state_files import opened
from pathlib import Path
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
print(opened(Path(sys.argv[1])).refused)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="rights are not modes there")
def test_a_file_of_somebody_else_is_refused(path: Path) -> None:
    write(path, b"1")
    path.chmod(0)
    for folder in path.parents:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AS_NOBODY, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "may not be read and written by this user" in done.stdout
    path.chmod(0o600)
    assert opened(path).values == {"a": b"1"}


def test_a_symbolic_link_is_followed_and_the_other_files_lie_beside_its_target(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "state.db").symlink_to(tmp_path / "there" / "real.db")
    write(tmp_path / "state.db", b"1")
    assert opened(tmp_path / "state.db").values == {"a": b"1"}
    assert {entry.name for entry in (tmp_path / "there").iterdir()} == {"real.db", "real.db.lock", "real.db.previous"}
    assert names(tmp_path / "state.db") == {"there", "state.db"}
    assert (tmp_path / "state.db").is_symlink()


def test_the_second_one_who_opens_it_is_refused(path: Path) -> None:
    held = Generations(path)
    file = held.open()
    assert "another process has the state open; stop that one, or name another file" in opened(path).refused
    file.write({row("a"): Row(b"1", 1)})
    file.close()
    held.release()
    assert opened(path).values == {"a": b"1"}


HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_that_another_program_has_locked_is_refused_and_not_moved(path: Path) -> None:
    write(path, b"1")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert "another process has the state open" in opened(path).refused
        assert holder.stdin is not None
        holder.stdin.close()
    assert opened(path) == Opened({"a": b"1"}, "")


def test_a_copy_is_checked_before_it_replaces_the_last_one(path: Path) -> None:
    write(path, b"1")
    held = Generations(path)
    file = held.open()
    previous = path.with_name("state.db.previous").read_bytes()
    file._db.execute(
        "UPDATE dash_devices_rows SET body = x'32' WHERE kind = 0"
    )  # behind its back: as a bad byte in memory would
    with pytest.raises(statefile.Damaged):
        held.keep(file)
    assert path.with_name("state.db.previous").read_bytes() == previous
    file.close()
    held.release()


def test_a_start_that_cannot_write_says_so(path: Path) -> None:
    held = Generations(path)
    path.with_name("state.db.draft").mkdir()
    with pytest.raises(ServerError, match="the state cannot be read and written"):
        held.open()
    held.release()


def test_a_start_is_tried_once_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, b"1")
    copy, failures = generations._copy, [OSError(errno.ENOSPC, "No space left on device")]

    def full_once(source: Path, target: Path) -> None:
        if failures:
            raise failures.pop()
        copy(source, target)

    monkeypatch.setattr(generations, "_copy", full_once)
    assert opened(path) == Opened({"a": b"1"}, "")


def test_a_journal_that_a_copy_left_behind_is_not_played_back(path: Path) -> None:
    """As after a copy that failed at its very end."""
    write(path, b"1")
    draft = StateFile(_made(path.with_name("state.db.draft")))
    draft.create()
    draft._db.execute("PRAGMA journal_mode = DELETE")
    draft._db.execute("BEGIN IMMEDIATE")
    draft._db.execute("PRAGMA cache_size = 1")
    draft._db.execute("PRAGMA cache_spill = 1")
    for number in range(200):
        draft._db.execute("INSERT INTO dash_devices_rows VALUES (0, ?, '', zeroblob(4000), 0)", (str(number),))
    journal = path.with_name("state.db.draft-journal").read_bytes()
    draft.close()
    path.with_name("state.db.draft-journal").write_bytes(journal)
    assert opened(path) == Opened({"a": b"1"}, "")
