"""What is remembered of tabs."""

from __future__ import annotations

import tracemalloc

import pytest

from dash_devices import sessions as module
from dash_devices.clients import Client
from dash_devices.protocol import MAX_UNACKED, VERSION, Hello
from dash_devices.sessions import Session, Sessions

COUNT = 500


def test_a_tab_that_said_nothing_takes_little_memory() -> None:
    """10,000 of those that left are kept."""
    sessions = Sessions()
    hellos = [Hello(VERSION, f"page {number}", "", None) for number in range(COUNT)]
    tracemalloc.start()
    try:
        for hello in hellos:
            sessions.open(hello, Client)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / COUNT < 2.5 * 1024, "bytes"


def test_the_newest_answers_are_kept() -> None:
    """As many as a page may wait for."""
    session = Session(Client("c"), "token")
    for number in range(1, MAX_UNACKED + 11):
        session.acknowledge(number, b"%d" % number, patient=False)
    assert [n for n, _ in session.answers] == list(range(11, MAX_UNACKED + 11))
    assert session.handled == MAX_UNACKED + 10


def visit(sessions: Sessions, name: str, answer: bytes = b"") -> Session:
    """A tab that came, was answered once, and left."""
    session = sessions.open(Hello(VERSION, name, ""), Client)
    session.acknowledge(1, answer, patient=False)
    session.outbox.clear()
    return session


@pytest.mark.fault("A7")
def test_tabs_that_left_are_kept_up_to_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten first; one that is back, or that leaves again, counts once."""
    sessions = Sessions()
    first, second, third = [visit(sessions, name, b"x" * 10_000) for name in "abc"]
    monkeypatch.setattr(module, "KEEP_BYTES", first.size + second.size)
    assert [sessions.left(one, 0.0) for one in (first, second, first, second)] == [[], [], [], []]
    assert sessions.left(third, 0.0) == [first]
    assert sessions.get(first.token) is None
    assert sessions.open(Hello(VERSION, "b", "", token=second.token), Client) is second
    assert sessions.left(visit(sessions, "d", b"x" * 9_000), 0.0) == []
    assert sessions.left(second, 0.0) == [third]


@pytest.mark.fault("A7")
@pytest.mark.parametrize("what", ["answers", "known", "user_agent", "events", "page"])
def test_all_that_is_kept_of_a_tab_counts(what: str) -> None:
    session = visit(Sessions(), "a")
    before = session.size
    if what == "answers":
        session.refuse(2, b"", [], b"x" * 1_000)
        session.outbox.clear()
    elif what == "known":
        session.known = ["x" * 1_000]
    elif what == "user_agent":
        session.client.user_agent = "x" * 1_000
    elif what == "events":
        session.outbox.position = 0
        session.outbox.post_event(("a", "extendData"), b"x" * 1_000)
    else:
        session.page = "x" * 1_000
    assert session.size >= before + 1_000 - 1
