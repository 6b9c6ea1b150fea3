"""Section 4, a change made in a page: what the server makes of it, seen by pages without a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from ..support import Raw, wait_for
from .helpers import Calls, dependency, recorder, until_all

Given = Callable[..., Any]


def of_type(page: Raw, type: str) -> list[dict[str, Any]]:
    """All messages of one type that a page got so far."""
    return [message for message in page.seen if message["type"] == type]


def mods_of(page: Raw, id: str) -> list[Any]:
    """The values of a component that the page was sent so far."""
    return [value for message in of_type(page, "mods") for name, _, value in message["mods"] if name == id]


def test_4_1_ack_for_the_originator_mod_for_the_others(serve: Given, raw: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value="v"), html.Div(id="marker")])
    app.share("a", "value")
    url = serve(app).url
    first, second, third = (raw(url).join() for _ in range(3))
    seqs = []
    for page, value in ((first, "one"), (second, "two"), (first, "three")):
        seqs.append(page.until("ack", n=page.change("a", "value", value))["seq"])
        assert app.get("a", "value") == value
    assert seqs == [seqs[0], seqs[0] + 1, seqs[0] + 2]
    app.push_mods({"marker": {"children": "end"}})
    for page in (first, second, third):
        page.until_value("marker", "children", "end")
    assert mods_of(first, "a") == ["two"]
    assert mods_of(second, "a") == ["one", "three"]
    assert mods_of(third, "a")[-1] == "three"
    assert [message["seq"] for message in of_type(second, "mods") if message["mods"][0][0] == "a"] == [seqs[0], seqs[2]]


def test_4_1_the_originator_gets_the_value_if_the_server_changed_or_refused_it(serve: Given, raw: Given) -> None:
    app, busy, free = dash_devices.Dash(lane_capacity=1), threading.Event(), threading.Event()
    app.layout = html.Div([dcc.Input(id="a", value=1), dcc.Input(id="full", value="old")])
    app.callback_shared(Output("a", "value"), Input("a", "value"))(lambda value: min(value, 100))

    @app.callback_shared(None, Input("full", "value"))
    def block(value: Any) -> None:
        busy.set()
        assert free.wait(10)

    page = raw(serve(app).url).join()
    page.change("a", "value", 250)
    page.until_value("a", "value", 100)
    assert app.get("a", "value") == 100
    page.until("ack", n=page.change("full", "value", 1))
    assert busy.wait(10)
    page.until("ack", n=page.change("full", "value", 2))
    nack = page.until("nack", n=page.change("full", "value", 3))
    assert (nack["code"], nack["values"]) == ("busy", [["full", "value", 2]])
    free.set()


def test_4_1_the_server_checks_the_value(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="v")])
    app.callback_shared(None, Input("a", "value"))(recorder(calls))
    page = raw(serve(app).url).join()
    deep: Any = None
    for _ in range(100):
        deep = [deep]
    patch = {"__dash_patch_update": "__dash_patch_update", "operations": []}
    for value, code in ((deep, "too_complex"), ("x" * 300_000, "too_big"), (patch, "bad_value")):
        nack = page.until("nack", n=page.change("a", "value", value))
        assert (nack["code"], nack["values"]) == (code, [["a", "value", "v"]])
    page.change("a", "value", "good")
    assert calls.next() == "good"


def test_4_2_crossing_changes_have_one_order(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="v")])
    app.callback_shared(None, Input("a", "value"))(recorder(calls))
    url = serve(app).url
    pages = [raw(url).join() for _ in range(2)]
    for number in range(50):  # neither waits for the other
        for page, name in zip(pages, "xy", strict=True):
            page.change("a", "value", f"{name}{number}")
    order = calls.take(100)
    assert [value for value in order if value[0] == "x"] == [f"x{number}" for number in range(50)]
    assert [value for value in order if value[0] == "y"] == [f"y{number}" for number in range(50)]
    seqs = [(page.until("ack", n=50)["seq"], page) for page in pages]
    (_, loser), (_, winner) = sorted(seqs, key=lambda pair: pair[0])
    last = order[-1]
    assert app.get("a", "value") == last
    loser.until_value("a", "value", last)
    assert last not in mods_of(winner, "a")


def test_4_3_results_are_one_atomic_mod(serve: Given, raw: Given) -> None:
    app = dash_devices.Dash()
    app.layout = html.Div([dcc.Input(id="a", value=0), *(html.Div(id=id) for id in "bcd")])
    outputs = [Output(id, "children") for id in "bcd"]
    app.callback_shared(outputs, [Input("a", "value")])(lambda value: [value] * 3)
    url = serve(app).url
    pages = [raw(url).join() for _ in range(2)]
    for value in range(1, 101):
        pages[0].change("a", "value", value)
    for page in pages:
        page.until_value("d", "children", 100)
        results = [[mod for mod in message["mods"] if mod[0] != "a"] for message in of_type(page, "mods")]
        values = [[value for _, _, value in mods] for mods in results if mods]
        assert all(len(triple) == 3 and len(set(triple)) == 1 for triple in values)
        assert [triple[0] for triple in values] == sorted(triple[0] for triple in values)
    # a seq for each change, and one for each result
    assert app.metrics["seq"] == pages[0].welcome["seq"] + 200


def test_4_3_each_listener_is_queued_in_its_lane_in_seq_order(serve: Given, raw: Given) -> None:
    app, plain, coroutine = dash_devices.Dash(), Calls(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value=0)])
    app.callback_shared(None, Input("a", "value"))(recorder(plain))

    @app.callback_shared(None, Input("a", "value"))
    async def later(value: Any) -> None:
        coroutine(value)

    url = serve(app).url
    pages = [raw(url).join() for _ in range(2)]
    for number in range(100):
        pages[number % 2].change("a", "value", number)
    order = plain.take(100)
    assert coroutine.take(100) == order
    assert [number for number in order if number % 2] == list(range(1, 100, 2))
    assert [number for number in order if not number % 2] == list(range(0, 100, 2))
    assert order[-1] == app.get("a", "value")


def test_4_4_the_chain_runs_at_the_server(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="v"), *(html.Div(id=id) for id in "bcd")])
    app.callback_shared(Output("b", "children"), Input("a", "value"))(lambda value: f"b{value}")
    app.callback_shared(Output("c", "children"), Input("b", "children"))(lambda value: f"c{value}")
    app.callback_shared(Output("d", "children"), Input("c", "children"), Input("a", "value"))(lambda c, a: f"d{c}{a}")
    app.callback_shared(None, Input("d", "children"))(recorder(calls))
    url = serve(app).url
    silent, page = raw(url).join(), raw(url).join()  # raw pages never report what they are sent
    assert page.request("dependencies")["body"] == []
    page.change("a", "value", "w")
    page.close()  # and the one that made the change need not even stay
    silent.until_value("d", "children", "dcbww")
    values = [calls.next()]
    while values[-1] != "dcbww":
        values.append(calls.next())
    assert app.metrics["changes"] == 1


def test_4_5_shared_callbacks_see_every_value(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value=0), html.Div(id="b")])
    app.callback_shared(Output("b", "children"), Input("a", "value"), prevent_initial_call=True)(lambda value: value)
    app.callback_shared(None, Input("b", "children"))(recorder(calls))
    app.callback(Output("c", "children"), Input("a", "value"))(lambda value: value)  # mixed listeners are no error
    page = raw(serve(app).url).join()
    for number in range(500):
        app.push_mods({"a": {"value": number}})
    assert calls.take(500) == list(range(500))
    page.until_value("b", "children", 499)
    assert mods_of(page, "a")[-1] == 499
    assert mods_of(page, "b") == sorted(mods_of(page, "b"))
    assert dependency(page, "a.value") == "c.children"


def test_4_7_a_mount_is_adopted_only_where_the_server_has_no_value(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="server"), dcc.Slider(id="s"), html.Div(id="b"), html.Div(id="c")])
    app.callback_shared(None, Input("a", "value"), Input("s", "drag_value"))(lambda *values: calls(("none", *values)))
    app.callback_shared(Output("b", "children"), Input("s", "drag_value"))(lambda v: calls(("b", v)) or v)
    app.callback_shared(Output("c", "title"), Input("s", "drag_value"), prevent_initial_call=True)(
        lambda v: calls(("prevented", v))
    )
    app.callback_shared(None, Input("b", "children"))(lambda value: calls(("chain", value)))
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.send(
        {"type": "mount", "values": [["a", "value", "page"], ["s", "drag_value", 3], ["c", "children", "unwatched"]]}
    )
    page.until_value("a", "value", "server")
    until_all(other, ("s", "drag_value", 3), ("b", "children", 3))
    assert calls.take(2) == [("b", None), ("b", 3)]
    other.send({"type": "mount", "values": [["s", "drag_value", 9]]})
    other.until_value("s", "drag_value", 3)
    assert (app.get("a", "value"), app.get("s", "drag_value"), app.get("c", "children")) == ("server", 3, None)
    page.change("a", "value", "changed")
    assert calls.next() == ("none", "changed", 3)
    assert calls.none_left
    assert mods_of(other, "a") == []


def test_4_8_a_report_that_equals_the_servers_value_still_runs(serve: Given, raw: Given) -> None:
    app, calls = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a", value="same"), html.Div(id="b")])
    app.callback_shared(Output("b", "children"), Input("a", "value"), prevent_initial_call=True)(
        lambda v: calls(v) or v
    )
    page = raw(serve(app).url).join()
    for _ in range(3):
        page.until("ack", n=page.change("a", "value", "same"))
        assert calls.next() == "same"
    wait_for(lambda: page.seq >= 6 or page.receive(), "all results")
    assert calls.none_left
