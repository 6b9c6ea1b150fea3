"""Section 11: whom we trust."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

import dash_devices
from dash_devices import ALL, dcc, html
from dash_devices.components import MAX_PRIVATE
from dash_devices.dependencies import Input, Output, State

from ..support import Raw, ServerThread, wire_id
from .helpers import Calls, ask_regular

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]


def gain(index: Any) -> dict[str, Any]:
    """The id of one control of the pattern."""
    return {"type": "gain", "index": index}


def _app(calls: Calls, **options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    inputs = [dcc.Input(id="a", value="0"), dcc.Input(id="private", value="0"), dcc.Input(id=gain(0), value=0)]
    app.layout = html.Div([*inputs, html.Div(id="shown"), html.Div(id="more"), html.Div(id="own")])

    @app.callback_shared(Output("shown", "children"), [Input("a", "value")], [State("private", "value")])
    def shared(value: Any, private: Any) -> Any:
        calls(("a", value))
        return value

    @app.callback_shared(None, [Input(gain(ALL), "value")])
    def gains(values: list[Any]) -> None:
        calls(("gain", values))

    @app.callback(Output("own", "children"), [Input("a", "n_blur")], prevent_initial_call=True)
    def regular(count: int) -> dcc.Input:
        return dcc.Input(id=gain("regular"), value=0)

    return app


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "http://127.0.0.1:{port}/path",
        "http://user@127.0.0.1:{port}",
        "null",
        "",
    ],
)
def test_11_1_sockets_from_foreign_origins_are_refused(serve: Serve, raw: MakeRaw, origin: str) -> None:
    app = _app(Calls())
    server = serve(app)
    with pytest.raises(InvalidStatus) as refused:
        raw(server.url, origin=origin.format(port=server.port))
    assert refused.value.response.status_code == 403
    assert app.metrics["sockets_refused"] == 1
    assert raw(server.url, origin=server.url).join()


def test_11_1_a_cookie_without_an_origin_is_refused(serve: Serve, raw: MakeRaw) -> None:
    server = serve(_app(Calls()))
    with pytest.raises(InvalidStatus) as refused:
        raw(server.url, headers={"Cookie": "session=stolen"})
    assert refused.value.response.status_code == 403
    assert raw(server.url).join(), "a script without either is no browser"


def test_11_1_extra_origins_by_option(serve: Serve, raw: MakeRaw) -> None:
    server = serve(_app(Calls(), allowed_origins=["https://lab.example"]))
    assert raw(server.url, origin="https://lab.example").join()
    assert raw(server.url, origin=server.url).join()
    for other in ("http://lab.example", "https://lab.example:444", "https://www.lab.example"):
        with pytest.raises(InvalidStatus):
            raw(server.url, origin=other)


@pytest.mark.parametrize(
    ("id", "property"),
    [
        ("private", "value"),
        ("a", "title"),
        ("shown", "children"),
        ("unheard-of", "value"),
        (gain("unheard-of"), "value"),
        (gain(0), "title"),
        ({"type": "gain", "index": 0, "more": 1}, "value"),
        ({"type": "gain", "index": ["ALL"]}, "value"),
    ],
)
def test_11_1_a_change_names_a_watched_property(serve: Serve, raw: MakeRaw, id: Any, property: str) -> None:
    calls = Calls()
    app = _app(calls)
    server = serve(app)
    page, other = raw(server.url).join(), raw(server.url).join()
    assert calls.next() == ("a", "0")
    before = app.get(id, property)
    page.change(id, property, "evil")
    nack = page.until("nack", n=1)
    assert nack["code"] == "not_found"
    assert app.get(id, property) == before

    page.changes([("a", "value", "half"), (id, property, "evil")])
    assert ["a", "value", "0"] in page.until("nack", n=2)["values"], "all or nothing"
    page.change("a", "value", "good")
    assert page.until("ack", n=3)
    other.until_value("shown", "children", "good")
    assert calls.next() == ("a", "good")
    assert "evil" not in str(other.seen)


def test_11_1_a_pattern_needs_a_component_that_somebody_showed(serve: Serve, raw: MakeRaw) -> None:
    calls = Calls()
    app = _app(calls)
    server = serve(app)
    page = raw(server.url).join()
    assert calls.next() == ("a", "0")

    def tries(index: Any, answer: str) -> None:
        n = page.change(gain(index), "value", 1)
        assert page.until(answer, n=n)

    tries(0, "ack")  # in the layout
    assert calls.next() == ("gain", [1])
    tries("pushed", "nack")
    app.push_mods({"more": {"children": [dcc.Input(id=gain("pushed"), value=0)]}})
    tries("pushed", "ack")  # in children that the server sent
    assert calls.next() == ("gain", [1, 1])
    tries("regular", "nack")
    assert ask_regular(page, "own.children", [("a", "n_blur", 1)])["status"] == 200
    tries("regular", "ack")  # in a regular callback's result
    assert calls.next() == ("gain", [1, 1, 1])
    tries("announced", "nack")
    page.send({"type": "mount", "values": [[wire_id(gain("announced")), "value", 0]]})
    tries("announced", "ack")  # the page told of it
    assert calls.next() == ("gain", [1, 1, 1, 1])


def test_11_1_a_page_announces_ten_thousand_at_most(serve: Serve, raw: MakeRaw) -> None:
    assert MAX_PRIVATE == 10_000
    app = _app(Calls())
    server = serve(app)
    page, other = raw(server.url).join(), raw(server.url).join()
    page.send({"type": "mount", "values": [[wire_id(gain(number)), "value", 0] for number in range(1, 10_002)]})
    page.change(gain(10_000), "value", 1)
    assert page.until("ack", n=1)
    page.change(gain(10_001), "value", 1)
    assert page.until("nack", n=2)["code"] == "not_found"
    assert app.get(gain(10_001), "value") is None
    other.send({"type": "mount", "values": [[wire_id(gain(10_001)), "value", 0]]})
    other.change(gain(10_001), "value", 1)
    assert other.until("ack", n=1), "each client has its own ten thousand"


@pytest.mark.parametrize("value", [{"__dash_patch_update": "__dash_patch_update", "operations": []}, "deep"])
def test_11_1_what_a_page_announces_is_a_plain_value(serve: Serve, raw: MakeRaw, value: Any) -> None:
    if value == "deep":
        for _ in range(200):
            value = [value]
    server = serve(_app(Calls()))
    page, other = raw(server.url).join(), raw(server.url).join()
    page.send({"type": "mount", "values": [[wire_id(gain("new")), "value", value]]})
    assert page.closed() == 4400
    other.change("a", "value", "goes on")
    assert other.until("ack", n=1)
