"""Pages over a restart with durable state: their numbers go on, and what they change runs once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dash_devices import journal
from dash_devices.statefile import TAB, StateFile

from ..semantics.helpers import Calls
from ..support import Raw, ServerThread
from .support import MakeRaw, Serve, make_app


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def restarted(serve: Serve, server: ServerThread, calls: Calls, state: Path, shown: tuple[str, str]) -> ServerThread:
    """The next life of the server; its startup has run with these values."""
    server.stop()
    again = serve(make_app(calls, state=state))
    assert calls.next() == shown
    return again


def left(raw: MakeRaw, server: ServerThread, *values: str) -> Raw:
    """A page that made these changes of ``a``, was answered, and lost its line."""
    page = raw(server.url).join()
    for value in values:
        page.until("ack", n=page.change("a", "value", value))
    page.drop()
    return page


def test_the_tab_is_known_and_its_numbers_go_on(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1", "2")
    calls = Calls()
    again = restarted(serve, server, calls, state, ("2", "0"))
    back = raw(again.url)
    welcome = back.resume(page)
    assert (welcome["mode"], welcome["kept"], welcome["handled"]) == ("snapshot", True, 2)
    assert welcome["epoch"] != page.welcome["epoch"]
    assert (welcome["tab"], welcome["token"]) == (page.welcome["tab"], page.welcome["token"])
    assert again.app.clients[0].id == welcome["tab"]  # type: ignore[attr-defined]

    back.n = 0
    for value in ("1", "2", "3"):
        back.change("a", "value", value)
    assert back.until("ack")["n"] == 3, "what was handled is not answered again: the welcome has settled it"
    assert calls.next() == ("3", "0"), "nor run again"
    assert calls.none_left


def test_a_page_that_had_no_ack_is_told_by_the_welcome(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    page.n = 3  # 2 and 3 never reached the server
    calls = Calls()
    again = restarted(serve, server, calls, state, ("1", "0"))
    back = raw(again.url)
    assert back.resume(page)["handled"] == 1
    back.n = 1
    for value in ("2", "3"):
        back.change("a", "value", value)
    assert [back.until("ack")["n"] for _ in range(2)] == [2, 3]
    assert calls.take(2) == [("2", "0"), ("3", "0")]


def test_what_was_answered_need_not_be_on_the_disk(serve: Serve, raw: MakeRaw, state: Path) -> None:
    """Refusals and clicks get a number that nobody wrote down."""
    server = serve(make_app(state=state))
    page = raw(server.url).join()
    page.until("ack", n=page.change("a", "value", "1"))
    page.until("ack", n=page.change("go", "n_clicks", 1))
    page.until("nack", n=page.change("nothing", "value", "1"))
    page.drop()
    back = raw(restarted(serve, server, Calls(), state, ("1", "0")).url)
    assert back.resume(page)["handled"] == 1
    back.until("ack", n=back.change("a", "value", "4"))
    back.n = 5
    back.change("a", "value", "6")
    assert back.closed() == 4400, "but no number is left out after that"


def test_a_page_cannot_skip_more_numbers_than_it_says_it_had(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    back = raw(restarted(serve, server, Calls(), state, ("1", "0")).url)
    back.resume(page)
    back.n = 2
    back.change("a", "value", "3")
    assert back.closed() == 4400


def test_a_click_that_may_have_run_is_not_run_again(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    page.n = 2  # a click, sent before the restart, without an answer
    calls = Calls()
    back = raw(restarted(serve, server, calls, state, ("1", "0")).url)
    back.resume(page)
    back.n = 1
    back.change("go", "n_clicks", 1)
    assert back.until("nack")["code"] == "unconfirmed"
    back.change("go", "n_clicks", 2)
    assert back.until("ack")["n"] == 3
    assert calls.next() == ("go", 2), "the one after the hello is new for sure"


def test_what_may_have_run_stays_so_when_rights_change(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    page.n = 2  # a click, sent before the restart, without an answer
    calls = Calls()
    again = restarted(serve, server, calls, state, ("1", "0"))
    back = raw(again.url)
    back.resume(page)
    again.app.protect("shown.children", read=lambda client: False)
    assert back.closed() == 1012
    last = raw(again.url)
    assert last.resume(back)["mode"] == "snapshot"
    last.n = 1
    last.change("go", "n_clicks", 1)
    assert last.until("nack")["code"] == "unconfirmed"
    assert calls.none_left


def test_age_decides_of_what_was_never_handled(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    page.n = 2
    back = raw(restarted(serve, server, Calls(), state, ("1", "0")).url)
    back.resume(page)
    back.n = 1
    back.changes([("a", "value", "2")], at=back._now() - 60_000)
    assert back.until("nack")["code"] == "too_old"


def test_another_page_load_of_the_tab_starts_anew_with_the_same_client(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    back = raw(restarted(serve, server, Calls(), state, ("1", "0")).url)
    welcome = back.hello(tab=page.welcome["tab"], token=page.welcome["token"])
    assert (welcome["mode"], welcome["kept"], welcome["handled"]) == ("fresh", False, 0)
    assert welcome["tab"] == page.welcome["tab"]
    back.layout()
    back.until("ack", n=back.change("a", "value", "2"))


def test_the_welcome_after_is_a_plain_one(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    again = restarted(serve, server, Calls(), state, ("1", "0"))
    back = raw(again.url)
    back.resume(page)
    back.until("mods")
    back.drop()
    third = raw(again.url)
    welcome = third.resume(back)
    assert (welcome["mode"], welcome["kept"], welcome["handled"]) == ("delta", False, 1)


def test_a_welcome_that_got_lost_is_given_again(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    again = restarted(serve, server, Calls(), state, ("1", "0"))
    raw(again.url).resume(page)
    third = raw(again.url)
    assert third.resume(page)["kept"]
    assert ["a", "value", "1"] in third.until("mods")["mods"]


def test_a_page_two_lives_away_is_still_known(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    calls = Calls()
    server = restarted(serve, server, calls, state, ("1", "0"))
    server = restarted(serve, server, calls, state, ("1", "0"))
    welcome = raw(server.url).resume(page)
    assert (welcome["kept"], welcome["handled"]) == (True, 1)


def test_a_change_behind_one_that_waits_for_the_disk_keeps_its_place(serve: Serve, raw: MakeRaw, state: Path) -> None:
    calls = Calls()
    server = serve(make_app(calls, state=state))
    calls.next()
    page = raw(server.url).join()
    for number in range(50):
        page.change("a", "value", str(number))
        page.change("go", "n_clicks", number)
        page.change("nothing", "value", number)
    answers: list[dict[str, Any]] = []
    while len(answers) < 150:
        message = page.receive()
        answers += [message] if message["type"] in ("ack", "nack") else []
    assert [answer["n"] for answer in answers] == list(range(1, 151))
    assert [answer["type"] for answer in answers] == ["ack", "ack", "nack"] * 50


def test_a_page_that_is_told_everything_gets_it_behind_the_answer(serve: Serve, raw: MakeRaw, state: Path) -> None:
    """Before the answer it may hold back what it is sent, and drop it then: the answer's seq is newer."""
    server = serve(make_app(state=state))
    page = raw(server.url).join()
    page.change("a", "value", "1")
    value = "[" + "[]," * 200_000 + "0]"
    page.send_frame(f'{{"type":"change","n":2,"values":[["a","value",{value}]],"state":[],"at":{time.time() * 1000}}}')
    page.until("nack", n=2)
    page.until_value("a", "value", "1")


def test_a_change_of_a_page_that_is_loaded_anew_meanwhile_runs_and_is_not_answered(
    serve: Serve, raw: MakeRaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody presses save and reloads the page: its numbers begin again before the disk is done."""
    begun, go_on = threading.Event(), threading.Event()
    write: Callable[..., None] = StateFile.write

    def slow(file: StateFile, rows: Any) -> None:
        if any(row and b'"saved"' in row.body for row in rows.values()):
            begun.set()
            go_on.wait(10)
        write(file, rows)

    monkeypatch.setattr(StateFile, "write", slow)
    calls = Calls()
    server = serve(make_app(calls, state=state))
    calls.next()
    page = raw(server.url).join()
    page.change("a", "value", "saved")
    assert begun.wait(10)
    page.drop()
    again = raw(server.url)
    again.hello(tab=page.welcome["tab"], token=page.welcome["token"])
    again.layout()
    again.change("b", "value", "new")
    go_on.set()
    assert calls.take(2) == [("saved", "0"), ("saved", "new")]
    again.until("ack", n=1)
    again.quiet()
    assert [message["n"] for message in again.seen if message["type"] == "ack"] == [1]


def test_the_file_has_no_token_and_forgets_tabs(
    serve: Serve, raw: MakeRaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEEP_TABS", 2)
    server = serve(make_app(state=state))
    pages = [left(raw, server, str(number)) for number in range(4)]
    server.stop()
    content = b"".join(path.read_bytes() for path in state.parent.iterdir())
    for page in pages:
        assert page.welcome["tab"].encode() in content
        assert page.welcome["token"].encode() not in content
    again = serve(make_app(state=state))
    known = [raw(again.url).resume(page)["kept"] for page in pages]
    assert known == [False, False, True, True], "the newest of them"
    again.stop()
    file = StateFile(state)
    file.load()
    assert sum(kind == TAB for kind, _, _ in file.take_rows()) == 4, "two that were known and two new ones"
    file.close()


def test_tabs_that_do_not_come_back_are_forgotten(
    serve: Serve, raw: MakeRaw, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(make_app(state=state))
    page = left(raw, server, "1")
    server.stop()
    monkeypatch.setattr(journal, "KEEP_SECONDS", 0.0)
    again = serve(make_app(state=state))
    assert not raw(again.url).resume(page)["kept"]
