"""The clock of a page, told from its heartbeats; and how old that makes its changes."""

from __future__ import annotations

import pytest

from dash_devices.pulse import DRIFT, PAIRS, Clock

from .vital_signs import Room

HOUR = 3_600_000.0


@pytest.fixture
def room() -> Room:
    return Room()


def test_before_the_first_pong_the_hello_tells() -> None:
    clock = Clock()
    assert clock.offset == 0, "nothing said: taken to be right"
    clock.greeted(1_000, 5_000)
    assert clock.offset == 4_000
    assert clock.age(1_000, 6_000) == 1


def test_the_middle_of_the_round_trip_is_when_the_page_answered() -> None:
    clock = Clock()
    clock.greeted(1_000, 5_090)
    clock.answered(5_000, 1_020, 5_040)
    assert clock.offset == 4_000


def test_the_shortest_of_the_last_round_trips_counts() -> None:
    clock = Clock()
    clock.answered(0, 1, 2)
    for start in range(PAIRS - 1):
        clock.answered(start, start + 10, start + 40)
    assert clock.offset == 0
    clock.answered(100, 110, 140)
    assert clock.offset == 10, "the short one is forgotten"


def test_a_clock_that_was_set_is_believed_at_once() -> None:
    clock = Clock()
    clock.answered(0, 1, 2)
    clock.answered(5_000, 5_020 + HOUR, 5_040)
    assert clock.offset == -HOUR
    clock.answered(10_000, 10_020, 10_040)
    assert clock.offset == 0
    clock.answered(15_000, 15_001 + DRIFT, 15_002)
    assert clock.offset == -DRIFT, "or a shorter round trip"


def test_a_hello_shows_a_clock_set_forward() -> None:
    clock = Clock()
    clock.answered(0, 1, 2)
    clock.greeted(5_000, 5_500)
    assert clock.offset == 0, "half a second on its way, or set back: not to be told apart"
    clock.greeted(HOUR, 10_000)
    assert clock.offset == 10_000 - HOUR


# ---- semantics 10.4 ----
def test_10_4_a_change_that_arrives_late_is_refused(room: Room) -> None:
    page = room.page()
    assert page.change("in time", at=room.wall - 5_000)["type"] == "ack"
    answer = page.change("late", at=room.wall - 61_000)
    assert answer["code"] == "too_old"
    assert answer["message"] == "this change is 61 s old; it was not carried out"
    assert answer["values"] == [["a", "value", "in time"]]
    assert room.metrics["too_old"] == 1


@pytest.mark.parametrize("wrong", [HOUR, -HOUR])
def test_10_4_the_clock_of_the_page_may_be_wrong(room: Room, wrong: float) -> None:
    page = room.page(at=room.wall + wrong)
    assert page.change("from the hello on", at=room.wall + wrong)["type"] == "ack"
    page.pong(at=room.wall + wrong)
    assert page.change("and after a pong", at=room.wall + wrong - 4_900)["type"] == "ack"
    assert page.change("but not late", at=room.wall + wrong - 5_100)["type"] == "nack"


def test_10_4_age_never_decides_about_a_number_that_was_handled(room: Room) -> None:
    page = room.page()
    made = room.wall
    first = page.change("x", at=made)
    room.pass_time(60, page)
    assert page.change("x", at=made, n=1) == first
    refused = page.change("y", at=made)
    assert refused["code"] == "too_old"
    again = page.change("y", at=room.wall, n=2)
    assert again == {**refused, "values": []}, "nor does its youth"
    assert room.metrics["too_old"] == 1


def test_10_4_never_too_old(room: Room) -> None:
    room.hub.intake.max_change_age = None
    assert room.page().change("yesterday's", at=room.wall - 24 * HOUR)["type"] == "ack"


def test_10_4_the_clock_is_remembered_over_a_lost_line(room: Room) -> None:
    page = room.page(at=room.wall - HOUR)
    page.pong(at=room.wall - HOUR)
    made = room.wall - HOUR
    room.now += 60
    page.back()
    assert page.change("made before the gap", at=made)["code"] == "too_old"
    assert page.change("made now", at=room.wall - HOUR)["type"] == "ack"
