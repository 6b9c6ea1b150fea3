"""What is no message: each kind of bad frame gets its close code, and nobody else notices."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import dash_devices
from dash_devices import connection, dcc, html
from dash_devices.limits import PageLimits
from dash_devices.protocol import MAX_MESSAGE
from dash_devices.refusals import LINES

from ..support import TIMEOUT, Closed, Raw, ServerThread, wait_for
from .support import hypercorn, uvicorn

MakeRaw = Callable[..., Raw]
FRAGMENTS = PageLimits().fragments
OTHERS_MAX = 16 * 2**20  # bytes, as uvicorn and Hypercorn have it
SERVERS = {"run": ServerThread, "uvicorn": lambda app: uvicorn(app.asgi), "hypercorn": lambda app: hypercorn(app.asgi)}


@pytest.fixture
def app() -> dash_devices.Dash:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div([dcc.Input(id="a", value="0")])
    app.share("a", "value")
    return app


@pytest.fixture(params=SERVERS)
def server(app: dash_devices.Dash, request: pytest.FixtureRequest) -> Iterator[Any]:
    with SERVERS[request.param](app) as server:
        server.kind = request.param
        yield server


@pytest.fixture
def page(server: Any) -> Iterator[Callable[[], Raw]]:
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Raw(server.url, **options))


def _others_go_on(other: Raw) -> None:
    other.change("a", "value", "goes on")
    other.until("ack")


@pytest.mark.parametrize("frame", [b"", b"{}", b"\x00" * 200], ids=["empty", "text", "long"])
def test_binary_frames_are_closed_with_1003(page: Any, frame: bytes) -> None:
    bad, other = page().join(), page().join()
    bad.send_frame(frame)
    assert bad.closed() == 1003
    _others_go_on(other)


@pytest.mark.parametrize(
    "frame",
    ["", "{", "nonsense", '{"type":"hello"} trailing', '{"type":"change","n":NaN}', '"\\ud800"', "[" * 100_000],
    ids=["empty", "half", "word", "trailing", "nan", "surrogate", "deep"],
)
def test_what_is_not_json_is_closed_with_4400(page: Any, frame: str) -> None:
    bad, other = page().join(), page().join()
    bad.send_frame(frame)
    assert bad.closed() == 4400
    _others_go_on(other)


@pytest.mark.parametrize("frame", ["[]", "null", "7", "{}", '{"type":"ack","n":1,"seq":1}', '{"type":["hello"]}'])
def test_json_that_is_no_message_is_closed_with_4400(page: Any, frame: str) -> None:
    bad, other = page().join(), page().join()
    bad.send_frame(frame)
    assert bad.closed() == 4400
    _others_go_on(other)


def test_the_first_message_is_one_hello(page: Any) -> None:
    early = page()
    early.change("a", "value", 1)
    assert early.closed() == 4400
    twice = page().join()
    twice.send({"type": "hello", "version": 1, "page": "p", "build": "b"})
    assert twice.closed() == 4400
    old = page()
    old.send({"type": "hello", "version": 0, "page": "p", "build": "b"})
    assert old.closed() == 4426


@pytest.mark.fault("A7")
@pytest.mark.parametrize("name", ["page", "build", "tab", "token"])
def test_names_in_a_hello_are_short(url: str, raw: Callable[..., Raw], name: str) -> None:
    for length in (63, 64, 65):
        visitor = raw(url)
        visitor.send({"type": "hello", "version": 1, "page": "p", "build": "b"} | {name: "x" * length})
        if length > 64:
            assert visitor.closed() == 4400
        else:
            assert visitor.until("welcome")


def test_invalid_utf8_is_closed_with_1007(page: Any, server: Any) -> None:
    bad, other = page().join(), page().join()
    bad._socket.send(b'{"type":"\xff"}', text=True)
    assert bad.closed() in ((1007,) if server.kind != "hypercorn" else (1007, 1006))  # Hypercorn just hangs up
    _others_go_on(other)


def _change(value: Any) -> str:
    change = {"type": "change", "n": 1, "values": [["a", "value", value]], "state": [], "at": time.time() * 1000}
    return json.dumps(change, ensure_ascii=False)


def test_a_character_may_be_cut_by_fragments(page: Any) -> None:
    one = page().join()
    message = _change("größe €").encode()
    middle = message.index("€".encode()) + 1
    one._socket.send([message[:middle], message[middle:]], text=True)
    assert one.until("ack", n=1)


def test_too_many_fragments_are_closed_with_1008(page: Any, server: Any) -> None:
    few, other = page().join(), page().join()
    few._socket.send(_in_pieces(FRAGMENTS))
    assert few.until("ack", n=1)
    for count in (FRAGMENTS + 1, FRAGMENTS + 5):
        many = page().join()
        with contextlib.suppress(ConnectionClosed):  # it may hang up before it has read all of it
            many._socket.send(_in_pieces(count))
        if server.kind == "run":
            assert many.closed() == 1008
        else:
            assert many.until("ack", n=1), "other servers join fragments themselves"
    _others_go_on(other)


@pytest.mark.fault("F3")
@pytest.mark.parametrize("count", [-1, 0, 1])
def test_a_large_message_may_have_more_fragments(page: Any, server: Any, count: int) -> None:
    """One more for each 4 KiB: as browsers cut it."""
    message = _change("x" * 100_000).encode()
    allowed = FRAGMENTS + len(message) // 4_096
    pieces = [message[at : at + 4_096] for at in range(0, len(message), 4_096)]
    many = page().join()
    with contextlib.suppress(ConnectionClosed):
        many._socket.send([*pieces, *[b""] * (allowed + count - len(pieces) - 1)], text=True)
    if count > 0 and server.kind == "run":
        assert many.closed() == 1008
    else:
        assert many.until("ack", n=1)


@pytest.mark.fault("F3")
def test_the_reason_names_the_message_that_broke_the_rules(page: Any) -> None:
    """So the page does not send it again."""
    change = '{"type":"change","n":7,"values":[],"state":[],"at":0}'
    for frame, name in ((change, "change 7: "), ('{"type":"request","ref":5,"route":1}', "request 5: ")):
        bad = page().join()
        bad.send_frame(frame)
        with pytest.raises(Closed, match=f"'{name}.*expected") as closed:
            bad.until("nothing")
        assert closed.value.code == 4400


def _in_pieces(count: int) -> list[str]:
    """A change in so many frames; the last one, which the library adds, is empty."""
    message = _change(1)
    return [*message[: count - 2], message[count - 2 :]]


def test_whoever_breaks_the_rules_is_counted_and_named_in_the_log(
    app: Any, page: Any, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = {1003: b"{}", 4400: "no JSON"}
    if server.kind == "run":  # other servers keep what they find wrong with frames to themselves
        kinds |= {1007: [b'"\xff"'], 1008: _in_pieces(FRAGMENTS + 1), 1009: "x" * (MAX_MESSAGE + 1)}
    for count, (code, frame) in enumerate(kinds.items(), 1):
        bad = page().join()
        with contextlib.suppress(ConnectionClosed):
            bad._socket.send(frame, **({"text": True} if code == 1007 else {}))
        assert bad.closed() in (code, 1006)
        wait_for(lambda count=count: app.metrics["protocol_errors"] == count, f"count of {code}")
        assert caplog.text.count(f"(closed with {code})") == 1
    page().join().close()  # who just leaves breaks nothing
    _others_go_on(page().join())
    assert app.metrics["protocol_errors"] == len(kinds)


def test_whoever_breaks_the_rules_again_and_again_cannot_fill_the_log(
    app: Any, page: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(LINES + 3):
        bad = page()
        bad.send_frame(b"binary")
        assert bad.closed() == 1003
    wait_for(lambda: app.metrics["protocol_errors"] == LINES + 3, "all of them")
    assert caplog.text.count("(closed with 1003)") == LINES


def test_whoever_says_nothing_is_closed_with_4408(
    app: Any, page: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = page().join()
    monkeypatch.setattr(connection, "HELLO_SECONDS", 0.2)
    assert page().closed() == 4408
    assert "no hello within 0.2 s (closed with 4408)" in caplog.text
    assert len(app.clients) == 1, "nobody joined"
    _others_go_on(other)


def test_too_big_a_message_is_closed_with_1009(page: Any, server: Any) -> None:
    bad, other = page().join(), page().join()
    assert bad.welcome["limits"]["message_bytes"] == MAX_MESSAGE
    with contextlib.suppress(ConnectionClosed):  # it may hang up before it has read all of it
        bad.send_frame('"' + "x" * (MAX_MESSAGE if server.kind == "run" else OTHERS_MAX) + '"')
    assert bad.closed() in (1009, 1006)
    _others_go_on(other)


def test_a_foreign_origin_gets_403(page: Any, server: Any) -> None:
    with pytest.raises(InvalidStatus) as refused:
        page(origin="http://evil.example")
    assert refused.value.response.status_code == 403
    assert page(origin=server.url).join()


def test_run_never_agrees_to_compression(page: Any, server: Any) -> None:
    with connect(
        f"{server.url.replace('http', 'ws')}/_dash-devices/socket", compression="deflate", proxy=None
    ) as socket:
        offered = socket.request.headers.get("Sec-WebSocket-Extensions", "")
        agreed = socket.response.headers.get("Sec-WebSocket-Extensions")
    assert "permessage-deflate" in offered
    if server.kind == "run":
        assert agreed is None


@pytest.mark.parametrize("bad", [b"\x82\x80\0\0\0\0", b"\x88\x82\0\0\0\0\x03\xe9"], ids=["refused", "left"])
def test_pushes_reach_the_others_while_one_page_is_closing(
    page: Any, server: Any, app: dash_devices.Dash, bad: bytes
) -> None:
    """A page whose close frame is under way is still in the table: writing to it must not stop the others' mods."""
    with socket.create_connection(("127.0.0.1", server.port)) as closing, closing.makefile("rb") as stream:
        closing.settimeout(TIMEOUT)
        closing.sendall(HANDSHAKE % server.port)
        _read_until(stream, b"\r\n\r\n")
        closing.sendall(masked(HELLO) + masked(LAYOUT))
        _read_until(stream, b'"reply"')
        other = page().join()
        closing.sendall(bad)  # a binary frame, or a close frame
        _read_until(stream, b"\x88")  # the server has said goodbye, and waits for us to hang up
        for number in range(3):
            app.push_mods({"a": {"value": number}})
            other.until_value("a", "value", number)


HANDSHAKE = (
    b"GET /_dash-devices/socket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
HELLO = b'{"type":"hello","version":1,"page":"p","build":"raw"}'
LAYOUT = b'{"type":"request","ref":1,"route":"layout","query":"","body":null}'


def masked(text: bytes) -> bytes:
    """A short text frame as a client sends it, with a mask of zeros."""
    return b"\x81%c\0\0\0\0%b" % (0x80 | len(text), text)


def _read_until(stream: Any, wanted: bytes) -> None:
    seen = b""
    while wanted not in seen:
        byte = stream.read(1)
        assert byte, seen
        seen += byte
