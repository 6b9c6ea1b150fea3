"""Heartbeats, silence and stalls through real sockets, with each server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.protocol import MAX_BATCHES

from ..support import Raw, ServerThread, wait_for
from .support import hypercorn, uvicorn

MakeRaw = Callable[..., Raw]
SERVERS = {"run": ServerThread, "uvicorn": lambda app: uvicorn(app.asgi), "hypercorn": lambda app: hypercorn(app.asgi)}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> dash_devices.Dash:
    """Its heart beats fifty times as fast as others'."""
    monkeypatch.setattr("dash_devices.hub.SWEEP_SECONDS", 0.1)
    monkeypatch.setattr("dash_devices.vitals.PING_SECONDS", 0.1)
    app = dash_devices.Dash(__name__)
    app.layout = html.Div([dcc.Input(id="a", value="0"), dcc.Input(id="b"), html.Div(id="c")])
    app.share("a", "value")
    app.share("b", "value")
    return app


@pytest.fixture(params=SERVERS)
def server(app: dash_devices.Dash, request: pytest.FixtureRequest) -> Iterator[Any]:
    with SERVERS[request.param](app) as server:
        server.kind = request.param
        yield server


def checks(page: Raw) -> int:
    return sum(message.get("check") is True for message in page.seen)


def until_checked(page: Raw) -> None:
    """Read on until the page was asked twice what it holds, and answered."""
    wanted = checks(page) + 2
    while checks(page) < wanted:
        page.quiet(0.05)


def test_pages_hold_what_the_server_thinks(app: dash_devices.Dash, server: Any, raw: MakeRaw) -> None:
    app.push_mods({"c": {"children": "before"}})
    page, other = raw(server.url).join(), raw(server.url).join()
    page.change("a", "value", "1")
    app.push_mods({"c": {"children": "after"}})
    other.send({"type": "mount", "values": [["b", "value", "adopted"]]})
    other.until_value("b", "value", "adopted")
    app.push_mods({"c": {"title": "t"}, "a": {"value": "2"}})
    until_checked(page)
    until_checked(other)
    assert app.metrics["divergences"] == 0
    assert page.held.seqs.keys() >= {"a.value", "b.value", "c.children", "c.title"}


def test_one_that_does_not_gets_everything(app: dash_devices.Dash, server: Any, raw: MakeRaw) -> None:
    page = raw(server.url).join()
    app.push_mods({"c": {"children": "x"}})
    page.until_value("c", "children", "x")
    page.held.seqs["c.children"] += 1
    message = page.until_value("c", "children", "x")
    assert ["a", "value", "0"] in message["mods"]
    wait_for(lambda: app.metrics["divergences"] == 1, "the divergence")


def test_a_silent_page_is_cut(
    app: dash_devices.Dash, server: Any, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking, silent = raw(server.url).join(), raw(server.url, pong=False).join()
    monkeypatch.setattr("dash_devices.vitals.SILENT_SECONDS", 1.0)

    def only_one_is_left() -> bool:
        talking.quiet(0.05)
        return [client.id for client in app.clients] == [talking.welcome["tab"]]

    wait_for(only_one_is_left, "the silent one leaves")
    silent.closed()
    assert app.metrics["silent_pages"] == 1
    back = raw(server.url)
    assert back.resume(silent)["mode"] == "delta"
    assert len(app.clients) == 2


def test_a_page_that_never_reads_is_cut(
    app: dash_devices.Dash, server: Any, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = raw(server.url, max_queue=1).join()
    monkeypatch.setattr("dash_devices.vitals.STALLED_SECONDS", 1.0)

    def cut() -> bool:
        if app.metrics["stalled_pages"] == 0:
            app.push_mods({"c": {"children": "x" * 10_000_000}})
            page.send({"type": "answer", "ref": 0, "values": {}})
        return app.metrics["stalled_pages"] == 1

    wait_for(cut, "the cut")
    wait_for(lambda: not list(app.clients), "nobody there")
    if server.kind != "run":
        page.drop()  # they cannot be told to


def test_what_was_kept_back_comes_over_the_line(
    app: dash_devices.Dash, server: Any, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dash_devices.vitals.PING_SECONDS", 60)  # a ping would bring it too
    page = raw(server.url, pong=False, applies=False).join()
    for value in range(MAX_BATCHES):
        app.push_mods({"c": {"children": value}})
        page.until_value("c", "children", value)
    for value in range(100, 105):
        app.push_mods({"c": {"children": value}})
    assert not [message for message in page.quiet() if message["type"] == "mods"]
    page.send({"type": "applied", "seq": page.seq})
    assert page.until("mods")["mods"] == [["c", "children", 104]]
