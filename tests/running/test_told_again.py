"""What is told again though it is no newer than what a page has: refused values, and everything, where a socket swallowed it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from dash_devices import dcc, html, protocol

from ..support import TIMEOUT, Raw, ServerThread, wait_for
from .hostile import change, make_app

MakeRaw = Callable[..., Raw]


@pytest.fixture
def quick_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next ping comes in a tenth of a second, not in some."""
    monkeypatch.setattr("dash_devices.hub.SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("dash_devices.vitals.PING_SECONDS", 0.1)


def test_a_large_value_that_a_lost_socket_swallowed_is_told_again(url: str, raw: MakeRaw, app: Any) -> None:
    """It is in no answer, and no newer than the seq at which the page goes on; nor is the answer kept for ever."""
    large = "x" * 200_000
    app.push_mods({"a": {"value": large}})
    page = raw(url).join()
    page.change("a", "value", "y" * 300_000)
    page.answers_pings(False)
    page.until_value("a", "value", large)  # say that the line took it and the page never saw it
    for _ in range(protocol.MAX_UNACKED):
        page.until("nack", n=page.change("nothing", "value", 1))
    page.drop()
    again = raw(url)
    assert again.resume(page)["mode"] == "delta"
    again.until_value("a", "value", large)


@pytest.mark.usefixtures("quick_pings")
def test_a_large_value_that_the_page_has_is_not_told_again(url: str, raw: MakeRaw, app: Any) -> None:
    """What it has worked off, it has: the answer to a later ping says so."""
    large = "x" * 200_000
    app.push_mods({"a": {"value": large}})
    page = raw(url).join()
    page.change("a", "value", "y" * 300_000)
    page.until_value("a", "value", large)
    again = _after_a_ping(raw, url, page)
    app.push_mods({"shown": {"title": "end"}})
    again.until_value("shown", "title", "end")
    assert large not in str(again.seen)


def _after_a_ping(raw: MakeRaw, url: str, page: Raw) -> Raw:
    """The page answers a ping, loses its line, and is back."""
    page.answers_pings(False)
    page.pong(page.until("ping"))
    assert page.request("dependencies")["status"] == 200, "it was read, and the pong before it"
    page.drop()
    again = raw(url)
    assert again.resume(page)["mode"] == "delta"
    return again


def _blown_up(raw: MakeRaw, url: str, app: Any) -> Raw:
    """A page that sent a change which is not read, and has not answered a ping since."""
    app.push_mods({"a": {"value": "the server's"}})
    page = raw(url).join()
    page.answers_pings(False)
    page.send_frame(change("[" + "[]," * 200_000 + "0]"))
    page.n = 1
    page.until_value("a", "value", "the server's")
    return page


@pytest.mark.usefixtures("quick_pings")
def test_a_start_over_that_a_lost_socket_swallowed_comes_again(url: str, raw: MakeRaw, app: Any) -> None:
    """Nobody knows what the change was about: until the page says that it has everything, it gets everything."""
    page = _blown_up(raw, url, app)  # say that the line took it all and the page never saw it
    page.drop()
    again = raw(url)
    welcome = again.resume(page)
    assert (welcome["mode"], welcome["kept"], welcome["handled"]) == ("snapshot", True, 1)
    again.until_value("a", "value", "the server's")
    last = _after_a_ping(raw, url, again)
    app.push_mods({"shown": {"title": "end"}})
    last.until_value("shown", "title", "end")
    assert "the server's" not in str(last.seen)


def test_a_page_that_fetches_its_layout_again_has_everything(url: str, raw: MakeRaw, app: Any) -> None:
    page = _blown_up(raw, url, app)
    page.layout()
    page.drop()
    assert raw(url).resume(page)["mode"] == "delta"


def test_a_layout_that_a_lost_socket_swallowed_is_sent_again(url: str, raw: MakeRaw, app: Any) -> None:
    """A page that has one asks for another."""
    page = raw(url).join()
    asked = {"type": "request", "ref": 9, "route": "layout", "query": "", "body": None}
    page.send(asked)
    page.until("reply", ref=9)  # say that the line took it and the page never saw it
    page.drop()
    again = raw(url)
    again.resume(page)
    again.send(asked)
    assert again.until("reply", ref=9)["status"] == 200


def test_a_layout_that_is_asked_for_on_two_lines_is_answered_on_the_last(
    serve: Callable[..., ServerThread], raw: MakeRaw
) -> None:
    """Else the page would stand at two places."""
    app: Any = make_app()
    tree, waiting, go_on = app.layout, list[int](), threading.Event()

    def layout() -> Any:
        if app._hub.loop is not None:  # else it is looked at before anybody asks
            waiting.append(1)
            assert go_on.wait(TIMEOUT)
        return tree

    app.layout = layout
    go_on.set()
    url = serve(app).url
    go_on.clear()
    del waiting[:]
    asked = {"type": "request", "ref": 9, "route": "layout", "query": "", "body": None}
    first = raw(url)
    first.hello()
    first.send(asked)
    wait_for(lambda: len(waiting) == 1, "the first request")
    first.drop()
    second = raw(url)
    second.page = first.page
    second.hello(tab=first.welcome["tab"], token=first.welcome["token"])
    second.send(asked)
    wait_for(lambda: len(waiting) == 2, "the second request")
    go_on.set()
    wait_for(lambda: not app._requests.unanswered, "both answers")
    assert second.request("dependencies")["status"] == 200
    layouts = [one for one in second.seen if one["type"] == "reply" and protocol.SEQ_HEADER in one["headers"]]
    assert len(layouts) == 1


def test_an_empty_change_is_no_reason_to_start_over(url: str, raw: MakeRaw, app: Any) -> None:
    app.push_mods({"a": {"value": "the server's"}})
    page = raw(url).join()
    page.changes([], at=1.0)
    page.until("nack", n=1)
    app.push_mods({"shown": {"title": "end"}})
    page.until_value("shown", "title", "end")
    assert not any("the server's" in str(message.get("mods")) for message in page.seen)


@pytest.mark.parametrize("told", ["in order", "by one call"])
def test_components_that_are_told_again_bring_the_newest_of_what_is_in_them(
    serve: Callable[..., ServerThread], raw: MakeRaw, told: str
) -> None:
    """In the page they replace it."""
    app = make_app()
    server = serve(app)
    inner = [html.Div([dcc.Input(id="inner", value="old"), html.Div(id="deep")], id="box")]
    if told == "in order":
        app.push_mods({"panel": {"children": inner}})
        app.push_mods({"box": {"title": "t"}, "inner": {"value": "new"}})
        app.push_mods({"deep": {"children": [html.Span("old", id="deepest")]}})
        app.push_mods({"deepest": {"children": "new"}})
    else:
        app.push_mods({"panel": {"children": inner}, "inner": {"value": "new"}, "box": {"title": "t"}})
    page = raw(server.url).join()
    page.changes([("panel", "children", "mine")], at=1.0)
    page.until("nack", n=1)
    mods = page.until("mods")["mods"]
    names = [f"{id}.{property}" for id, property, _ in mods]
    expected = ["panel.children", "box.title", "inner.value"]
    if told == "in order":
        assert names == [*expected, "deep.children", "deepest.children"]
        assert mods[-1][2] == "new"
    else:
        assert sorted(names) == sorted(expected)
        assert names[0] == "panel.children"
    assert mods[names.index("inner.value")][2] == "new"
