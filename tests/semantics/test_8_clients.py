"""Section 8: clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import callback_context, dcc, html
from dash_devices.clients import Client
from dash_devices.dependencies import Input, Output
from dash_devices.protocol import VERSION, Hello
from dash_devices.sessions import KEEP_SECONDS, KEEP_TABS, Sessions

from ..support import TIMEOUT, Raw, ServerThread, wait_for
from .helpers import Calls, ask_regular, until_all

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]


def _app(**options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div([dcc.Input(id="name", value="Ada"), html.Div(id="greeting"), html.Div(id="mine")])
    return app


def _again(raw: MakeRaw, server: ServerThread, old: Raw, **fields: Any) -> Raw:
    """The same tab as ``old``, with a new page load."""
    page = raw(server.url)
    page.hello(tab=old.welcome["tab"], token=old.welcome["token"], **fields)
    page.layout()
    return page


def test_8_1_clients_are_a_table_that_any_thread_reads(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    server = serve(app)
    before = time.time()
    first = raw(server.url, origin=server.url, headers={"User-Agent": "one"}).join()
    second = raw(server.url, headers={"User-Agent": "two"}).join()

    assert [client.user_agent for client in app.clients] == ["one", "two"]
    assert len(app.clients) == 2
    assert app.clients[1] is app.clients[-1] is app.clients[second.welcome["tab"]]
    assert app.clients[:1] == (app.clients[0],)
    client = app.clients[0]
    assert client.id == first.welcome["tab"]
    assert before <= client.connect_time <= time.time()
    assert client.address == "127.0.0.1"
    assert client.host == f"127.0.0.1:{server.port}"
    assert client.origin == server.url
    assert app.clients[1].origin is None
    assert client.connected
    assert client.authentication is None
    assert client.username is None
    client.colour = "red"
    assert app.clients[0].colour == "red"
    client.username = "ada"
    assert client.id in str(client)
    assert "ada" in str(client)
    assert client.id in str(app.clients)


def test_8_1_a_reader_in_another_thread_sees_one_table(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    server = serve(app)
    first, _ = raw(server.url).join(), raw(server.url).join()
    began, change = threading.Event(), threading.Event()
    seen: list[str] = []

    def read() -> None:
        for client in app.clients:
            seen.append(client.id)
            began.set()
            change.wait(TIMEOUT)

    here = [client.id for client in app.clients]
    reader = threading.Thread(target=read)
    reader.start()
    assert began.wait(TIMEOUT)
    first.close()
    raw(server.url).join()
    wait_for(lambda: here[0] not in app.clients, "the leave")
    change.set()
    reader.join(TIMEOUT)
    assert seen == here


def test_8_2_connect_callbacks_in_order_with_pushes_and_errors(
    serve: Serve, raw: MakeRaw, caplog: pytest.LogCaptureFixture
) -> None:
    app = _app()
    sync, coroutine = Calls(), Calls()

    @app.callback_connect
    def broken(client: Client, connect: bool) -> None:
        raise RuntimeError("nobody is harmed")

    @app.callback_connect
    def first(client: Client, connect: bool) -> Any:
        sync((client.id, connect, client.id in app.clients, len(app.clients)))
        return {"mine": {"children": f"for {client.id}"}} if connect else None

    @app.callback_connect
    async def second(client: Client, connect: bool) -> None:
        coroutine((client.id, connect, client.id in app.clients, len(app.clients)))

    server = serve(app)
    one = raw(server.url).join()
    tab = one.welcome["tab"]
    until_all(one, ("mine", "children", f"for {tab}"))  # it may come before the layout
    assert sync.next() == coroutine.next() == (tab, True, True, 1)
    two = raw(server.url).join()
    until_all(two, ("mine", "children", f"for {two.welcome['tab']}"))
    assert sync.next() == coroutine.next() == (two.welcome["tab"], True, True, 2)

    app.push_mods({"greeting": {"children": "marker"}})
    one.until_value("greeting", "children", "marker")
    assert f"for {two.welcome['tab']}" not in str(one.seen), "what a connect callback returns is for that client"
    one.close()
    assert sync.next() == coroutine.next() == (tab, False, False, 1)
    assert caplog.text.count("broken failed for client") == 3


def test_8_2_a_leave_waits_for_the_join_of_that_client_only(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    calls, go = Calls(), threading.Event()

    @app.callback_connect
    def slow(client: Client, connect: bool) -> None:
        calls((client.user_agent, connect, "begins"))
        if client.user_agent == "slow" and connect:
            assert go.wait(TIMEOUT)
        calls((client.user_agent, connect, "ends"))

    server = serve(app)
    page = raw(server.url, headers={"User-Agent": "slow"}).join()
    assert calls.next() == ("slow", True, "begins")
    page.close()
    wait_for(lambda: len(app.clients) == 0, "the leave")
    raw(server.url, headers={"User-Agent": "quick"}).join()
    assert calls.take(2) == [("quick", True, "begins"), ("quick", True, "ends")]
    go.set()
    assert calls.take(3) == [("slow", True, "ends"), ("slow", False, "begins"), ("slow", False, "ends")]


def test_8_3_a_short_drop_is_no_leave(serve: Serve, raw: MakeRaw) -> None:
    app = _app(leave_after=60)
    calls = Calls()
    app.callback_connect(lambda client, connect: calls((client.id, connect)))
    server = serve(app)
    page = raw(server.url).join()
    client = app.clients[0]
    assert calls.next() == (client.id, True)
    page.drop()
    wait_for(lambda: not client.connected, "the drop")
    assert client.id in app.clients

    back = raw(server.url)
    back.resume(page)
    assert back.welcome["tab"] == client.id
    assert app.clients[0] is client
    assert client.connected
    back.close()
    assert calls.next() == (client.id, False), "the next that is told is the closed tab, which leaves at once"
    assert calls.none_left


def test_8_3_a_long_drop_is_a_leave_and_the_tab_may_come_back(serve: Serve, raw: MakeRaw) -> None:
    app = _app(leave_after=0.01)
    calls = Calls()
    app.callback_connect(lambda client, connect: calls((client.id, connect)))
    server = serve(app)
    page = raw(server.url).join()
    client = app.clients[0]
    client.settings = {"theme": "dark"}
    joined = client.connect_time
    page.drop()
    assert calls.take(2) == [(client.id, True), (client.id, False)]
    assert len(app.clients) == 0

    _again(raw, server, page)
    assert calls.next() == (client.id, True)
    assert app.clients[0].settings == {"theme": "dark"}
    assert app.clients[0].connect_time > joined


def test_8_3_tabs_are_kept_ten_minutes_and_ten_thousand() -> None:
    assert (KEEP_SECONDS, KEEP_TABS) == (600, 10_000)
    sessions = Sessions()

    def leaves(number: int, at: float) -> Any:
        session = sessions.open(Hello(VERSION, f"page {number}", "b"), Client)
        sessions.left(session, at)
        return session

    first, second = leaves(0, 0.0), leaves(1, 1.0)
    leaves(2, 600.5)
    assert sessions.get(first.token) is None
    assert sessions.get(second.token) is second
    crowd = [leaves(3 + number, 600.6) for number in range(KEEP_TABS - 1)]
    assert sessions.get(second.token) is None
    assert sum(1 for _ in sessions) == KEEP_TABS
    assert sessions.get(crowd[0].token) is crowd[0]


def test_8_4_the_public_id_resumes_nothing(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    server = serve(app)
    page = raw(server.url).join()
    known = page.welcome

    thief = raw(server.url).join(tab=known["tab"])
    assert thief.welcome["tab"] != known["tab"]
    guess = raw(server.url).join(tab=known["tab"], token="x" * len(known["token"]))
    assert guess.welcome["tab"] != known["tab"]
    duplicate = _again(raw, server, page)
    assert duplicate.welcome["tab"] != known["tab"]
    assert duplicate.welcome["token"] != known["token"]
    assert len({client.id for client in app.clients}) == 4
    page.change("nothing", "value", 1)
    page.until("nack", n=1)  # the first one is still there
    page.drop()
    wait_for(lambda: not app.clients[known["tab"]].connected, "the line to be lost")
    assert raw(server.url).join(token=known["tab"]).welcome["tab"] != known["tab"], "the public id is no token"


def test_8_4_tabs_of_one_browser_are_clients_of_their_own(serve: Serve, tab: Any) -> None:
    app = _app()
    server = serve(app)
    first = tab(server.url)
    second = tab(server.url, context=first.context)
    with first.context.expect_page() as opened:
        first.evaluate("open(location.href)")  # copies sessionStorage
    copy = opened.value
    copy.wait_for_function("() => window.dash_devices?.status === 'connected'")
    pages = (first, second, copy)
    ids = [page.evaluate("dash_devices.tab") for page in pages]
    assert len(set(ids)) == 3
    assert {client.id for client in app.clients} == set(ids)
    for page, id in zip(pages, ids, strict=True):
        app.push_mods({"mine": {"children": f"for {id}"}}, client=id)
        page.wait_for_function("(text) => mine.textContent === text", arg=f"for {id}")

    copy.close()
    wait_for(lambda: ids[2] not in app.clients, "the closed tab's leave, at once")
    first.reload()
    first.wait_for_function("() => window.dash_devices?.status === 'connected'")
    assert first.evaluate("dash_devices.tab") == ids[0], "a reload is the same client"


def test_8_5_the_context_names_the_client_that_asked(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    app.layout = html.Div([dcc.Input(id="a", value=0), *(html.Div(id=f"d{number}") for number in range(5))])
    shared, chained = Calls(), Calls()

    @app.callback_shared(Output("d0", "children"), [Input("a", "value")])
    def first(value: Any) -> Any:
        shared(callback_context.client)
        return value

    @app.callback_shared(Output("d1", "children"), [Input("d0", "children")])
    async def second(value: Any) -> Any:
        chained(callback_context.client)
        return value

    @app.callback(Output("d2", "children"), [Input("a", "n_blur")])
    def regular(value: Any) -> str:
        return callback_context.client.id

    @app.callback(Output("d3", "children"), [Input("a", "n_blur")])
    async def regular_async(value: Any) -> str:
        return callback_context.client.id

    @app.callback_s2(Output("d4", "children"), [Input("a", "n_blur")])
    def serialized(value: Any) -> str:
        return callback_context.client.id

    server = serve(app)
    assert (shared.next(), chained.next()) == (None, None), "at startup nobody asked"
    pages = [raw(server.url).join(), raw(server.url).join()]
    for number, page in enumerate(pages, 1):
        client = app.clients[page.welcome["tab"]]
        page.change("a", "value", number)
        assert shared.next() is client
        assert chained.next() is client
        for output in ("d2", "d3", "d4"):
            reply = ask_regular(page, f"{output}.children", [("a", "n_blur", 1)])
            assert reply["body"]["response"] == {output: {"children": client.id}}
    app.push_mods({"a": {"value": 3}})
    assert (shared.next(), chained.next()) == (None, None), "nor by a push"
