"""Section 4, a change made in a page: reports that components make by themselves, seen by pages without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html, vitals
from dash_devices.dependencies import Input, Output

from ..support import Raw
from .helpers import Calls, recorder, until_all

Given = Callable[..., Any]
pytestmark = pytest.mark.fault("F4")


def make_app() -> tuple[dash_devices.Dash, Calls]:
    """A control whose calls are recorded, and one that the server sets."""
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="old"), dcc.Input(id="b", value="old")])
    app.callback_shared(None, Input("a", "value"), lane="one")(recorder(calls))
    app.callback_shared(Output("b", "value"), Input("a", "value"), lane="one", prevent_initial_call=True)(
        lambda value: f"<{value}>"
    )
    app.callback_shared(None, Input("b", "value"), lane="one")(recorder(calls))
    return app, calls


def seq_of(page: Raw, id: str, value: Any) -> int:
    """Receive until a value has come; its seq in that page."""
    until_all(page, (id, "value", value))
    return page.held.seqs[f"{id}.value"]


def answer(page: Raw, n: int) -> dict[str, Any]:
    """The answer to a change of the page: an ack or a nack."""
    while True:
        message = page.receive()
        if message["type"] in ("ack", "nack") and message["n"] == n:
            return message


def test_4_7_a_report_against_an_older_value_is_dropped(
    serve: Given, raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app, calls = make_app()
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    base = page.seq
    other.change("a", "value", "by another page")
    assert calls.take(2) == ["by another page", "<by another page>"]
    for id, newer in (("a", "by another page"), ("b", "<by another page>")):
        nack = answer(page, page.changes([(id, "value", None)], base=base))
        assert (nack.get("code"), nack.get("values")) == ("outdated", [])
        assert app.get(id, "value") == newer
    page.changes([("a", "value", "now")], base=seq_of(page, "a", "by another page"))
    assert calls.take(2) == ["now", "<now>"]
    assert calls.none_left
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


def test_4_7_what_the_server_pushed_is_newer_too(serve: Given, raw: Callable[..., Raw]) -> None:
    app, calls = make_app()
    page = raw(serve(app).url).join()
    base = page.seq
    app.push_mods({"a": {"value": "pushed"}})
    assert calls.take(2) == ["pushed", "<pushed>"]
    assert answer(page, page.changes([("a", "value", None)], base=base)).get("code") == "outdated"
    assert calls.none_left


def test_4_7_what_the_page_itself_said_is_not_newer(serve: Given, raw: Callable[..., Raw]) -> None:
    app, calls = make_app()
    page = raw(serve(app).url).join()
    base = page.seq
    page.change("a", "value", "mine")
    page.until("ack", n=page.changes([("a", "value", "repaired")], base=base))  # said before the first one was answered
    assert sorted(calls.take(4)) == ["<mine>", "<repaired>", "mine", "repaired"]
    assert app.get("a", "value") == "repaired"


def test_4_7_a_change_by_somebody_needs_no_base(serve: Given, raw: Callable[..., Raw]) -> None:
    app, calls = make_app()
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    other.until("ack", n=other.change("a", "value", "by another page"))
    page.until("ack", n=page.change("a", "value", "mine"))
    assert sorted(calls.take(4)) == ["<by another page>", "<mine>", "by another page", "mine"]
    assert app.get("a", "value") == "mine"


@pytest.mark.parametrize("is_known", [True, False])
def test_4_8_a_report_that_equals_the_servers_value_runs_nothing(
    is_known: bool, serve: Given, raw: Callable[..., Raw]
) -> None:
    app, calls = make_app()
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    base = page.seq
    other.changes([("a", "value", None)], base=other.seq)
    assert calls.take(2) == [None, "<None>"]
    seq = seq_of(page, "a", None)
    given = answer(page, page.changes([("a", "value", None)], base=seq if is_known else base))
    assert given["type"] == "ack" or not is_known
    other.change("a", "value", "end")
    assert calls.take(2) == ["end", "<end>"]
    assert calls.none_left


def test_4_8_the_hash_holds_after_reports_that_changed_nothing(
    serve: Given, raw: Callable[..., Raw], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "PING_SECONDS", 0.1)
    monkeypatch.setattr(vitals, "CHECK_EVERY", 1)
    app, _ = make_app()
    url = serve(app).url
    page, other = raw(url, pong=False).join(), raw(url).join()
    base = page.seq
    other.until("ack", n=other.changes([("a", "value", None)], base=other.seq))
    seq = seq_of(page, "a", None)
    assert answer(page, page.changes([("a", "value", None)], base=seq))["type"] == "ack"
    assert answer(page, page.changes([("a", "value", "late")], base=base))["type"] == "nack"
    page.pong(page.until("ping", check=True))
    page.until("ack", n=page.change("a", "value", "end"))  # the pong was read before it
    assert app.metrics["divergences"] == 0


def test_4_7_null_is_never_adopted(serve: Given, raw: Callable[..., Raw]) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([html.Div(id="box"), html.Div(id="out")])
    app.callback_shared(Output("out", "children"), Input("sensor", "position"))(recorder(calls, "seen"))
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.send({"type": "mount", "values": [["sensor", "position", None]], "state": []})
    assert calls.next() is None  # its id is known now: it runs once
    assert app.metrics["seq"] == 1 + page.seq
    other.send({"type": "mount", "values": [["sensor", "position", {"lat": 1}]], "state": []})
    assert calls.next() == {"lat": 1}
    page.until_value("sensor", "position", {"lat": 1})
    assert calls.none_left
