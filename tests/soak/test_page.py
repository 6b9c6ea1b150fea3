"""The swarm's page keeps to ``PROTOCOL.md``."""

from __future__ import annotations

import json
import zlib
from typing import Any

from .checker import Journal
from .page import Page
from .table import Context, at_most, exactly, markdown, missed, quantile, verdict

WELCOME = {"type": "welcome", "epoch": "e1", "seq": 4, "build": "b", "tab": "t", "token": "s", "handled": 0}
LIMITS = {"limits": {"unacked": 2, "change_bytes": 1, "message_bytes": 10**6, "batches": 4}}


class Talk:
    """A page that has its layout at seq 4, where ``a.value`` is "old"."""

    def __init__(self) -> None:
        self.page = Page("p", Journal())
        self.hear({**WELCOME, **LIMITS, "mode": "fresh"})
        body = {"props": {"children": [{"props": {"id": "a", "value": "old"}}]}}
        self.hear({"type": "reply", "ref": 1, "status": 200, "headers": {"x-dash-devices-seq": "e1:4"}, "body": body})

    def hear(self, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        return list(self.page.receive(json.dumps(messages).encode()))

    def mods(self, seq: int, *mods: list[Any]) -> list[dict[str, Any]]:
        return self.hear({"type": "mods", "seq": seq, "mods": mods, "events": [], "lost": 0})

    def change(self, value: str) -> list[dict[str, Any]]:
        return list(self.page.change([("a", "value", value)]))

    @property
    def shown(self) -> Any:
        return self.page.shows["a", "value"]


def test_a_mod_waits_for_the_answer_and_the_highest_seq_is_shown() -> None:
    talk = Talk()
    talk.change("mine")
    talk.mods(5, ["a", "value", "theirs"])
    assert talk.shown == "mine"
    talk.hear({"type": "ack", "n": 1, "seq": 6})
    assert talk.shown == "mine"
    talk.change("mine again")
    talk.mods(8, ["a", "value", "theirs, later"])
    talk.hear({"type": "ack", "n": 2, "seq": 7})
    assert talk.shown == "theirs, later"


def test_what_has_no_answer_goes_out_again_in_order_and_not_too_much_of_it() -> None:
    talk = Talk()
    sent = [message["n"] for value in "abc" for message in talk.change(value)]
    assert sent == [1, 2]
    talk.page.lost()
    again = talk.hear({**WELCOME, **LIMITS, "mode": "delta", "handled": 1})
    assert [message["n"] for message in again] == [2]
    assert [message["n"] for message in talk.hear({"type": "ack", "n": 1, "seq": 5})] == [3]


def test_a_new_epoch_takes_what_was_not_confirmed() -> None:
    talk = Talk()
    talk.change("mine")
    assert talk.hear({**WELCOME, **LIMITS, "mode": "snapshot", "epoch": "e2"}) == []
    assert talk.page.journal.unconfirmed == [("p", 1)]
    talk.mods(1, ["a", "value", "the server's"])
    assert talk.shown == "the server's"


def test_an_epoch_that_kept_its_numbers_gets_what_it_has_not_handled() -> None:
    talk = Talk()
    for value in ("one", "two"):
        talk.change(value)
    again = talk.hear({**WELCOME, **LIMITS, "mode": "snapshot", "epoch": "e2", "handled": 1, "kept": True})
    assert [message["n"] for message in again] == [2]
    assert (talk.page.journal.kept, talk.page.journal.unconfirmed) == ([("p", 1)], [])
    assert [message["n"] for message in talk.change("three")] == [3]


def test_it_says_what_it_applied_and_what_it_holds() -> None:
    talk = Talk()
    assert talk.mods(5, ["a", "value", "x"]) == []
    assert talk.mods(7, ["b", "value", "y", 6], ["c", "value", "z"]) == [{"type": "applied", "seq": 7}]
    (pong,) = talk.hear({"type": "ping", "at": 0, "check": True})
    assert (pong["seq"], pong["hash"]) == (7, sum(map(zlib.crc32, [b"a.value:5", b"b.value:6", b"c.value:7"])) % 2**32)


def test_another_build_is_a_reload() -> None:
    talk = Talk()
    talk.hear({**WELCOME, **LIMITS, "mode": "delta", "build": "another"})
    assert talk.page.counts["reload"] == 1


def test_the_short_form_judges_no_times() -> None:
    slow, wrong = at_most("x", 9, 5, "s", n=3), exactly("y", 1)
    assert [verdict(slow, False), verdict(slow, True), verdict(wrong, True)] == ["FAIL", "-", "FAIL"]
    assert missed([slow, wrong], short=True) == [wrong]
    assert "9.0 s (n = 3)" in markdown([("row", [slow, wrong])], short=False)
    assert verdict(at_most("nothing measured", quantile([], 0.99), 5, "s"), False) == "FAIL"
    assert [Context().pages(1000, 40), Context(short=True).pages(1000, 40), Context(most=50).pages(1000, 40)] == [
        1000,
        40,
        50,
    ]
