"""Section 10.4: what was done long ago is not carried out now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from ..support import Raw
from .helpers import Calls, recorder

HOUR = 3_600_000


def _app(calls: Calls, **options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div([dcc.Input(id="a", value="0"), html.Div(id="shown")])
    app.callback_shared(Output("shown", "children"), [Input("a", "value")], prevent_initial_call=True)(
        recorder(calls, str)
    )
    return app


def _now() -> float:
    return time.time() * 1000


@pytest.mark.parametrize("fast", [0, HOUR, -HOUR], ids=["right", "fast", "slow"])
def test_10_4_a_click_from_yesterday_moves_no_motor(
    serve: Callable[..., Any], raw: Callable[..., Raw], fast: float
) -> None:
    calls = Calls()
    page = raw(serve(_app(calls)).url, clock=fast).join()
    yesterday = page.changes([("a", "value", "old")], at=_now() + fast - 24 * HOUR)
    answer = page.until("nack", n=yesterday)
    assert answer["code"] == "too_old"
    assert "86400 s old; it was not carried out" in answer["message"]
    assert answer["values"] == [["a", "value", "0"]]
    page.changes([("a", "value", "new")], at=_now() + fast)
    assert calls.next() == "new"
    assert calls.none_left


def test_10_4_the_number_is_looked_up_first(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    calls = Calls()
    page = raw(serve(_app(calls)).url).join()
    page.change("a", "value", "x")
    first = page.until("ack", n=1)
    page.n = 0
    page.changes([("a", "value", "x")], at=_now() - HOUR)
    assert page.until("ack", n=1) == first
    assert calls.next() == "x"
    assert calls.none_left


@pytest.mark.parametrize(("option", "answer"), [(None, "ack"), (2 * HOUR / 1000, "ack"), (5.0, "nack")])
def test_10_4_the_age_is_an_option(
    serve: Callable[..., Any], raw: Callable[..., Raw], option: float | None, answer: str
) -> None:
    page = raw(serve(_app(Calls(), max_change_age=option)).url).join()
    page.changes([("a", "value", "x")], at=_now() - HOUR)
    assert page.until(answer, n=1)
