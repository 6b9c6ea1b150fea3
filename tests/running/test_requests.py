"""Requests of pages that ask for too much, and of those who come over HTTP alone."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

import dash_devices
from dash_devices import ALL, ctx, html, pace
from dash_devices.dash_glue import backend, bodies
from dash_devices.dependencies import Input, Output
from dash_devices.limits import PageLimits
from dash_devices.strict import MAX_ID

from ..support import TIMEOUT, Raw, ServerThread, wait_for
from .hostile import make_app

MakeRaw = Callable[..., Raw]
Serve = Callable[..., ServerThread]


def slot(id: Any, property: str = "n_blur", value: Any = 1) -> dict[str, Any]:
    return {"id": id, "property": property, "value": value}


BODY = {
    "output": "shown.children",
    "outputs": {"id": "shown", "property": "children"},
    "inputs": [slot("a")],
    "changedPropIds": ["a.n_blur"],
    "state": [],
}


def ask(page: Raw, ref: int, body: Any = BODY, route: str = "callback") -> None:
    page.send({"type": "request", "ref": ref, "route": route, "query": "", "body": body})


# ---- one message ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def answering(app: dash_devices.Dash) -> dash_devices.Dash:
    """The app with a callback that tells its trigger, and one of a wildcard that counts."""
    app.callback(Output("shown", "children"), Input("a", "n_blur"))(lambda count: f"{ctx.triggered_id} {count}")
    app.callback(Output("panel", "title"), Input({"type": "row", "index": ALL}, "n_clicks"))(lambda all: len(all))
    return app


@pytest.mark.fault("A3")
@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"output": "x" * 3_000_000}, 400),
        ({"output": 5}, 400),
        ({"inputs": [slot("x" * (MAX_ID + 1))]}, 400),
        ({"inputs": [slot("a", "p" * (MAX_ID + 1))]}, 400),
        ({"inputs": [slot({f"k{n}": n for n in range(bodies.MAX_NAMES + 1)})]}, 400),
        ({"inputs": [slot({"i": "x" * (MAX_ID + 1)})]}, 400),
        ({"inputs": [5]}, 400),
        ({"inputs": {}}, 400),
        ({"state": [[slot(5)]]}, 400),
        ({"outputs": {"id": "x" * (MAX_ID + 1), "property": "children"}}, 400),
        ({"changedPropIds": [["a.n_blur"]]}, 400),
        ({"changedPropIds": ["a.b"] * bodies.MAX_PARTS}, 413),
        ({"state": [[slot({"i": n}) for n in range(bodies.MAX_PARTS)]]}, 413),
    ],
)
def test_a_body_that_is_no_request_for_a_callback(
    answering: dash_devices.Dash, url: str, raw: MakeRaw, other: Raw, wrong: dict[str, Any], status: int, caplog: Any
) -> None:
    page = raw(url).join()
    reply = page.request("callback", {**BODY, **wrong})
    assert reply["status"] == status
    assert answering.metrics["page_requests_refused"] == 1
    assert sum(map(len, caplog.messages)) < 2_000
    assert sum("request refused" in line for line in caplog.messages) == 1
    assert page.request("callback", BODY)["body"]["response"] == {"shown": {"children": "a 1"}}


@pytest.mark.fault("A3")
@pytest.mark.parametrize("extra", [0, 1])
def test_components_of_one_request_at_their_limit(
    answering: dash_devices.Dash, url: str, raw: MakeRaw, extra: int
) -> None:
    rows = [slot({"type": "row", "index": n}, "n_clicks") for n in range(bodies.MAX_PARTS - 1 + extra)]
    body = {
        "output": "panel.title",
        "outputs": {"id": "panel", "property": "title"},
        "inputs": [rows],
        "changedPropIds": ['{"index":3,"type":"row"}.n_clicks'],
    }
    reply = raw(url).join().request("callback", body)
    assert reply["status"] == (413 if extra else 200)
    if not extra:
        assert reply["body"]["response"] == {"panel": {"title": len(rows)}}


@pytest.mark.fault("A3")
@pytest.mark.parametrize("size", [8_192, 8_193])
def test_a_query_is_as_long_as_that_of_an_address(
    answering: dash_devices.Dash, url: str, raw: MakeRaw, size: int
) -> None:
    page = raw(url).join()
    assert page.request("callback", BODY, query="a=" + "1" * (size - 2))["status"] == (413 if size > 8_192 else 200)


# ---- many requests -------------------------------------------------------------------------------------------------------
@pytest.mark.fault("A4")
@pytest.mark.parametrize("kind", ["callback", "broken"])
def test_a_page_that_asks_without_end_is_slowed_and_closed(
    serve: Serve, raw: MakeRaw, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(page_limits=PageLimits(work_per_second=0.05, flood_seconds=0.5))

    @app.callback(Output("shown", "children"), Input("a", "n_blur"))
    def answers(count: Any) -> Any:
        if kind == "broken":
            raise RuntimeError("no")
        return count

    server = serve(app)
    page, other = raw(server.url).join(), raw(server.url).join()
    sent = threading.Thread(target=flood, args=(page,), daemon=True)
    sent.start()
    assert page.closed() in (4429, 1006)
    sent.join(TIMEOUT)
    assert app.metrics["slowed_pages"] == 1
    assert app.metrics["flooding_pages"] == 1
    assert other.request("callback", BODY)["status"] == (500 if kind == "broken" else 200)
    wait_for(lambda: not app._requests.unanswered, "what it had asked for")


def flood(page: Raw) -> None:
    with contextlib.suppress(ConnectionClosed):
        for ref in range(1, 20_000):
            ask(page, ref)


@pytest.mark.fault("A4")
def test_the_time_that_requests_take_counts_for_their_page(
    serve: Serve, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read 300 of them takes some 10 ms, to answer them some 100."""
    monkeypatch.setattr(pace, "WORK_BURST", 0.05)
    app = make_app(page_limits=PageLimits(work_per_second=0.01, flood_seconds=60))
    app.callback(Output("shown", "children"), Input("a", "n_blur"))(lambda count: count)
    page = raw(serve(app).url).join()
    for ref in range(100, 400):
        ask(page, ref)
    wait_for(lambda: app.metrics.get("slowed_pages"), "the page is slowed")
    assert page.until("reply")["status"] == 200


@pytest.mark.fault("A4")
def test_what_honest_pages_ask_is_never_slowed(answering: dash_devices.Dash, url: str, raw: MakeRaw) -> None:
    """200 initial calls at once, and then a second of a mouse."""
    page = raw(url).join()
    for ref in range(1_000, 1_200 + 125):
        ask(page, ref)
    replies = [page.until("reply") for _ in range(325)]
    assert {reply["status"] for reply in replies} == {200}
    assert sorted(reply["ref"] for reply in replies) == list(range(1_000, 1_325))
    assert not answering.metrics.get("slowed_pages")


@pytest.mark.fault("A4")
def test_an_async_function_of_the_author_costs_its_page_nothing(serve: Serve, raw: MakeRaw) -> None:
    app = make_app(page_limits=PageLimits(work_per_second=0.05))

    @app.callback(Output("shown", "children"), Input("a", "n_blur"))
    async def computes(count: Any) -> Any:
        for _ in range(300_000):
            pass
        return count

    page = raw(serve(app).url).join()
    for _ in range(100):
        assert page.request("callback", BODY)["status"] == 200
    assert not app.metrics.get("slowed_pages")


@pytest.mark.fault("A15")
def test_slow_callbacks_of_one_page_delay_no_other(serve: Serve, raw: MakeRaw) -> None:
    app, go, running = make_app(), threading.Event(), list[int]()

    @app.callback(Output("shown", "children"), Input("a", "n_blur"))
    def slow(count: Any) -> Any:
        running.append(1)
        go.wait(TIMEOUT)
        return "done"

    app.callback(Output("shown", "title"), Input("a", "n_blur"))(lambda count: "quick")
    app.callback_shared(Output("panel", "children"), Input("a", "value"))(lambda value: f"got {value}")
    app.layout = lambda layout=app.layout: html.Div(layout)
    server = serve(app)
    page, other = raw(server.url).join(), raw(server.url).join()
    for ref in range(100, 500):
        ask(page, ref)
    wait_for(lambda: len(running) == 16, "its share of the threads")
    other.change("a", "value", "5")
    other.until_value("panel", "children", "got 5")
    quick = {**BODY, "output": "shown.title", "outputs": {"id": "shown", "property": "title"}}
    assert other.request("callback", quick)["body"]["response"] == {"shown": {"title": "quick"}}
    raw(server.url).join()
    assert len(running) == 16
    go.set()
    assert {page.until("reply")["status"] for _ in range(400)} == {200}


# ---- the log -------------------------------------------------------------------------------------------------------------
@pytest.mark.fault("A14")
def test_requests_that_fail_do_not_fill_the_log(serve: Serve, raw: MakeRaw, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @app.callback(Output("shown", "children"), Input("a", "n_blur"))
    def broken(count: Any) -> Any:
        raise RuntimeError("the device is on fire")

    page = raw(serve(app).url).join()
    for ref in range(300):
        ask(page, ref + 100)
    for _ in range(300):
        page.until("reply")
    written = [logging.Formatter().format(record) for record in caplog.records if record.levelno >= logging.WARNING]
    whole = [text for text in written if "Traceback" in text]
    assert len(whole) == 1
    assert "the device is on fire" in whole[0]
    assert "in broken" in whole[0]
    assert len(written) <= 130
    assert sum(map(len, written)) < 40_000


# ---- over HTTP alone -----------------------------------------------------------------------------------------------------
@pytest.fixture
def guarded(serve: Serve) -> tuple[dash_devices.Dash, str, list[Any]]:
    """An app that asks who comes, where ada alone may run the callback; its address, and whom it was asked about."""
    app, asked = make_app(), list[Any]()
    app.authenticate(lambda request: request.headers.get("x-user"))

    @app.callback_authorize_output
    def may(client: Any, output: str) -> bool:
        asked.append((client.username, client.authentication, client.address, output))
        return bool(client.username == "ada")

    app.callback(Output("shown", "children"), Input("a", "n_blur"))(lambda count: f"for {ctx.client.username}")
    app.protect(Input("a", "value"), read=lambda client: client.username != "gus")
    return app, serve(app).url, asked


def http(url: str, user: str, body: Any = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "X-User": user}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            data = reply.read()
            return reply.status, json.loads(data) if data else None
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.fault("A5")
def test_who_comes_over_http_is_asked_about_too(guarded: tuple[dash_devices.Dash, str, list[Any]]) -> None:
    _, url, asked = guarded
    assert http(f"{url}/_dash-update-component", "gus", BODY) == (204, None)
    status, reply = http(f"{url}/_dash-update-component", "ada", BODY)
    assert status == 200
    assert reply["response"] == {"shown": {"children": "for ada"}}
    assert asked == [(name, name, "127.0.0.1", "shown.children") for name in ("gus", "ada")]


@pytest.mark.fault("A6")
@pytest.mark.parametrize(("user", "shown"), [("gus", None), ("ada", "0")])
def test_rules_see_the_same_client_over_http_as_over_a_socket(
    guarded: tuple[dash_devices.Dash, str, list[Any]], raw: MakeRaw, user: str, shown: str | None
) -> None:
    _, url, _ = guarded
    layout = http(f"{url}/_dash-layout", user)[1]
    over_socket = raw(url, headers={"X-User": user})
    over_socket.hello()
    for tree in (layout, over_socket.layout()):
        assert tree["props"]["children"][0]["props"].get("value") == shown


@pytest.mark.fault("A15")
def test_calls_over_http_that_wait_for_a_thread_are_bounded(
    serve: Serve, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "MAX_UNANSWERED", 2)
    app, go, running = make_app(), threading.Event(), list[int]()

    @app.callback(Output("shown", "children"), Input("a", "n_blur"))
    def slow(count: Any) -> Any:
        running.append(1)
        go.wait(TIMEOUT)
        return "done"

    url = f"{serve(app).url}/_dash-update-component"
    share = app._thread_shares._pages
    with concurrent.futures.ThreadPoolExecutor(18) as pool:
        calls = [pool.submit(http, url, "", BODY) for _ in range(18)]
        wait_for(lambda: len(running) == 16 and share.of("address 127.0.0.1").waiting == 2, "all threads of an address")
        assert http(url, "", BODY) == (429, b"too many requests at once")
        go.set()
        assert {call.result()[0] for call in calls} == {200}


def test_a_body_over_http_is_checked_likewise(answering: dash_devices.Dash, url: str) -> None:
    status, text = http(f"{url}/_dash-update-component", "", {**BODY, "output": "no.such"})
    assert (status, text) == (400, b"output: expected that of a callback")
    assert http(f"{url}/_dash-update-component", "", BODY)[0] == 200
