"""Heartbeats, hashes, batches, silence and stalls, on a clock that only the tests move."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest

from dash_devices.errors import ProtocolError
from dash_devices.patterns import Dep
from dash_devices.protocol import MAX_BATCHES, Change, Pong

from .vital_signs import FakePage, Room

POINTS = {"y": [[1]]}


@pytest.fixture
def room() -> Room:
    return Room()


def fill(room: Room) -> None:
    """As many batches as may be out, and a value more that is kept back."""
    for value in range(MAX_BATCHES + 1):
        room.push(value)


def until_check(room: Room, page: FakePage, *also: FakePage) -> None:
    """Answer pings until one with a check is out."""
    for _ in range(60):
        if page.of("ping")[-1]["check"]:
            return
        page.answer_pings()
        room.pass_time(1, *also)
    raise AssertionError("no check came")


# ---- heartbeats ----
def test_the_first_ping_ends_the_frame_of_the_welcome(room: Room) -> None:
    page = room.page()
    assert [message["type"] for message in page.link.messages] == ["welcome", "ping"]
    assert page.of("ping") == [{"type": "ping", "at": room.wall, "check": False}]


def test_a_ping_every_five_seconds_and_a_check_at_every_sixth(room: Room) -> None:
    page = room.page()
    room.pass_time(66, page)
    pings = page.of("ping")
    gaps = [later["at"] - earlier["at"] for earlier, later in pairwise(pings[1:])]
    assert set(gaps) == {5000}
    assert pings[1]["at"] - pings[0]["at"] <= 5000
    assert [place for place, ping in enumerate(pings) if ping["check"]] == [6, 12]
    assert room.metrics["heartbeats"] == len(pings)


def test_pages_that_came_at_once_are_not_pinged_at_once(room: Room) -> None:
    pages = [room.page() for _ in range(50)]
    room.pass_time(6, *pages)
    second = [page.of("ping")[1]["at"] for page in pages]
    assert max(map(second.count, second)) <= 25


def test_a_ping_follows_the_mods_of_its_frame(room: Room) -> None:
    page = room.page()
    page.session.pulse.wanted = True
    room.push(1)
    assert [message["type"] for message in page.link.messages[-2:]] == ["mods", "ping"]


# ---- hashes ----
def test_a_page_that_holds_what_it_was_sent_is_left_alone(room: Room) -> None:
    page, other = room.page(), room.page()
    before = room.push("x")
    page.applied(before)
    own = page.change("mine")["seq"]
    after = room.push("y", "title")
    until_check(room, page, other)
    page.pong(("b", "value", before), ("a", "value", own), ("b", "title", after), check=True)
    assert room.metrics["divergences"] == 0
    assert len(page.of("mods")) == 2


def test_the_layout_and_what_was_before_it_do_not_count(room: Room) -> None:
    room.push("before")
    page = room.page()
    seq = room.push("after", "title")
    until_check(room, page)
    page.pong(("b", "title", seq), check=True)
    assert room.metrics["divergences"] == 0


@pytest.mark.parametrize("held", [[], [("b", "value", 1)], [("b", "value", 2), ("c", "value", 2)]], ids=str)
def test_a_page_that_holds_something_else_gets_everything(
    room: Room, held: list[tuple[str, str, int]], caplog: pytest.LogCaptureFixture
) -> None:
    room.push("old", "title")
    page = room.page()
    seq = room.push("x")
    until_check(room, page)
    with caplog.at_level(logging.WARNING):
        page.pong(*held, seq=seq, check=True)
    assert room.metrics["divergences"] == 1
    assert "other versions" in caplog.text
    last = page.of("mods")[-1]
    assert last["mods"] == [["a", "value", "layout's", 0], ["b", "title", "old", 1], ["b", "value", "x"]]


def test_after_the_resync_the_same_base_counts(room: Room) -> None:
    room.push("old", "title")
    page = room.page()
    seq = room.push("x")
    until_check(room, page)
    page.pong(check=True, seq=seq)
    room.pass_time(5, page)
    until_check(room, page)
    page.pong(("b", "value", seq), seq=seq, check=True)
    assert room.metrics["divergences"] == 1


def test_a_check_wants_a_hash(room: Room) -> None:
    page = room.page()
    until_check(room, page)
    with pytest.raises(ProtocolError, match="hash: expected"):
        page.pong()


def test_a_page_that_is_kept_back_is_checked_later(room: Room) -> None:
    page = room.page()
    fill(room)
    room.pass_time(45, page)  # a pong of seq 0 applies nothing
    assert not any(ping["check"] for ping in page.of("ping"))
    page.applied(MAX_BATCHES)
    until_check(room, page)
    page.pong(("b", "value", MAX_BATCHES + 1), check=True)
    assert room.metrics["divergences"] == 0


def test_an_event_that_the_page_made_counts_by_its_ack(room: Room) -> None:
    """The page cannot tell that it is no state: to it an ack is an ack."""
    room.hub.engine.share(Dep("g", "extendData"))
    page = room.page()
    change = Change(1, [("g", "extendData", POINTS)], [], room.wall)
    room.hub.change(page.session, change, 0)
    room.hub.flush()
    until_check(room, page)
    page.pong(("g", "extendData", page.of("ack")[0]["seq"]), check=True)
    assert room.metrics["divergences"] == 0


# ---- batches ----
def test_eight_batches_may_be_out(room: Room) -> None:
    page = room.page()
    fill(room)
    assert [message["seq"] for message in page.of("mods")] == list(range(1, MAX_BATCHES + 1))
    page.applied(1)
    assert page.of("mods")[-1]["mods"] == [["b", "value", MAX_BATCHES]]
    room.push("later")
    assert page.of("mods")[-1]["mods"] == [["b", "value", MAX_BATCHES]], "it is full again"


def test_what_is_kept_back_is_one_batch_then(room: Room) -> None:
    page = room.page()
    fill(room)
    for value in range(5):
        room.push(value, "title")
    page.pong(seq=MAX_BATCHES)
    mods = page.of("mods")[MAX_BATCHES:]
    assert [one["mods"] for one in mods] == [[["b", "value", MAX_BATCHES, MAX_BATCHES + 1], ["b", "title", 4]]]


def test_a_line_that_takes_no_more_is_given_nothing(room: Room) -> None:
    page = room.page()
    page.link.writable = False
    for value in (1, 2):
        room.push(value)
    room.hub.flush()
    assert page.of("mods") == []
    page.link.writable = True
    room.hub.flush_session(page.session)
    assert [message["mods"][0][2] for message in page.of("mods")] == [2]


def test_answers_go_on_and_events_wait(room: Room) -> None:
    page = room.page()
    fill(room)
    room.push(POINTS, "extendData", "g")
    assert page.change("mine")["type"] == "ack"
    assert not any(message["events"] for message in page.of("mods"))
    page.applied(MAX_BATCHES)
    assert len(page.of("mods")[-1]["events"]) == 1


def test_a_message_of_events_alone_is_no_batch(room: Room) -> None:
    page = room.page()
    for _ in range(2 * MAX_BATCHES):
        room.push(POINTS, "extendData", "g")
    assert len(page.of("mods")) == 2 * MAX_BATCHES


def test_a_new_line_begins_with_none_out(room: Room) -> None:
    page = room.page()
    fill(room)
    page.back()
    assert page.of("mods")[-1]["mods"] == [["b", "value", MAX_BATCHES]]
    for value in range(MAX_BATCHES - 1):
        room.push(value)
    assert len(page.of("mods")) == MAX_BATCHES


@pytest.mark.parametrize("seq", [2, -1])
def test_nobody_applies_what_was_never_sent(room: Room, seq: int) -> None:
    page = room.page()
    room.push(1)
    page.applied(1)
    with pytest.raises(ProtocolError, match="expected one that was sent"):
        page.applied(seq)
    with pytest.raises(ProtocolError, match="expected one that was sent"):
        page.pong(seq=seq)


# ---- silence ----
def test_a_silent_page_is_gone_within_fifteen_seconds(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    page, other = room.page(), room.page()
    room.pass_time(13, other)
    assert len(room.hub.clients) == 2
    room.pass_time(1, other)
    assert page.link.aborted
    assert [client.id for client in room.hub.clients] == [other.session.client.id]
    assert room.metrics["silent_pages"] == 1
    assert "silent for 14 s" in caplog.text
    page.back()
    assert page.of("welcome")[0]["mode"] == "delta"
    assert len(room.hub.clients) == 2
    room.pass_time(13, other)
    assert not page.link.aborted


def test_what_the_network_takes_of_what_waited_is_a_sign_of_life(room: Room) -> None:
    page = room.page()
    page.link.waiting = 1_000
    for _ in range(40):
        page.link.waiting -= 1
        page.link.taken += 1
        room.pass_time(1)
    assert not page.link.aborted
    room.pass_time(14)
    assert page.link.aborted


def test_what_it_takes_when_nothing_waited_is_none(room: Room) -> None:
    page = room.page()
    for _ in range(14):
        page.link.taken += 100
        room.pass_time(1)
    assert page.link.aborted


def test_a_page_that_sends_but_never_reads_is_gone_after_thirty(room: Room) -> None:
    page = room.page()
    room.pass_time(1, page)
    page.link.waiting = 10
    for _ in range(29):
        page.link.heard = room.now
        page.link.waiting += 10
        room.pass_time(1)
    assert not page.link.aborted
    page.link.heard = room.now
    room.pass_time(1)
    assert page.link.aborted
    assert (room.metrics["stalled_pages"], room.metrics["silent_pages"]) == (1, 0)
    assert not list(room.hub.clients)


def test_a_loop_that_was_held_up_cuts_nobody(room: Room) -> None:
    """What the pages said meanwhile has not been read yet."""
    page = room.page()
    room.pass_time(1, page)
    room.now += 60
    room.pass_time(1)
    assert not page.link.aborted
    room.pass_time(14)
    assert page.link.aborted


# ---- closing ----
def test_stopping_tells_what_is_owed_and_how_widely_to_come_back(room: Room) -> None:
    page = room.page()
    room.hub.flush = lambda: None  # type: ignore[method-assign]
    with pytest.raises(StopIteration):
        page.change("x")
    del room.hub.flush  # type: ignore[attr-defined]
    room.hub.close_pages()
    assert page.of("ack")
    assert page.link.closed == (1012, "retry 250")


def test_many_pages_come_back_over_a_longer_time(room: Room) -> None:
    pages = [room.page() for _ in range(300)]
    room.hub.close_pages()
    assert {page.link.closed for page in pages} == {(1012, "retry 375")}


# ---- the welcome ----
def test_the_welcome_names_what_is_shared(room: Room) -> None:
    page = room.page()
    assert page.of("welcome")[0]["shared"] == ["a"]
    assert page.of("welcome")[0]["limits"]["batches"] == MAX_BATCHES
    room.push(1)
    assert room.page().of("welcome")[0]["shared"] == ["a", "b"]


# ---- pings without an answer
def _says_something(page: FakePage) -> None:
    page.link.heard = page.room.now


@pytest.mark.parametrize(("seconds", "dropped"), [(59, 0), (60, 1), (61, 1)])
def test_a_page_that_answers_no_ping_is_cut_whatever_it_says(
    room: Room, caplog: pytest.LogCaptureFixture, seconds: int, dropped: int
) -> None:
    page = room.page()
    for _ in range(seconds):
        _says_something(page)
        room.pass_time(1)
    assert (room.metrics["unanswering_pages"], page.link.aborted) == (dropped, bool(dropped))
    assert ("answers no ping for 60 s" in caplog.text) == bool(dropped)


def test_a_page_that_answers_late_stays(room: Room) -> None:
    """It always owes some answers, for it is three heartbeats behind."""
    page = room.page()
    for _ in range(200):
        _says_something(page)
        room.pass_time(1)
        if len(page.session.pulse.owed) > 3:
            page.link.heard = room.now
            page._say_pong(Pong(0, room.wall, page.session.pulse.owed[0][1]))
        assert not page.link.aborted


def test_a_page_whose_network_takes_what_waits_may_answer_later(room: Room) -> None:
    """A large frame on a slow connection: its ping comes at its end."""
    page = room.page()
    page.link.waiting = 10**6
    for _ in range(600):
        _says_something(page)
        page.link.taken += 1_000
        room.pass_time(1)
    assert not page.link.aborted
