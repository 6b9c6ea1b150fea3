"""The journal by itself: what reaches the disk in which order, while the loop is held up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from dash_devices import journal as module
from dash_devices.calls import SERVER, Item
from dash_devices.clients import Client
from dash_devices.engine import Engine
from dash_devices.generations import Generations
from dash_devices.journal import Journal
from dash_devices.selection import Selection
from dash_devices.sessions import Session

from ..support import wait_for
from .support import on_disk

A, B = ("a", "value"), ("b", "value")


class Held:
    """A journal whose event loop runs only when told: what the disk does meanwhile can be seen."""

    def __init__(self, state: Path, scratch: Path) -> None:
        self.engine = Engine(orjson.dumps)
        self.journal = Journal(self.engine, Selection(lambda key: False), Generations(state))
        self.engine.changed = self.journal.stored
        self.loop = asyncio.new_event_loop()
        self.journal.start(self.loop)
        self.session = Session(Client("t1"), "secret")
        self.journal.remember(self.session)
        self._files = (state, scratch)

    def push(self, key: tuple[str, str], value: str) -> None:
        self.engine.store([Item(key, orjson.dumps(value))], SERVER)

    def change(self, key: tuple[str, str], value: str) -> None:
        item = Item(key, orjson.dumps(value))
        self.session.taken += 1
        self.journal.write(
            self.session, self.session.taken, [item], lambda trouble: void(self.engine.store([item], SERVER))
        )

    def disk_has(self, id: str, value: str) -> None:
        wait_for(lambda: self.disk.get(id) == orjson.dumps(value), f"{id} on disk")

    @property
    def disk(self) -> dict[str, bytes]:
        return on_disk(*self._files)

    def run_loop(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def end(self) -> None:
        self.journal.end()
        self.journal.join()

    def close(self) -> None:
        self.journal.halt()
        self.end()
        self.loop.close()


def void(result: object) -> None:
    """Throw a result away."""


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    monkeypatch.setattr(module, "LINGER", 0.0)
    made = Held(tmp_path / "state.db", tmp_path / "scratch")
    yield made
    made.close()


def test_a_push_before_a_change_is_not_written_after_it(held: Held) -> None:
    """The change is on disk and has no seq yet; the push has one, and will be replaced by it."""
    held.change(A, "changed")
    held.disk_has("a", "changed")
    held.push(A, "pushed")
    held.push(B, "later")
    held.disk_has("b", "later")
    assert held.disk["a"] == b'"changed"'
    held.run_loop()
    assert held.engine.value(A) == "changed"


def test_a_push_after_a_change_is(held: Held) -> None:
    held.change(A, "changed")
    held.disk_has("a", "changed")
    held.run_loop()
    held.push(A, "pushed")
    held.disk_has("a", "pushed")


def test_the_last_change_of_a_commit_is_the_one_on_disk(held: Held) -> None:
    for number in range(100):
        held.change(A, str(number))
        held.push(B, str(number))
    held.disk_has("a", "99")
    held.run_loop()
    assert held.engine.value(A) == "99"
    held.disk_has("b", "99")


def test_what_a_stop_leaves_behind_is_what_stands_in_memory(held: Held) -> None:
    held.change(A, "changed")
    held.disk_has("a", "changed")
    held.push(A, "pushed")
    held.journal.halt()  # carries it out
    assert held.engine.value(A) == "changed"
    held.push(A, "at the end")
    held.end()
    assert held.disk["a"] == b'"at the end"'


def test_what_can_never_be_written_holds_up_nothing_else(held: Held, caplog: pytest.LogCaptureFixture) -> None:
    held.push(("\ud800", "value"), "no text at all")
    wait_for(lambda: "this part of it is given up" in caplog.text, "the log")
    held.change(A, "changed")
    held.disk_has("a", "changed")
