"""Section 7, push_mods: its forms, and from where."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

from dash_devices.dependencies import Input, Output

from ..support import TIMEOUT, Raw, wait_for, wire_id
from .helpers import Calls, dependency, props_of
from .tools import make_app, push_and_wait

LAMP = {"type": "lamp", "index": 1}


# ---- 7.1 ---------------------------------------------------------------------------------------------------------------
FORMS = {
    "dict": ({"a": {"children": 1, "title": 2}, "b": {"children": 3}}, ["a.children", "a.title", "b.children"]),
    "output": (Output("a", "children", 1), ["a.children"]),
    "output with a dict id": (Output(LAMP, "children", 1), ["lamp.children"]),
    "outputs": ([Output("a", "children", 1), Output(LAMP, "title", 2)], ["a.children", "lamp.title"]),
    "tuple": ((Output("a", "children", 1), Output("b", "children", 2)), ["a.children", "b.children"]),
    "rows": (
        [{"id": "a", "property": "children", "value": 1}, {"id": LAMP, "property": "title", "value": 2}],
        ["a.children", "lamp.title"],
    ),
    "tuple of rows": (({"id": "a", "property": "children", "value": 1},), ["a.children"]),
    "a bool as value": (Output("a", "hidden", True), ["a.hidden"]),
    "none as value": (Output("a", "children", None), ["a.children"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_7_1_forms(serve: Callable[..., Any], raw: Callable[..., Raw], form: str) -> None:
    mods, wanted = FORMS[form]
    app = make_app(html.Div(id="a"), html.Div(id="b"), html.Div(id=LAMP))
    url = serve(app).url
    pages = [raw(url).join(), raw(url).join()]
    app.push_mods(mods)
    named = {"a": "a", "b": "b", "lamp": wire_id(LAMP)}
    keys = [[named[id], property] for id, _, property in (key.partition(".") for key in wanted)]
    for page in pages:
        message = page.until("mods")
        assert [triple[:2] for triple in message["mods"]] == keys, "one atomic mod"
    values = {"a.hidden": True} if "bool" in form else {"a.children": None} if "none" in form else {}
    for number, key in enumerate(wanted, 1):
        id = LAMP if key.startswith("lamp") else key.partition(".")[0]
        assert app.get(id, key.partition(".")[2]) == values.get(key, number)


@pytest.mark.parametrize(
    "mods",
    [
        7,
        "text",
        None,
        {"a": 1},
        [1],
        [{"id": "a"}],
        Output("a", "children"),
        [Output("a", "children")],
        {"a": {1: 2}},
        {1: {"a": 2}},
    ],
)
def test_7_1_other_forms_are_errors(mods: Any) -> None:
    app = make_app(html.Div(id="a"))
    with pytest.raises(TypeError, match="mods"):
        app.push_mods(mods)
    assert app.get("a", "children") is None


# ---- 7.2 ---------------------------------------------------------------------------------------------------------------
def test_7_2_from_many_threads_the_order_of_seq_is_the_order_on_the_wire(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = make_app(dcc.Input(id="x"))
    heard: list[Any] = []
    app.callback_shared(None, Input("x", "value"))(heard.append)
    page = raw(serve(app).url).join()
    pushed: dict[int, Any] = {}

    def push(who: int) -> None:
        for step in range(100):
            value = [who, step]
            pushed[app.push_mods({"x": {"value": value}})] = value

    threads = [threading.Thread(target=push, args=(who,)) for who in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # what can come between will
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT)
    finally:
        sys.setswitchinterval(interval)
    assert len(pushed) == 800, "each push has a seq of its own"
    in_order = [pushed[seq] for seq in sorted(pushed)]
    page.until_value("x", "value", in_order[-1])
    sent = [(message["seq"], message["mods"][0][2]) for message in page.seen if message["type"] == "mods"]
    assert all(pushed[seq] == value for seq, value in sent)
    assert sent == sorted(sent, key=lambda one: one[0])
    wait_for(lambda: len(heard) == 800, "the callback")
    assert heard == in_order, "the order of seq is the order in the lanes"


@pytest.mark.parametrize("where", ["thread", "loop", "shared", "shared async", "regular", "connect", "hook", "layout"])
def test_7_2_from_anywhere(serve: Callable[..., Any], raw: Callable[..., Raw], where: str) -> None:
    app = make_app(html.Button(id="go"), html.Button(id="own"), html.Div(id="y"))
    seqs: list[Any] = []

    def push(*args: Any) -> None:
        seqs.append(app.push_mods({"y": {"children": where}}))

    async def push_async(*args: Any) -> None:
        push()

    if where == "layout":
        tree = app.layout
        app.layout = lambda: (push(), tree)[1]
    if where.startswith("shared"):
        app.callback_shared(None, Input("go", "n_clicks"))(push if where == "shared" else push_async)
    if where == "regular":
        app.callback(None, Input("own", "n_clicks"))(push)
    if where == "connect":
        app.callback_connect(lambda client, connect: push() if connect else None)
    if where == "hook":
        app.server.before_request(push_async)
    if where == "loop":
        app.server.before_serving(push_async)
    page = raw(serve(app).url).join()
    if where == "thread":
        push()
    if where.startswith("shared"):
        page.change("go", "n_clicks", 1)
    if where == "regular":
        press = {"id": "own", "property": "n_clicks", "value": 1}
        body = {"output": dependency(page, "own.n_clicks"), "outputs": [], "inputs": [press]}
        page.request("callback", {**body, "changedPropIds": ["own.n_clicks"]})
    wait_for(lambda: app.get("y", "children") == where, "the push")
    assert all(type(seq) is int for seq in seqs)
    app.push_mods({"y": {"title": "after"}})
    page.until_value("y", "title", "after")


def test_7_2_before_the_server_runs_it_sets_the_initial_state(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = make_app(
        dcc.Slider(0, 100, value=40, id="x"), html.Div(id="y"), html.Div("old", id="shown"), html.Button(id="go")
    )
    heard, pressed = Calls(), Calls()

    @app.callback_shared(Output("y", "children"), Input("x", "value"))
    async def result(value: int) -> str:
        heard(value)
        return f"{value} W"

    app.callback_shared(None, Input("go", "n_clicks"))(pressed)
    first = app.push_mods({"x": {"value": 60}, "shown": {"children": "new"}})
    assert app.push_mods({"x": {"value": 70}, "go": {"n_clicks": 5}}) > first
    asyncio.run(asyncio.wait_for(app.push_mods_coro({"x": {"value": 80}}), TIMEOUT))
    assert heard.none_left, "nothing runs before the server does"
    page = raw(serve(app).url)
    page.hello()
    layout = page.layout()
    assert props_of(layout, "x")["value"] == 80
    assert props_of(layout, "shown")["children"] == "new"
    assert props_of(layout, "y")["children"] == "80 W"
    assert heard.next() == 80
    push_and_wait(app, {"x": {"value": 81}})
    assert heard.next() == 81
    assert heard.none_left
    assert pressed.none_left


def test_7_2_while_it_stops_it_is_ignored(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Input(id="x"), dcc.Input(id="y"))
    calls = Calls()
    inside, go_on = threading.Event(), threading.Event()

    @app.callback_shared(None, Input("x", "value"))
    def call(value: Any) -> None:
        calls(value)
        inside.set()
        go_on.wait(TIMEOUT)

    @app.callback_shared(None, Input("y", "value"))
    async def call_async(value: Any) -> None:
        calls(value)

    seqs: list[int] = []
    app.on_shutdown(lambda: seqs.append(app.push_mods({"x": {"value": "stopping"}, "y": {"value": "stopping"}})))
    server = serve(app)
    raw(server.url).join()
    app.push_mods({"x": {"value": 1}})
    assert inside.wait(TIMEOUT)
    server.stop()
    seqs.append(app.push_mods({"x": {"value": 2}, "y": {"value": 2}}))
    asyncio.run(asyncio.wait_for(app.push_mods_coro({"x": {"value": 3}, "y": {"value": 3}}), TIMEOUT))
    go_on.set()
    assert seqs == sorted(seqs)
    assert len(seqs) == 2
    assert calls.next() == 1
    assert calls.none_left


def test_7_2_who_waits_for_a_push_is_let_go_when_the_server_stops(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = make_app(dcc.Input(id="x"))
    inside, go_on, released = threading.Event(), threading.Event(), threading.Event()

    @app.callback_shared(None, Input("x", "value"))
    def call(value: Any) -> None:
        inside.set()
        go_on.wait(TIMEOUT)

    def wait() -> None:
        push_and_wait(app, {"x": {"value": "waits in the lane"}})
        released.set()

    server = serve(app)
    raw(server.url).join()
    app.push_mods({"x": {"value": "runs"}})
    assert inside.wait(TIMEOUT)
    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    wait_for(lambda: app.get("x", "value") == "waits in the lane", "the second push")
    try:
        server.stop()
        assert released.wait(TIMEOUT)
    finally:
        go_on.set()
    waiter.join(TIMEOUT)


def test_7_2_a_page_that_does_not_read_holds_nobody_back(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(html.Div(id="y"))
    url = serve(app).url
    asleep, page = raw(url, max_queue=2).join(), raw(url).join()
    large = "x" * 1_000_000
    for step in range(60):  # far more than the buffers of a socket take
        app.push_mods({"y": {"children": [step, large]}})
        page.until_value("y", "children", [step, large])
    asleep.until_value("y", "children", [59, large])
    values = [message for message in asleep.seen if message["type"] == "mods"]
    assert len(values) < 60, "what it came too late for is skipped, and not kept"
