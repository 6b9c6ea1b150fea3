"""Section 4, when the answer to a change is sent: with its results if they come at once, and else alone, soon."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html, waker
from dash_devices.dependencies import Input, Output

from ..support import TIMEOUT, Raw

Given = Callable[..., Any]


@pytest.fixture
def long_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that may wait does so for longer than any test."""
    monkeypatch.setattr(waker, "GRACE_SECONDS", 10 * TIMEOUT)


def frame_of(page: Raw, type: str) -> list[str]:
    """The types of the messages of the newest frame that has one of this type."""
    return next(frame for frame in reversed(page.frames) if type in frame)


@pytest.mark.parametrize("form", ["in a thread", "on the loop"])
@pytest.mark.usefixtures("long_grace")
def test_4_1_the_ack_comes_with_the_results(form: str, serve: Given, raw: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value=1), html.Div(id="out")])

    def sync(value: int) -> str:
        return f"got {value}"

    async def coroutine(value: int) -> str:
        await asyncio.sleep(0.001)
        return f"got {value}"

    app.callback_shared(Output("out", "children"), Input("a", "value"))(sync if form == "in a thread" else coroutine)
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    for value in (2, 3):
        page.change("a", "value", value)
        page.until_value("out", "children", f"got {value}")
        assert frame_of(page, "ack") == ["ack", "mods"]
        other.until_value("a", "value", value)


def test_4_1_the_ack_does_not_wait_for_a_slow_callback(serve: Given, raw: Given) -> None:
    app, free = dash_devices.Dash(), threading.Event()
    app.layout = html.Div([dcc.Input(id="a", value=1), html.Div(id="out")])

    @app.callback_shared(Output("out", "children"), Input("a", "value"))
    def block(value: int) -> str:
        assert value == 1 or free.wait(TIMEOUT)
        return f"got {value}"

    page = raw(serve(app).url).join()
    for value in (2, 3, 4):
        page.until("ack", n=page.change("a", "value", value))
        assert frame_of(page, "ack") == ["ack"]
    free.set()
    page.until_value("out", "children", "got 4")


@pytest.mark.usefixtures("long_grace")
def test_4_1_an_ack_without_results_to_come_waits_for_nothing(serve: Given, raw: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value=1), dcc.Input(id="b", value=1)])
    app.share("a", "value")
    app.callback_shared(None, Input("b", "value"))(lambda value: None)
    page = raw(serve(app).url).join()
    for id in ("a", "b"):
        page.until("ack", n=page.change(id, "value", 2))
        assert frame_of(page, "ack") == ["ack"]


@pytest.mark.usefixtures("long_grace")
def test_4_1_other_messages_do_not_wait_for_an_ack(serve: Given, raw: Given) -> None:
    app, busy, free = dash_devices.Dash(), threading.Event(), threading.Event()
    app.layout = html.Div([dcc.Input(id="a", value=1), html.Div(id="out"), html.Div(id="marker")])

    @app.callback_shared(Output("out", "children"), Input("a", "value"))
    def block(value: int) -> None:
        if value > 1:
            busy.set()
            assert free.wait(TIMEOUT)

    page = raw(serve(app).url).join()
    waiting = page.change("a", "value", 2)
    assert busy.wait(TIMEOUT)
    app.push_mods({"marker": {"children": "one"}})
    page.until("ack", n=waiting)
    assert frame_of(page, "ack") == ["ack", "mods"]
    waiting = page.change("a", "value", 3)
    assert page.request("dependencies")["status"] == 200
    assert page.seen[-2] == {"type": "ack", "n": waiting, "seq": page.seen[-2]["seq"]}
    free.set()


@pytest.mark.usefixtures("long_grace")
def test_4_1_a_server_that_stops_sends_the_acks_that_wait(serve: Given, raw: Given) -> None:
    app, busy, free = dash_devices.Dash(), threading.Event(), threading.Event()
    app.layout = html.Div([dcc.Input(id="a", value=1), html.Div(id="out")])

    @app.callback_shared(Output("out", "children"), Input("a", "value"))
    def block(value: int) -> None:
        if value > 1:
            busy.set()
            free.wait(TIMEOUT)

    server = serve(app)
    page = raw(server.url).join()
    n = page.change("a", "value", 2)
    assert busy.wait(TIMEOUT)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    page.until("ack", n=n)
    assert page.closed() == 1012
    free.set()
    stopping.join(TIMEOUT)
