"""Ids that come and go, over real sockets: what pages are told of them, and what is left of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dash_devices import ALL, PageLimits, absent, shared
from dash_devices.dependencies import Input

from ..support import Raw, ServerThread, wait_for, wire_id
from .hostile import make_app

MakeRaw = Callable[..., Raw]
Serve = Callable[..., ServerThread]

pytestmark = pytest.mark.fault("A8")


def row(number: int) -> str:
    return wire_id({"type": "row", "index": number})


def mount(page: Raw, *numbers: int, value: Any = 1) -> None:
    page.send({"type": "mount", "values": [[row(number), "value", value] for number in numbers]})


def told_gone(page: Raw) -> list[str]:
    return [id for message in page.seen for id in message.get("gone", ())]


def in_step(app: Any, page: Raw) -> bool:
    """Do server and page agree on what the page holds?"""
    session = app._hub.session_of(page.welcome["tab"])
    return bool(session.outbox.checksum(app._engine.shared) == page.held.hash)


@pytest.fixture
def app() -> Any:
    return make_app(leave_after=0)


def test_ids_that_only_a_page_announced_go_with_it(app: Any, url: str, other: Raw, raw: MakeRaw) -> None:
    visitor = raw(url).join()
    mount(visitor, 1, 2)
    other.until_value(row(2), "value", 1)
    visitor.close()
    other.until("mods", gone=[row(2), row(1)])
    assert in_step(app, other)
    assert "a" in app._engine.shared.ids()
    assert not [id for id in app._engine.shared.ids() if id.startswith("{")]
    assert app.metrics["ids_forgotten"] == 2


def test_an_id_that_another_page_shows_too_stays(app: Any, url: str, other: Raw, raw: MakeRaw) -> None:
    visitor = raw(url).join()
    for page in (visitor, other):
        mount(page, 1)
    mount(visitor, 2)
    other.until_value(row(2), "value", 1)
    visitor.close()
    other.until("mods", gone=[row(2)])
    other.change({"type": "row", "index": 1}, "value", 7)
    assert other.until("ack")
    assert app.get({"type": "row", "index": 1}, "value") == 7
    assert in_step(app, other)


def test_a_page_that_comes_back_announces_again_what_it_shows(app: Any, url: str, other: Raw, raw: MakeRaw) -> None:
    visitor = raw(url).join()
    mount(visitor, 1)
    visitor.until_value(row(1), "value", 1)
    visitor.change({"type": "row", "index": 1}, "value", 5)
    visitor.until("ack", n=1)
    visitor.drop()
    other.until("mods", gone=[row(1)])
    back = raw(url)
    assert back.resume(visitor)["mode"] == "delta"
    back.until("mods", gone=[row(1)])
    mount(back, 1, value=5)
    for page in (back, other):
        page.until_value(row(1), "value", 5)
        assert in_step(app, page)


def test_a_page_that_is_too_far_behind_starts_over(
    app: Any, url: str, other: Raw, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "MAX_GONE", 1)
    away = raw(url).join()
    away.drop()
    for number in (1, 2, 3):
        visitor = raw(url).join()
        mount(visitor, number)
        visitor.until_value(row(number), "value", 1)
        visitor.close()
        other.until("mods", gone=[row(number)])
    back = raw(url)
    welcome = back.resume(away)
    assert (welcome["mode"], welcome["kept"]) == ("snapshot", True)
    wait_for(lambda: in_step(app, back), "in step")


def test_a_welcome_does_not_name_what_visitors_made_up(url: str, raw: MakeRaw) -> None:
    visitor = raw(url).join()
    mount(visitor, *range(2_000))
    visitor.until_value(row(1_999), "value", 1)
    assert len(raw(url).hello()["shared"]) < 10


@pytest.mark.parametrize("more", [0, 1])
def test_a_mounted_value_is_bounded_as_one_of_a_change_is(serve: Serve, raw: MakeRaw, more: int) -> None:
    app = make_app(page_limits=PageLimits(change_bytes=30_000))
    page = raw(serve(app).url).join()
    mount(page, 1, value="x" * (30_000 - 2 + more))
    page.until("ack", n=page.change("a", "value", 1))
    assert (app.get({"type": "row", "index": 1}, "value") is None) == bool(more)


def test_what_visitors_store_for_ids_of_their_own_is_bounded(
    app: Any, url: str, other: Raw, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absent, "MADE_UP_BYTES", 1_000)
    visitor = raw(url).join()
    mount(visitor, 1, 2, value="x" * 600)
    other.until_value(row(1), "value", "x" * 600)
    assert app.get({"type": "row", "index": 2}, "value") is None
    for size, answer in ((300, "ack"), (500, "nack")):
        n = visitor.change({"type": "row", "index": 2}, "value", "x" * size)
        assert visitor.until(answer, n=n).get("code") in (None, "too_big")


@pytest.mark.parametrize("named", [False, True])
def test_nothing_of_them_is_left_on_disk_unless_it_is_named(
    serve: Serve, raw: MakeRaw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    """Row 1 is announced by a page, row 2 stands in children that the server sent."""
    state = tmp_path / "state.db"

    def life() -> tuple[Any, ServerThread]:
        app = make_app(leave_after=0, state=state)
        if named:
            app.persist(Input({"type": "row", "index": ALL}, "value"))
        return app, serve(app)

    monkeypatch.setattr(absent, "KEEP_BYTES", 0)
    app, server = life()
    page, other = raw(server.url).join(), raw(server.url).join()
    app.push_mods({"panel": {"children": [_row(2)]}})
    mount(page, 1)
    page.until_value(row(1), "value", 1)
    for number in (1, 2):
        page.until("ack", n=page.change({"type": "row", "index": number}, "value", 5))
    app.push_mods({"panel": {"children": []}})
    page.close()
    wait_for(lambda: row(1) in told_gone(_reading(other)) and (named or row(2) in told_gone(other)), "gone")
    server.stop()
    again, _ = life()
    assert [again.get({"type": "row", "index": number}, "value") for number in (1, 2)] == [None, 5 if named else None]


def _row(number: int) -> Any:
    from dash_devices import dcc

    return dcc.Input(id={"type": "row", "index": number}, value="0")


def _reading(page: Raw) -> Raw:
    """Take what has arrived."""
    page.request("dependencies")
    return page
