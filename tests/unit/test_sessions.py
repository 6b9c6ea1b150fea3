"""What is remembered of tabs."""

from __future__ import annotations

import tracemalloc

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
