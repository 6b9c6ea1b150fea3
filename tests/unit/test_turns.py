"""The runs that the components of a page ask for: found without a look at all components, and begun a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from dash_devices.calls import Cause, Item, SharedCall
from dash_devices.clients import Client
from dash_devices.components import Components, id_text
from dash_devices.engine import Engine
from dash_devices.patterns import Dep, Wild, expand
from dash_devices.registry import SharedCallback
from dash_devices.turns import AT_ONCE

NAMES = ("index", "type")


def pattern(type: str, wild: Wild, prop: str = "value") -> Dep:
    """An Input or Output like ``{"type": type, "index": wild}``."""
    return Dep(f'{{"index":["{wild.value}"],"type":"{type}"}}', prop, NAMES, (wild, type))


def row(index: Any, type: str = "in") -> str:
    """The id of one component."""
    return id_text({"index": index, "type": type})


class Pool:
    """Threads that run nothing before they are asked to."""

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []

    def submit(self, work: Callable[[], None]) -> None:
        """Keep it."""
        self.work.append(work)

    def run(self, count: int) -> None:
        """Run some of it."""
        for _ in range(count):
            self.work.pop(0)()


class Rows:
    """An engine with one callback, and pages that show rows. ``ran``: what MATCH stood for in each run, and the Inputs."""

    def __init__(self, wild: Wild, output: Dep, **options: Any) -> None:
        self.engine = Engine(orjson.dumps)
        self.pool = Pool()
        self.engine.lanes.threads = self.pool  # type: ignore[assignment]
        self.engine.components.load(None, {"props": {"id": "sum"}, "type": "Div", "namespace": "n"})
        self.ran: list[tuple[Any, Any]] = []
        self.callback = SharedCallback(
            "rows", print, (pattern("in", wild),), (), (output,), allow_duplicate=(False,), glue=self, **options
        )
        self.engine.register(self.callback)
        self.engine.running = True
        self.engine.startup.open()
        self.rest()

    def invoke(self, call: SharedCall) -> None:
        """The author's function."""
        given = call.inputs[0]
        values = [slot.value for slot in given] if isinstance(given, list) else given.value
        self.ran.append((call.anchor[0][1] if call.anchor else None, values))

    def results(self, call: SharedCall, value: Any) -> list[Item]:
        """It returns nothing."""
        return []

    def show(self, page: Client, *indexes: Any) -> None:
        """A page shows more rows."""
        with self.engine.lock:
            self.engine.components.add_private(page.id, [row(index) for index in indexes])
            self.engine.startup.look(Cause(quiet=True, behalf=page))

    def rest(self) -> None:
        """Run all that is due."""
        while self.pool.work:
            self.pool.run(1)


def each_row() -> Rows:
    """With MATCH; the first row has run."""
    made = Rows(Wild.MATCH, pattern("out", Wild.MATCH, "children"))
    made.engine.components.add_private("other", [row("first"), row("first", "out")])
    made.engine.startup.look()
    made.rest()
    made.ran.clear()
    return made


def all_rows() -> Rows:
    """With ALL."""
    made = Rows(Wild.ALL, Dep("sum", "children"))
    made.ran.clear()
    return made


@pytest.mark.parametrize("count", [AT_ONCE - 1, AT_ONCE, AT_ONCE + 1])
def test_so_many_runs_of_a_page_begin_at_once(count: int) -> None:
    rows = each_row()
    rows.show(Client("a"), *range(count))
    assert len(rows.pool.work) == min(count, AT_ONCE)


def test_all_rows_of_a_long_table_run_in_order() -> None:
    rows = each_row()
    rows.show(Client("a"), *range(2_000))
    rows.rest()
    assert [index for index, _ in rows.ran] == list(range(2_000))
    assert rows.engine.startup.idle.is_set()
    assert not rows.engine.startup._running
    assert not rows.engine.turns._pages


def test_the_runs_of_one_page_do_not_wait_for_those_of_another() -> None:
    rows = each_row()
    rows.show(Client("a"), *range(1_000))
    rows.show(Client("b"), "mine")
    assert len(rows.pool.work) == AT_ONCE + 1


def test_the_runs_in_one_lane_do_not_wait_for_those_in_another() -> None:
    rows, page = each_row(), Client("a")
    names = pattern("slow in", Wild.MATCH), pattern("slow out", Wild.MATCH, "children")
    slow = SharedCallback("slow", print, names[:1], (), names[1:], allow_duplicate=(False,), glue=rows, lane="slow")
    rows.engine.register(slow)
    with rows.engine.lock:
        rows.engine.components.add_private(page.id, [row(index, "slow in") for index in range(1_000)])
        rows.engine.startup.look(Cause(quiet=True, behalf=page))
    due = len(rows.pool.work)
    rows.show(page, "mine")
    assert len(rows.pool.work) == due + 1


def test_runs_of_the_server_itself_do_not_wait() -> None:
    rows = each_row()
    rows.engine.components.add_private("a", [row(index) for index in range(100)])
    rows.engine.startup.look()
    assert len(rows.pool.work) == 100


def test_a_run_that_waits_is_given_the_values_of_its_begin() -> None:
    rows = each_row()
    rows.show(Client("a"), *range(AT_ONCE + 1))
    rows.engine.shared.seed((row(AT_ONCE), "value"), 7)
    rows.rest()
    assert rows.ran[-1] == (AT_ONCE, 7)


def test_adopted_values_run_a_few_at_a_time_too() -> None:
    rows = each_row()
    ids = [row(index) for index in range(100)]
    rows.engine.components.add_private("a", ids)
    rows.engine.store([Item((id, "value"), b"1") for id in ids], Cause(client=Client("a"), quiet=True))
    assert len(rows.pool.work) == AT_ONCE
    rows.rest()
    assert [index for index, _ in rows.ran] == list(range(100))


def test_rows_that_went_meanwhile_do_not_run() -> None:
    rows, page = each_row(), Client("a")
    rows.show(page, *range(100))
    rows.engine.components.forget_private(page.id)
    rows.rest()
    assert len(rows.ran) == AT_ONCE
    assert not rows.engine.startup._running
    assert not rows.engine.turns._pages


def test_one_run_of_all_rows_stands_for_many_rows_that_appear_meanwhile() -> None:
    rows, page = all_rows(), Client("a")
    for index in range(100):
        rows.show(page, index)
    assert len(rows.pool.work) == 1
    rows.rest()
    assert [len(values) for _, values in rows.ran] == [1, 100]
    assert not rows.engine.startup._running
    assert not rows.engine.turns._pages


def test_a_full_lane_skips_many_runs_without_going_deep() -> None:
    rows = Rows(Wild.MATCH, pattern("out", Wild.MATCH, "children"), lane="dev")
    rows.engine.components.add_private("other", [row("first"), row("first", "out")])
    rows.engine.startup.look()
    rows.engine.lanes.capacity = 0
    rows.show(Client("a"), *range(2_000))
    assert rows.engine.metrics["calls_skipped"] == 2_000
    assert not rows.engine.turns._pages


def test_what_waits_does_not_begin_when_the_server_stops() -> None:
    rows = each_row()
    rows.show(Client("a"), *range(100))
    rows.engine.running = False
    rows.rest()
    assert len(rows.ran) == AT_ONCE
    assert not rows.engine.turns._pages


# ---- ids ---------------------------------------------------------------------------------------------------------------
def test_one_row_is_found_without_a_look_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Components()
    known.add_private("a", [row(index) for index in range(1_000)])
    looked: list[Any] = []
    fits = "dash_devices.patterns.fits"
    monkeypatch.setattr(fits, lambda *args, **options: looked.append(args) or True)
    assert expand(pattern("in", Wild.MATCH), (("index", 500),), known) == [(row(500), "value")]
    assert len(looked) == 1


def test_ids_are_found_by_their_values_as_they_come_and_go() -> None:
    known, wanted = Components(), Dep("", "value", ("col", "row"), (Wild.ALL, Wild.MATCH))

    def found(number: Any) -> list[str]:
        return [id for id, _ in expand(wanted, (("row", number),), known)]

    cells = [id_text({"row": number, "col": column}) for number in (1, 2) for column in "ba"]
    known.add_private("a", cells[:3])
    assert (found(1), found(2), found(3)) == (cells[:2], cells[2:3], [])
    known.add_private("b", cells[3:])
    assert found(2) == cells[2:], "in the order in which they became known"
    known.forget_private("a")
    assert (found(1), found(2)) == ([], cells[3:])


def test_ids_whose_values_are_equal_in_python_may_both_go() -> None:
    known = Components()
    known.add_private("a", [row(1), row(True)])
    known.forget_private("a")
    assert row(1) not in known
    assert row(True) not in known
    assert not known.matching(NAMES)
