"""Hostile messages against the real ``app.run()``: each gets what it deserves, and nobody else notices.

Each test is a line of what pages may try: "Messages" and "Rendering". Those about single JSON texts are in
``tests/unit/test_strict.py``, those about frames in ``test_frames.py`` and ``test_transport.py``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from dash_devices import ALL, PageLimits, components, lanes, patterns
from dash_devices.dash_glue import queueing
from dash_devices.dependencies import Input, Output
from dash_devices.strict import MAX_ID

from ..semantics.tools import Gate
from ..support import TIMEOUT, Raw, ServerThread, wait_for, wire_id
from .hostile import change, make_app

MakeRaw = Callable[..., Raw]


# ---- messages ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["NaN", "1e999", "9" * 4_000, '{"k":1,"k":2}', "[" * 1_100 + "]" * 1_100])
def test_a_value_that_is_no_json_or_says_two_things(url: str, raw: MakeRaw, other: Raw, text: str) -> None:
    bad = raw(url).join()
    bad.send_frame(change(text))
    if text.startswith("[["):
        assert bad.until("nack", n=1)["code"] == "too_complex"
    else:
        assert bad.closed() == 4400


@pytest.mark.parametrize("value", ["a\0b", "\u202egnp.exe", "e\u0301" * 60_000, 2**53 + 1, -0.0])
def test_odd_values_are_stored_as_they_are(url: str, raw: MakeRaw, other: Raw, value: Any) -> None:
    page = raw(url).join()
    page.send_frame(change(json.dumps(value, ensure_ascii=False)))
    assert page.until("ack", n=1)
    other.until_value("a", "value", value)


def test_half_an_emoji_keeps_nobody_from_going_on(url: str, raw: MakeRaw, other: Raw) -> None:
    page = raw(url).join()
    page.send_frame(change('"\\ud83d"'))
    assert page.until("ack", n=1)
    other.until_value("a", "value", "\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(("depth", "answer"), [(63, "ack"), (64, "ack"), (65, "nack"), (250, "nack"), (400, "nack")])
def test_depth_at_its_limit(url: str, raw: MakeRaw, other: Raw, depth: int, answer: str) -> None:
    """The list of values is the first of the 64."""
    page = raw(url).join()
    page.send_frame(change("[" * (depth - 1) + "]" * (depth - 1)))
    assert page.until(answer, n=1).get("code") in (None, "too_complex")


@pytest.mark.parametrize(("nodes", "answer"), [(99_998, "ack"), (99_999, "nack"), (400_000, "nack")])
def test_nodes_at_their_limit(url: str, raw: MakeRaw, other: Raw, nodes: int, answer: str) -> None:
    page = raw(url).join()
    page.send_frame(change("[" + "0," * (nodes - 1) + "0]"))
    assert page.until(answer, n=1).get("code") in (None, "too_complex", "too_big")


def test_a_bomb_is_refused_by_its_number_and_the_page_goes_on(url: str, raw: MakeRaw, other: Raw) -> None:
    page = raw(url).join()
    page.send_frame(change("[" + "[]," * 200_000 + "0]"))
    assert page.until("nack", n=1)["code"] == "too_complex"
    page.send_frame('{"type":"request","ref":9,"route":"callback","query":"","body":[' + "[]," * 200_000 + "0]}")
    assert page.until("reply", ref=9)["status"] == 413
    page.n = 1
    page.change("a", "value", "well")
    assert page.until("ack", n=2)


@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("letter", ["x", "\N{EURO SIGN}"])
def test_bytes_at_their_limit(serve: Callable[..., ServerThread], raw: MakeRaw, extra: int, letter: str) -> None:
    server = serve(make_app(page_limits=PageLimits(change_bytes=30_000)))
    page = raw(server.url).join()
    assert page.welcome["limits"]["change_bytes"] == 30_000
    frame_bytes = len('[["a","value",""]]')
    room = 30_000 - frame_bytes + extra
    text = letter * (room // len(letter.encode())) + "x" * (room % len(letter.encode()))
    page.send_frame(change(json.dumps(text, ensure_ascii=False)))
    if extra > 0:
        assert page.until("nack", n=1)["code"] == "too_big"
    else:
        assert page.until("ack", n=1)


@pytest.mark.parametrize(("size", "answer"), [(0, "ack"), (1, "nack")])
def test_a_callback_may_take_more_than_others(
    serve: Callable[..., ServerThread], raw: MakeRaw, size: int, answer: str
) -> None:
    app = make_app()
    app.callback_shared(Output("shown", "children"), Input("own", "value"), max_change=300_000)(lambda value: "taken")
    page = raw(serve(app).url).join()
    around = len(json.dumps([["own", "value", ""]], separators=(",", ":")))
    page.change("own", "value", "x" * (300_000 - around + size))
    assert page.until(answer, n=1).get("code") in (None, "too_big")


def test_a_message_at_its_limit(serve: Callable[..., ServerThread], raw: MakeRaw) -> None:
    server = serve(make_app(page_limits=PageLimits(message_bytes=10_000)))
    for extra in (-1, 0, 1):
        page = raw(server.url).join()
        head = '{"type":"answer","ref":1,"values":{"a":"'
        page.send_frame(head + "x" * (10_000 - len(head) - 3 + extra) + '"}}')
        if extra > 0:
            assert page.closed() == 1009
        else:
            page.change("a", "value", 1)
            assert page.until("ack", n=1)


@pytest.mark.parametrize(
    ("id", "property"),
    [
        ("a.__class__", "value"),
        ("a", "__class__"),
        ("a", "value.__class__"),
        ("__proto__", "value"),
        ("constructor", "prototype"),
        ("a.b[0]", "value"),
        ("../x", "value"),
        ("", ""),
        ("x" * 200_000, "value"),
        ("a", "y" * 200_000),
        ({"type": "row", "index": 7}, "value"),
        ({"type": "row", "index": ["ALL"]}, "value"),
        ({}, "value"),
    ],
)
def test_names_of_nothing_are_refused(url: str, raw: MakeRaw, other: Raw, id: Any, property: str) -> None:
    page = raw(url).join()
    page.change(id, property, "evil")
    nack = page.until("nack", n=1)
    assert nack["code"] == "not_found"
    assert len(nack["message"]) < 500


@pytest.mark.fault("A3")
def test_names_that_are_too_long_are_not_read(url: str, raw: MakeRaw, other: Raw, app: Any) -> None:
    """Not as ids, and not as JSON either."""
    page = raw(url).join()
    long = "x" * (MAX_ID + 1)
    page.changes([("a", "value", 1)], state=[("{" + long, "value", 1), ("a", long, 1)])
    assert page.until("ack", n=1)
    page.send({"type": "mount", "values": [["{" + long, "value", 1]]})
    page.change("{" + long, "value", 1)
    assert page.until("nack", n=2)["code"] == "not_found"


@pytest.mark.parametrize("id", ['["a"]', '{"a":1', '{"a":1}}', "{", '{"a":NaN}'])
def test_an_id_that_is_none_is_closed(url: str, raw: MakeRaw, other: Raw, id: str) -> None:
    page = raw(url).join()
    page.send({"type": "change", "n": 1, "values": [[id, "value", 1]], "state": [], "at": 0})
    if id.startswith("{"):
        assert page.closed() == 4400
    else:
        assert page.until("nack", n=1)["code"] == "not_found"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "applied", "seq": 10**6},
        {"type": "pong", "seq": 10**6, "at": 0},
        {"type": "pong", "seq": -1, "at": 0},
        {"type": "change", "n": 3, "values": [], "state": [], "at": 0},
        {"type": "change", "n": 1, "values": [[["a"], "value", 1]], "state": [], "at": 0},
        {"type": "hello", "version": 1, "page": "again", "build": ""},
        {"type": "shout"},
        {"type": "mods", "seq": 1, "mods": [], "events": [], "lost": 0},
    ],
    ids=lambda message: f"{message['type']} {message.get('n', message.get('seq', ''))}",
)
def test_messages_that_no_page_sends_are_closed(url: str, raw: MakeRaw, other: Raw, message: Any) -> None:
    page = raw(url).join()
    page.send(message)
    assert page.closed() == 4400


def test_what_a_client_says_cannot_forge_the_log(
    url: str, raw: MakeRaw, other: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    page = raw(url).join()
    page.change("x\n2026-01-01 INFO all is well\x1b[2J", "value", 1)
    assert page.until("nack", n=1)
    assert "\x1b" not in caplog.text
    assert "\n2026-01-01" not in caplog.text


def test_a_large_value_is_told_once_however_many_changes_of_it_are_refused(url: str, raw: MakeRaw, app: Any) -> None:
    """Answers are kept for a page that comes back: 256 of them, each with such a value, would be 50 MiB for one tab."""
    large = "x" * 200_000
    app.push_mods({"a": {"value": large}})
    page = raw(url).join()
    page.change("a", "value", "y" * 300_000)
    assert page.until("nack", n=1)["values"] == []
    page.until_value("a", "value", large)
    small = app.push_mods({"a": {"value": "small"}})
    page.until("mods", seq=small)
    page.change("a", "value", "y" * 300_000)
    assert page.until("nack", n=2)["values"] == [["a", "value", "small"]]
    kept = [answer for session in app._hub.sessions for _, answer in session.answers]
    assert len(kept) == 2
    assert not any(b"small" in answer for answer in kept), "the mods tell it again, whenever an answer is told again"


def test_refused_changes_leave_nothing_behind(url: str, raw: MakeRaw) -> None:
    """Not even until the collector comes: a page that is refused again and again would fill the memory."""
    page = raw(url).join()
    page.change("a", "value", "y" * 300_000)
    page.until("nack", n=1)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for n in range(2, 22):
            page.change("a", "value", "y" * 300_000)
            page.until("nack", n=n)
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert left < 1_500_000  # of 6 MB


# ---- a page writes data, not pages -------------------------------------------------------------------------------------
SCRIPT = {"namespace": "dash_html_components", "type": "Script", "props": {"children": "alert(1)"}}


@pytest.mark.parametrize(
    "value", [SCRIPT, [SCRIPT], {"deep": [[SCRIPT]]}, {**SCRIPT, "type": "Iframe", "props": {"srcDoc": "<script>"}}]
)
def test_components_from_a_page_are_refused(url: str, raw: MakeRaw, other: Raw, app: Any, value: Any) -> None:
    page = raw(url).join()
    page.change("panel", "children", value)
    assert page.until("nack", n=1)["code"] == "bad_value"
    page.send({"type": "mount", "values": [["panel", "children", value]]})
    page.change("panel", "children", "text")
    assert page.until("ack", n=2)
    assert "Script" not in json.dumps(other.seen)
    assert app.get("panel", "children") == "text"


def test_unless_they_are_wanted(serve: Callable[..., ServerThread], raw: MakeRaw) -> None:
    app = make_app()
    app.callback_shared(Output("shown", "children"), Input("own", "children"), components=True)(lambda value: value)
    page = raw(serve(app).url).join()
    page.change("own", "children", SCRIPT)
    assert page.until("ack", n=1)


@pytest.mark.parametrize("value", [{"__proto__": {"polluted": True}}, [{"a": {"__proto__": 1}}]])
def test_values_that_name_the_prototype_are_refused(url: str, raw: MakeRaw, other: Raw, app: Any, value: Any) -> None:
    page = raw(url).join()
    page.change("a", "value", value)
    assert page.until("nack", n=1)["code"] == "bad_value"
    page.send({"type": "mount", "values": [[wire_id({"type": "row", "index": 1}), "value", value]]})
    page.change("a", "value", 1)
    assert page.until("ack", n=2)
    assert app.get({"type": "row", "index": 1}, "value") is None


def test_what_pages_announce_is_capped_for_all_of_them_and_for_one_wildcard(
    serve: Callable[..., ServerThread], raw: MakeRaw, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(components, "MAX_ALL_PRIVATE", 30)
    monkeypatch.setattr(patterns, "MAX_MATCHES", 25)
    app, calls = make_app(), list[int]()
    app.callback_shared(None, Input({"type": "row", "index": ALL}, "value"))(lambda values: calls.append(len(values)))
    url = serve(app).url
    pages = [raw(url).join() for _ in range(2)]
    for number, page in enumerate(pages):
        ids = [wire_id({"type": "row", "index": 100 * number + place}) for place in range(20)]
        page.send({"type": "mount", "values": [[id, "value", 0] for id in ids]})
    pages[1].change({"type": "row", "index": 109}, "value", 1)
    assert pages[1].until("ack", n=1)
    pages[1].change({"type": "row", "index": 110}, "value", 1)
    assert pages[1].until("nack", n=2)["code"] == "not_found"
    wait_for(lambda: calls == [25], "the call")
    assert "no more than that are taken" in caplog.text
    pages[0].close()
    wait_for(lambda: len(app.clients) == 1)
    pages[1].send({"type": "mount", "values": [[wire_id({"type": "row", "index": 110}), "value", 0]]})
    pages[1].change({"type": "row", "index": 110}, "value", 1)
    assert pages[1].until("ack", n=3), "there is room again"


def test_requests_under_way_are_bounded(
    serve: Callable[..., ServerThread], raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "MAX_UNANSWERED", 2)
    app, go = make_app(), threading.Event()

    @app.callback(Output("shown", "children"), Input("a", "n_blur"))
    def slow(count: Any) -> Any:
        go.wait(TIMEOUT)
        return "done"

    page = raw(serve(app).url).join()
    body = {
        "output": "shown.children",
        "outputs": {"id": "shown", "property": "children"},
        "inputs": [{"id": "a", "property": "n_blur", "value": 1}],
        "changedPropIds": ["a.n_blur"],
    }
    for ref in (11, 12, 13):
        page.send({"type": "request", "ref": ref, "route": "callback", "query": "", "body": body})
    assert page.until("reply", ref=13)["status"] == 429
    go.set()
    assert {page.until("reply")["status"] for _ in range(2)} == {200}
    wait_for(lambda: not app._requests.unanswered, "the end of both")


# ---- what waits ----------------------------------------------------------------------------------------------------------
def test_what_waits_in_a_lane_is_bounded_in_bytes(
    serve: Callable[..., ServerThread], raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "WAITING_BYTES", 100_000)
    app, gate = make_app(), Gate()
    app.callback_shared(None, Input("a", "value"))(gate)
    page = raw(serve(app).url).join()
    with gate:
        page.change("a", "value", "x")
        assert gate.entered.wait(TIMEOUT)
        for _ in range(3):
            page.change("a", "value", "x" * 50_000)
        assert page.until("nack", n=4)["code"] == "busy", "two of them wait, that is full"
        app.push_mods({"a": {"value": "the author's own"}})
    wait_for(lambda: gate.calls[-1:] == ["the author's own"], "the last call")
    page.change("a", "value", "y")
    assert page.until("ack", n=5)


# ---- callbacks ---------------------------------------------------------------------------------------------------------
def test_a_callback_that_fails_or_hangs_costs_its_own_outputs_only(
    serve: Callable[..., ServerThread], raw: MakeRaw
) -> None:
    app = make_app()

    @app.callback_shared(Output("shown", "title"), Input("a", "value"), prevent_initial_call=True)
    def raises(value: Any) -> Any:
        raise RuntimeError(value)

    @app.callback_shared(Output("shown", "lang"), Input("a", "value"), prevent_initial_call=True)
    def unserialisable(value: Any) -> Any:
        return object()

    @app.callback_shared(Output("shown", "dir"), Input("a", "value"), prevent_initial_call=True)
    async def hangs(value: Any) -> Any:
        await asyncio.Event().wait()

    app.callback_shared(Output("shown", "children"), Input("a", "value"))(lambda value: f"got {value}")
    page = raw(serve(app).url).join()
    for number in range(3):
        page.change("a", "value", number)
        page.until_value("shown", "children", f"got {number}")
    assert {app.get("shown", name) for name in ("title", "lang", "dir")} == {None}
    assert not any(message["type"] == "error" for message in page.seen), (
        "what an author did wrong is not a page's business"
    )
