"""Section 4, what components change by themselves, and what they report when they are mounted; pages without a browser."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output, State

from ..support import Raw
from .helpers import Calls, ask_regular, dependency, recorder, until_all

Given = Callable[..., Any]


def _app(calls: Calls) -> dash_devices.Dash:
    app = dash_devices.Dash()
    app.layout = html.Div(
        [dcc.Dropdown(["a", "b"], "a", id="port"), dcc.Input(id="other", value=1), html.Div(id="said")]
    )
    listener = app.callback_shared(Output("said", "children"), Input("port", "value"), prevent_initial_call=True)
    listener(recorder(calls))
    app.share("other", "value")
    return app


@pytest.mark.fault("F4")
def test_4_7_a_change_of_a_component_itself_does_not_undo_what_is_newer(
    serve: Given, raw: Given, caplog: pytest.LogCaptureFixture
) -> None:
    calls = Calls()
    app = _app(calls)
    page, other = (raw(url).join() for url in [serve(app).url] * 2)
    base = page.seq
    app.push_mods({"port": {"value": "b"}})
    assert calls.next() == "b"
    with caplog.at_level(logging.DEBUG, "dash_devices.clients"):
        nack = page.until("nack", n=page.changes([("port", "value", None)], base=base))
    assert (nack["code"], nack["values"]) == ("outdated", [])
    page.until_value("port", "value", "b")
    assert "refused" not in caplog.text
    assert app.metrics["changes_outdated"] == 1
    assert app.metrics.get("changes_refused", 0) == 0
    other.change("other", "value", 2)  # what comes after it is carried out
    page.until_value("other", "value", 2)
    assert (app.get("port", "value"), calls.none_left) == ("b", True)


@pytest.mark.fault("F4")
def test_4_7_one_outdated_value_refuses_the_whole_change(serve: Given, raw: Given) -> None:
    calls = Calls()
    app = _app(calls)
    page = raw(serve(app).url).join()
    base = page.seq
    app.push_mods({"port": {"value": "b"}})
    n = page.changes([("other", "value", 9), ("port", "value", None)], base=base)
    assert page.until("nack", n=n)["code"] == "outdated"
    until_all(page, ("port", "value", "b"), ("other", "value", 1))
    assert app.get("other", "value") == 1


@pytest.mark.fault("F5")
def test_4_7_a_change_of_a_component_itself_is_a_change(serve: Given, raw: Given) -> None:
    calls = Calls()
    app = _app(calls)
    page, other = (raw(url).join() for url in [serve(app).url] * 2)
    page.until("ack", n=page.changes([("port", "value", None)], base=page.seq))
    other.until_value("port", "value", None)
    assert calls.next() is None


@pytest.mark.fault("F4")
def test_4_7_a_change_of_a_component_itself_follows_its_own_page(serve: Given, raw: Given) -> None:
    """What the page changed meanwhile it has seen, whatever seq that got."""
    calls = Calls()
    app = _app(calls)
    page = raw(serve(app).url).join()
    base = page.seq
    page.until("ack", n=page.change("port", "value", "b"))
    page.until("ack", n=page.changes([("port", "value", None)], base=base))
    assert calls.take(2) == ["b", None]


@pytest.mark.fault("F4")
def test_4_8_a_component_that_reports_by_itself_what_the_server_has_runs_nothing(serve: Given, raw: Given) -> None:
    """Three tabs that repair alike are one call of the device."""
    calls = Calls()
    app = _app(calls)
    pages = [raw(url).join() for url in [serve(app).url] * 3]
    base = pages[0].seq
    acks = [page.until("ack", n=page.changes([("port", "value", None)], base=base)) for page in pages]
    assert len({ack["seq"] for ack in acks}) == 1
    assert calls.next() is None
    pages[0].until("ack", n=pages[0].change("port", "value", "a"))
    assert calls.next() == "a"
    assert all(page.held.seqs["port.value"] >= acks[0]["seq"] for page in pages)


def test_4_8_a_number_is_the_same_in_both_spellings_and_true_is_none(serve: Given, raw: Given) -> None:
    calls = Calls()
    app = _app(calls)
    app.push_mods({"port": {"value": 1.0}})
    page = raw(serve(app).url).join()
    page.until("ack", n=page.changes([("port", "value", 1)], base=page.seq))
    page.until("ack", n=page.changes([("port", "value", True)], base=page.seq))
    assert calls.next() is True
    assert calls.none_left


def test_4_8_values_of_different_times_are_sent_again_instead_of_confirmed(serve: Given, raw: Given) -> None:
    calls = Calls()
    app = _app(calls)
    page = raw(serve(app).url).join()
    base = page.seq
    app.push_mods({"port": {"value": "b"}})
    app.push_mods({"other": {"value": 7}})
    n = page.changes([("port", "value", "b"), ("other", "value", 7)], base=base)
    assert page.until("nack", n=n)["code"] == "outdated"


@pytest.mark.fault("F5")
def test_4_7_a_null_is_never_adopted(serve: Given, raw: Given) -> None:
    """The first page that has no position must not decide that there is none."""
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Geolocation(id="fix"), html.Div(id="said")])
    app.callback_shared(Output("said", "children"), Input("fix", "position"), prevent_initial_call=True)(
        recorder(calls)
    )
    url = serve(app).url
    office, phone = raw(url).join(), raw(url).join()
    office.send({"type": "mount", "values": [["fix", "position", None]]})
    phone.send({"type": "mount", "values": [["fix", "position", {"lat": 1}]]})
    for page in (office, phone):
        page.until_value("fix", "position", {"lat": 1})
    phone.until("ack", n=phone.changes([("fix", "position", {"lat": 2})], base=phone.seq))
    assert calls.next() == {"lat": 2}
    assert calls.none_left


@pytest.mark.fault("K2")
def test_4_7_unknown_that_turns_into_null_is_no_change(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([html.Button(id="go"), html.Div(id="said")])
    app.callback_shared(Output("said", "children"), Input("go", "n_clicks"))(recorder(calls))
    page = raw(serve(app).url).join()
    assert calls.next() is None
    page.send({"type": "mount", "values": [["go", "n_clicks", None]]})
    page.until("ack", n=page.change("go", "n_clicks", 1))
    assert calls.next() == 1
    assert calls.none_left


@pytest.mark.fault("F6")
def test_2_3_a_mount_carries_state(serve: Given, raw: Given) -> None:
    """A component that only this page shows makes a callback run: with the State of this page."""
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([html.Div(id="said"), html.Div(id="box")])
    wild = {"type": "gain", "index": dash_devices.dependencies.ALL}

    @app.callback_shared(Output("said", "children"), Input(wild, "value"), State("note", "value"))
    def record(values: list[Any], note: Any) -> str:
        calls((values, note))
        return "x"

    page = raw(serve(app).url).join()
    assert calls.next() == ([], None)
    id = '{"index":1,"type":"gain"}'
    page.send({"type": "mount", "values": [[id, "value", 5]], "state": [["note", "value", "mine"]]})
    assert calls.next() == ([5], "mine")


@pytest.mark.fault("F6")
def test_2_3_state_of_components_that_a_regular_result_brings(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="page", value="1"), html.Div(id="box"), html.Div(id="said")])

    @app.callback(Output("box", "children"), Input("page", "value"))
    def fill(_: Any) -> Any:
        return [dcc.Input(id="gain", value=3), dcc.Input(id="unit", value="dB")]

    @app.callback_shared(
        Output("said", "children"), Input("gain", "value"), State("unit", "value"), State("gain", "id")
    )
    def record(*values: Any) -> str:
        calls(values)
        return "x"

    page: Raw = raw(serve(app).url).join()
    ask_regular(page, dependency(page, "page.value"), [("page", "value", "1")])
    assert calls.next() == (3, "dB", "gain")


@pytest.mark.fault("F6")
def test_2_3_the_id_is_a_state_of_every_component(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    row = {"type": "gain", "index": 4}
    app.layout = html.Div([dcc.Input(id=row, value=1), html.Div(id={"type": "said", "index": 4})])
    match = dash_devices.dependencies.MATCH

    @app.callback_shared(
        Output({"type": "said", "index": match}, "children"),
        Input({"type": "gain", "index": match}, "value"),
        State({"type": "gain", "index": match}, "id"),
    )
    def record(value: Any, id: Any) -> str:
        calls((value, id))
        return "x"

    page = raw(serve(app).url).join()
    assert calls.next() == (1, row)
    page.change(row, "value", 2, state=[(row, "id", "another")])
    assert calls.next() == (2, row)
    page.send({"type": "mount", "values": [['{"index":5,"type":"gain"}', "value", 3]]})
    assert calls.next() == (3, {"type": "gain", "index": 5}), "of a component of which nothing else is known"
