"""What a page may say, and what it may count on after its line was lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html
from quart import request

import dash_devices
from dash_devices import Patch
from dash_devices.dependencies import ALL, Input, Output, State

from ..semantics.helpers import Calls, ask_regular
from ..support import TIMEOUT, Raw, wait_for

Serve = Callable[..., Any]
Open = Callable[..., Raw]
ROW = {"type": "row", "index": 7}


def app_with_rows(*children: Any, **options: Any) -> tuple[dash_devices.Dash, Calls]:
    app, calls = dash_devices.Dash(__name__, **options), Calls()
    app.layout = html.Div([html.Div(id="out"), html.Div(id="shown"), dcc.Store(id="box", data=0), *children])

    @app.callback_shared(None, Input({"type": "row", "index": ALL}, "value"))
    def rows(values: list[Any]) -> None:
        calls(values)

    app.share("box", "data")
    return app, calls


def with_row(page: Raw) -> Raw:
    page.join()
    page.send({"type": "mount", "values": [['{"index":7,"type":"row"}', "value", 1]]})
    return page


def test_a_page_that_left_and_came_back_may_change_what_it_had_announced(serve: Serve, raw: Open) -> None:
    app, calls = app_with_rows(leave_after=0.05)
    server = serve(app)
    page = with_row(raw(server.url))
    page.change(ROW, "value", 2)
    assert calls.next() == [2]
    page.until("ack")
    page.drop()
    wait_for(lambda: not len(app.clients), "the client leaves")
    back = raw(server.url)
    assert back.resume(page)["mode"] == "delta"
    back.change(ROW, "value", 3)
    assert back.until("ack", n=2)
    assert calls.next() == [3]


def test_what_an_earlier_page_load_had_announced_is_forgotten(serve: Serve, raw: Open) -> None:
    app, calls = app_with_rows(html.Button(id="go"))

    @app.callback_shared(None, Input("go", "n_clicks"), State({"type": "row", "index": ALL}, "value"))
    def count(n: int, values: list[Any]) -> None:
        calls(len(values))

    server = serve(app)
    page = with_row(raw(server.url))
    page.change(ROW, "value", 2)
    page.until("ack")
    assert calls.next() == [2]
    page.drop()
    known = {key: page.welcome[key] for key in ("tab", "token")}
    wait_for(lambda: not app.clients[0].connected, "the line is seen to be lost")
    raw(server.url).join(**known)
    app.push_mods({"go": {"n_clicks": 1}})
    assert calls.next() == 0


def test_a_component_called_page_takes_nothing_from_the_pages(serve: Serve, raw: Open) -> None:
    app, calls = app_with_rows()
    server = serve(app)
    page = with_row(raw(server.url))
    app.push_mods({"shown": {"children": html.Div(id="page")}})
    app.push_mods({"shown": {"children": html.Div(id="other")}})
    page.change(ROW, "value", 2)
    assert calls.next() == [2]


@pytest.mark.parametrize("index", ["[1]", "null", '{"a":1}'])
def test_an_id_that_no_component_can_have_is_nobodys(serve: Serve, raw: Open, index: str) -> None:
    app, calls = app_with_rows()
    server = serve(app)
    page, other = raw(server.url).join(), with_row(raw(server.url))
    page.send({"type": "mount", "values": [[f'{{"index":{index},"type":"row"}}', "value", 1]]})
    page.change("box", "data", 1)
    assert page.until("ack")
    other.change(ROW, "value", 2)
    assert calls.next() == [2]


def component(id: Any, **props: Any) -> dict[str, Any]:
    return {"namespace": "dash_html_components", "type": "Div", "props": {"id": id, **props}}


def test_a_value_from_a_page_cannot_carry_values_of_what_is_not_watched(serve: Serve, raw: Open) -> None:
    app, _ = app_with_rows(html.Div(id="panel"))
    app.share("panel", "children", components=True)
    server = serve(app)
    page = raw(server.url).join()
    app.push_mods({"shown": {"children": "mine"}})
    page.change("box", "data", component("shown", children="theirs"))
    page.until("nack")
    page.change("panel", "children", component("shown", children="theirs"))
    page.until("ack")
    assert app.get("shown", "children") == "mine"


@pytest.mark.parametrize("id", [5, ["a"], {"a": [1]}, {"a": None}])
def test_a_value_from_a_page_that_looks_like_a_component_does_no_harm(serve: Serve, raw: Open, id: Any) -> None:
    app, _ = app_with_rows(html.Div(id="panel"))
    app.share("panel", "children", components=True)
    server = serve(app)
    page, other = raw(server.url).join(), raw(server.url).join()
    page.change("panel", "children", component(id))
    page.until("ack")
    other.until_value("panel", "children", component(id))


def test_points_that_fit_no_figure_are_refused(serve: Serve, raw: Open) -> None:
    app, _ = app_with_rows(dcc.Graph(id="graph", figure={"data": [{"y": [1]}]}))
    app.share("graph", "extendData")
    server = serve(app)
    page = raw(server.url).join()
    page.change("graph", "extendData", "nonsense")
    assert page.until("nack", n=1)["code"] == "bad_value"
    page.change("box", "data", 1)
    assert page.until("ack", n=2)


def test_a_layout_that_was_asked_for_twice_counts_once(serve: Serve, raw: Open) -> None:
    app, _ = app_with_rows(html.Div(id="list", children=["a"]))
    made, opened = threading.Event(), threading.Event()
    opened.set()

    @app.server.after_request  # type: ignore[untyped-decorator]
    async def hold(response: Any) -> Any:
        made.set()
        await asyncio.to_thread(opened.wait, TIMEOUT)
        return response

    app.share("list", "children")
    patch = Patch()
    patch.append("b")
    server = serve(app)
    page = raw(server.url)
    page.hello()
    page.send({"type": "request", "ref": 1, "route": "layout", "query": "", "body": None})
    page.until("reply", ref=1)
    opened.clear()
    made.clear()
    page.send({"type": "request", "ref": 1, "route": "layout", "query": "", "body": None})
    assert made.wait(TIMEOUT)
    app.push_mods({"list": {"children": patch}})
    page.until("mods")
    opened.set()
    page.request("dependencies")
    page.quiet()
    app.push_mods({"out": {"children": "end"}})
    page.until_value("out", "children", "end")
    sent = [t for m in page.seen for t in m.get("mods", []) if t[0] == "list"]
    assert len(sent) == 1


def test_private_events_for_a_page_that_does_not_read_are_bounded(serve: Serve, raw: Open) -> None:
    app, _ = app_with_rows()
    server = serve(app)
    raw(server.url).join()
    client = app.clients[0]
    session = app._hub.session_of(client)
    assert session is not None
    assert session.link is not None
    session.link.paused()  # type: ignore[attr-defined]
    for number in range(5_000):
        app.push_mods({"file": {"data": {"content": f"{number}"}}, "n": {"extendData": number}}, client)
    assert len(session.outbox) <= 2_100


def test_nothing_is_kept_for_a_page_without_a_line(serve: Serve, raw: Open) -> None:
    app, _ = app_with_rows()
    server = serve(app)
    page = raw(server.url).join()
    client = app.clients[0]
    page.close()
    wait_for(lambda: not len(app.clients), "the client leaves")
    for number in range(100):
        app.push_mods({"n": {"extendData": number}}, client)
    session = app._hub.session_of(client)
    assert session is not None
    assert len(session.outbox) == 0


def test_a_page_that_asks_on_and_reads_nothing_is_closed(serve: Serve, raw: Open) -> None:
    app, _ = app_with_rows()
    server = serve(app)
    page, other = raw(server.url).join(), raw(server.url).join()
    session = app._hub.session_of(page.welcome["tab"])
    assert session is not None
    assert session.link is not None
    session.link.paused()  # type: ignore[attr-defined]
    for number in range(1_025):
        page.change("box", "data", number)
    assert page.closed() == 4429
    other.change("box", "data", -1)
    assert other.until("ack", n=1)


def test_a_result_holds_the_values_of_the_moment_it_is_sent(serve: Serve, raw: Open) -> None:
    app, _ = app_with_rows(html.Button(id="go"), html.Div(id="panel"))
    made, opened = threading.Event(), threading.Event()

    @app.callback(Output("panel", "children"), Input("go", "n_clicks"))
    def show(n: int) -> Any:
        return html.Div(id="reading", children="?")

    @app.server.after_request  # type: ignore[untyped-decorator]
    async def hold(response: Any) -> Any:
        if request.path.endswith("_dash-update-component"):
            made.set()
            await asyncio.to_thread(opened.wait, TIMEOUT)
        return response

    server = serve(app)
    page = raw(server.url).join()
    app.push_mods({"reading": {"children": "old"}})
    page.until_value("reading", "children", "old")
    answer: list[dict[str, Any]] = []
    asking = threading.Thread(
        target=lambda: answer.append(ask_regular(page, "panel.children", [("go", "n_clicks", 1)]))
    )
    asking.start()
    assert made.wait(TIMEOUT)
    app.push_mods({"reading": {"children": "new"}})
    wait_for(lambda: ["reading", "children", "new"] in [t for m in page.seen for t in m.get("mods", [])], "the mod")
    opened.set()
    asking.join(TIMEOUT)
    assert answer[0]["body"]["response"]["panel"]["children"]["props"]["children"] == "new"
