"""How long the values of dict ids are kept that no page shows any more."""

from __future__ import annotations

from typing import Any

import pytest

from dash_devices import absent as module, shared as shared_module
from dash_devices.components import Components
from dash_devices.shared import Entry, SharedMap

pytestmark = pytest.mark.fault("A8")


def row(number: int) -> str:
    """A dict id on the wire."""
    return f'{{"index":{number},"type":"row"}}'


def div(number: int) -> dict[str, Any]:
    """A row as the server sends it."""
    return {"props": {"id": {"type": "row", "index": number}}, "type": "Div", "namespace": "n"}


class World:
    """Components, and one value for each that somebody stores."""

    def __init__(self) -> None:
        self.components = Components()
        self.shared = SharedMap()

    def store(self, *ids: str, size: int = 10) -> None:
        for id in ids:
            self.shared.put(Entry((id, "value"), self.shared.next_seq(), value="x" * size))

    def settle(self, durable: tuple[str, ...] = ()) -> list[str]:
        gone = self.components.absent.settle(self.shared, self.components.__contains__, lambda key: key[0] in durable)
        self.shared.forget(gone)
        return gone


@pytest.fixture
def world() -> World:
    return World()


def test_what_only_pages_announced_goes_with_the_last_page(world: World) -> None:
    for tab in ("a", "b"):
        world.components.add_private(tab, [row(1), "power"])
    world.store(row(1), "power")
    world.components.forget_private("a")
    assert world.settle() == []
    world.components.forget_private("b")
    assert world.settle() == [row(1)], "a string id is one that the app names"
    assert world.shared.ids() == ["power"]


def test_a_page_that_is_back_in_time_keeps_it(world: World) -> None:
    world.components.add_private("a", [row(1)])
    world.store(row(1))
    world.components.forget_private("a")
    world.components.add_private("a", [row(1)])
    assert world.settle() == []


@pytest.mark.parametrize("how", ["children", "page", "pushed"])
def test_what_the_server_sent_waits_up_to_so_many_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The one that was shown last is kept longest; one that comes again counts no more."""
    for number in (1, 2, 3):
        if how == "children":
            world.components.load(("panel", "children"), [div(number)])
        elif how == "page":
            world.components.sent("a", {row(number): div(number)}, lambda key, value: False)
        world.store(row(number))
        world.components.load(("panel", "children"), [])
        world.components.forget_private("a")
        assert world.settle() == []
    size = len('"xxxxxxxxxx"') + len(row(1)) + module.ENTRY_BYTES
    monkeypatch.setattr(module, "KEEP_BYTES", 3 * size)
    assert world.settle() == []
    if how == "children":
        world.components.load(("panel", "children"), [div(1)])
        world.components.load(("panel", "children"), [])
    world.components.add_private("b", [row(1)])
    world.components.forget_private("b")
    assert world.settle() == [], "announced by a page meanwhile, it is still one of the server's"
    monkeypatch.setattr(module, "KEEP_BYTES", 2 * size)
    assert world.settle() == [row(2)]


def test_what_is_named_as_durable_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_BYTES", 0)
    world.components.load(("panel", "children"), [div(1), div(2)])
    world.store(row(1), row(2))
    world.components.load(("panel", "children"), [])
    assert world.settle(durable=(row(2),)) == [row(1)]


def test_a_value_that_is_shown_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_BYTES", 0)
    world.components.load(("panel", "children"), [div(1)])
    world.store(row(1))
    assert world.settle() == []


def test_nothing_is_left_of_rows_that_come_and_go(world: World) -> None:
    for number in range(100):
        world.components.add_private("a", [row(number)])
        world.store(row(number))
        world.components.forget_private("a")
        world.settle()
    absent = world.components.absent
    assert (len(world.shared), world.shared.ids(), absent._ours, absent._left, absent._kept) == (0, [], set(), {}, {})


def test_what_was_forgotten_is_remembered_for_pages_that_are_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_module, "MAX_GONE", 1)
    world.store(row(1), row(2), row(3))
    for number in (1, 2):
        world.shared.forget([row(number)])
    assert [world.shared.gone_since(seq) for seq in (3, 4, 5)] == [[row(2), row(1)], [row(2)], []]
    assert world.shared.told_from == 0
    world.shared.forget([row(3)])
    assert (world.shared.gone_since(3), world.shared.told_from) == ([row(3), row(2)], 4)


def test_what_pages_store_for_ids_of_their_own_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller value is always taken, and what the server sent is not counted."""
    monkeypatch.setattr(module, "MADE_UP_BYTES", 100)
    absent = world.components.absent
    world.components.add_private("a", [row(1), row(2)])
    world.components.load(("panel", "children"), [div(3)])
    world.store(row(1), row(2))
    takes = [
        absent.takes((row(number), "value"), size) for number, size in ((1, 60), (2, 41), (2, 40), (1, 50), (1, 61))
    ]
    assert takes == [True, False, True, True, False]
    assert absent.takes((row(3), "value"), 1_000)
    assert absent.takes(("power", "value"), 1_000)
    world.components.forget_private("a")
    world.settle()
    world.components.add_private("b", [row(4)])
    assert absent.takes((row(4), "value"), 100)
