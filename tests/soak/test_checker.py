"""The model checker finds what breaks the model, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from .checker import Journal, Key, digest

A, B = ("a", "value"), ("b", "children")


def seen(*rows: tuple[str, Key, int, Any, int]) -> Journal:
    """A journal of ``(page, key, seq, value, held before)`` in one epoch."""
    journal = Journal()
    for page, key, seq, value, held in rows:
        journal.saw(page, "e1", key, seq, value, held)
    return journal


def change(value: str) -> dict[str, Any]:
    return {"type": "change", "n": 1, "values": [["a", "value", value]]}


def test_a_growing_subsequence_is_fine() -> None:
    journal = seen(("p", A, 1, "x", -1), ("p", A, 4, "y", 1), ("q", A, 4, "y", -1), ("q", A, 4, "y", 4))
    journal.check_order("e1", [(A, 1, "x"), (A, 3, "nobody saw it"), (A, 4, "y")])
    journal.check_state("e1", {A: "y"})
    journal.check_equal({"p": {A: "y"}, "q": {A: "y", B: "private"}}, {A: "y"})
    assert journal.faults == []


def test_a_step_back_is_found() -> None:
    assert "went from 4 back to 1" in seen(("p", A, 4, "y", -1), ("p", A, 1, "x", 4)).faults[0]


def test_two_values_at_one_place_are_found() -> None:
    assert "elsewhere it is 'y'" in seen(("p", A, 4, "y", -1), ("q", A, 4, "z", -1)).faults[0]


def test_what_the_server_never_stored_is_found() -> None:
    journal = seen(("p", A, 4, "y", -1))
    journal.check_order("e1", [(A, 4, "z")])
    assert "the server stored 'z', pages saw 'y'" in journal.faults[0]


def test_the_same_place_in_another_epoch_is_another_place() -> None:
    journal = seen(("p", A, 4, "y", -1))
    journal.saw("p", "e2", A, 4, "z", -1)
    assert journal.faults == []


@pytest.mark.parametrize(
    ("ran", "complete", "fault"),
    [
        (["x"], ["e1"], None),
        ([], [], None),  # killed before it ran
        ([], ["e1"], "was acknowledged in epoch e1 and never ran"),
        (["x", "x"], ["e1"], "ran 2 times in epoch e1"),
    ],
)
def test_what_was_acknowledged_ran_once(ran: list[str], complete: list[str], fault: str | None) -> None:
    journal = Journal()
    journal.acked("p", "e1", change("x"))
    journal.check_runs({"e1": ran}, complete=complete)
    assert [fault in text for text in journal.faults] == [True] if fault else journal.faults == []


def test_an_acknowledged_change_that_is_missing_from_the_state_is_found() -> None:
    journal = seen(("p", A, 1, "x", -1), ("q", A, 7, "acknowledged", 1))
    journal.check_state("e1", {A: "x"})
    assert "the newest seen is 'acknowledged'" in journal.faults[0]


def test_a_page_that_shows_something_else_is_named() -> None:
    journal = Journal()
    journal.check_equal({"p": {A: 1, B: 2}, "q": {A: 1, B: 3}}, {A: 1, B: 2})
    assert journal.faults == ["q: does not show the server's b.children"]


def test_many_faults_are_counted_and_the_first_are_told() -> None:
    journal = Journal()
    for number in range(100):
        journal.wrong(f"fault {number}")
    assert (journal.fault_count, len(journal.faults), journal.faults[0]) == (100, 20, "fault 0")


def test_a_digest_knows_no_order() -> None:
    assert digest({A: 1, B: 2}) == digest({B: 2, A: 1}) != digest({A: 2, B: 1})
