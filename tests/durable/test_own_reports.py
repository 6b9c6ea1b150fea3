"""What components changed by themselves, while changes wait for the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from dash_devices import journal as module
from dash_devices.clients import Client
from dash_devices.intake import Intake
from dash_devices.patterns import Dep
from dash_devices.protocol import Change
from dash_devices.sessions import Session

from .test_journal import A, Held


class Room(Held):
    """A held journal with the intake in front of it, and pages that stand at seq 0."""

    def __init__(self, state: Path, scratch: Path) -> None:
        super().__init__(state, scratch)
        self.engine.share(Dep(*A))
        self.intake = Intake(self.engine, lambda session, at: 0.0)
        self.intake.journal = self.journal
        self.pages = {name: Session(Client(name), name) for name in ("one", "two")}
        for name, session in self.pages.items():
            session.page = name

    def report(self, page: str, value: str | None, base: int | None = None) -> None:
        session = self.pages[page]
        self.intake.change(session, Change(session.taken + 1, [(*A, value)], [], 0, base), 0)

    def answers(self, page: str) -> list[str]:
        return [message.decode() for _, message in self.pages[page].answers]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr(module, "LINGER", 0.0)
    made = Room(tmp_path / "state.db", tmp_path / "scratch")
    yield made
    made.close()


@pytest.mark.fault("F4")
def test_4_7_a_change_that_waits_for_the_disk_is_newer_too(room: Room) -> None:
    room.report("one", "changed")
    room.report("two", None, base=0)
    room.disk_has("a", "changed")
    room.run_loop()
    room.run_loop()
    assert room.engine.value(A) == "changed"
    assert "outdated" in room.answers("two")[0]
    assert room.disk["a"] == b'"changed"'
    room.report("two", "later", base=room.engine.shared.seq)
    room.disk_has("a", "later")


@pytest.mark.fault("F4")
def test_4_7_what_is_stored_while_a_change_waits_for_the_disk_is_newer_too(room: Room) -> None:
    room.report("two", "repaired", base=0)
    room.disk_has("a", "repaired")
    room.push(A, "pushed")
    room.run_loop()
    assert room.engine.value(A) == "pushed"
    assert "outdated" in room.answers("two")[0]
    room.disk_has("a", "pushed")


def test_a_page_that_confirms_what_is_there_does_not_wait_for_the_disk(room: Room) -> None:
    room.push(A, "same")
    room.report("one", "same", base=room.engine.shared.seq)
    assert '"ack"' in room.answers("one")[0]


@pytest.mark.fault("F4")
def test_4_8_what_waits_for_the_disk_is_not_what_the_server_has(room: Room) -> None:
    """Two readings of a sensor within one commit, the second one as before: both count."""
    room.push(A, "old")
    base = room.engine.shared.seq
    room.report("one", "new", base=base)
    room.report("one", "old", base=base)
    room.disk_has("a", "old")
    room.run_loop()
    room.run_loop()
    assert room.engine.value(A) == "old"
    acks = [orjson.loads(answer) for answer in room.answers("one")]
    assert [ack["type"] for ack in acks] == ["ack", "ack"]
    assert acks[1]["seq"] == room.engine.shared.seq > acks[0]["seq"]


@pytest.mark.fault("F4")
def test_4_7_a_change_that_arrives_later_does_not_refuse_an_earlier_one(room: Room) -> None:
    room.report("one", "first", base=0)
    room.report("two", "second")
    room.disk_has("a", "second")
    room.run_loop()
    room.run_loop()
    assert '"ack"' in room.answers("one")[0]
    assert room.engine.value(A) == "second"
