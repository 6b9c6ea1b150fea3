"""Hostile frames and paces against the real ``app.run()``: what only holds where the transport is ours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed

import dash_devices
from dash_devices import PageLimits

from ..support import Raw, ServerThread
from .hostile import HELLO, Bare, frame, make_app

MakeRaw = Callable[..., Raw]


# ---- frames and bytes --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "bad",
    {
        "unmasked": b"\x81\x02{}",
        "reserved bit": frame(b"{}", 0xC1),
        "second reserved bit": frame(b"{}", 0xA1),
        "bad opcode": frame(b"{}", 0x83),
        "bad control opcode": frame(b"", 0x8B),
        "control frame of 126 bytes": frame(b"x" * 126, 0x89),
        "fragmented ping": frame(b"", 0x09),
        "continuation of nothing": frame(b"{}", 0x80),
        "text within text": frame(b"{", 0x01) + frame(b"}", 0x81),
        "close frame of one byte": frame(b"\x03", 0x88),
    }.items(),
    ids=lambda item: item[0],
)
def test_broken_framing_is_closed_with_1002(url: str, other: Raw, bad: tuple[str, bytes]) -> None:
    with Bare(url) as peer:
        peer.say(HELLO)
        peer.send(bad[1])
        assert peer.code() == 1002


def test_compression_is_not_negotiated_and_its_bit_is_an_error(url: str, other: Raw) -> None:
    """So there is nothing that could be inflated, 1,000 to 1 or otherwise."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    with Bare(url, offer) as peer:
        assert b"101" in peer.head
        assert b"extensions" not in peer.head.lower()
        peer.say(b"\xaa\x56\x2a\xa9\x2c\x48\x55\xb2\x52", 0xC1)
        assert peer.code() == 1002


def test_a_million_fragments_are_closed_at_the_seventeenth(url: str, other: Raw) -> None:
    with Bare(url) as peer:
        peer.say(HELLO)
        peer.send(frame(b'"', 0x01))
        peer.send(frame(b"x", 0x00) * 20_000)
        assert peer.code() == 1008


def test_pings_beyond_ten_a_second_are_closed_with_4429(url: str, other: Raw, app: dash_devices.Dash) -> None:
    with Bare(url) as peer:
        peer.say(HELLO)
        peer.send(frame(b"", 0x89) * 2_000)
        assert peer.code() == 4429
    assert app.metrics["flooding_pages"] == 1


def test_some_pings_are_answered(url: str) -> None:
    with Bare(url) as peer:
        peer.send(frame(b"hi", 0x89) * 10)
        assert peer.stream.read(4) == b"\x8a\x02hi"


def test_invalid_utf8_over_fragments_is_closed_with_1007(url: str, other: Raw) -> None:
    with Bare(url) as peer:
        peer.say(HELLO)
        peer.send(frame(b'"\xe2\x82', 0x01) + frame(b'"', 0x80))
        assert peer.code() == 1007


def test_a_close_in_the_middle_of_a_message_is_no_fault(url: str, other: Raw, app: dash_devices.Dash) -> None:
    with Bare(url) as peer:
        peer.say(HELLO)
        peer.send(frame(b'"', 0x01) + frame((1000).to_bytes(2, "big"), 0x88) + frame(b'"', 0x80))
        assert peer.code() == 1000
    assert "protocol_errors" not in app.metrics


# ---- pace --------------------------------------------------------------------------------------------------------------
def test_a_thousand_changes_at_once_are_all_taken(url: str, raw: MakeRaw, app: dash_devices.Dash) -> None:
    page = raw(url).join()
    for number in range(1_000):
        page.change("a", "value", number)
    assert page.until("ack", n=1_000)
    assert app.get("a", "value") == 999
    assert app.metrics["slowed_pages"] == 0


def test_who_says_more_is_slowed_and_loses_nothing(serve: Callable[..., ServerThread], raw: MakeRaw) -> None:
    app = make_app(page_limits=PageLimits(messages_per_second=300))
    page = raw(serve(app).url).join()
    for number in range(900):
        page.change("a", "value", number)
    for number in range(900):
        assert page.until("ack", n=number + 1)
    assert app.get("a", "value") == 899
    assert app.metrics["slowed_pages"] == 1
    assert app.metrics["flooding_pages"] == 0


def test_who_goes_on_in_spite_of_that_is_closed_with_4429(
    serve: Callable[..., ServerThread], raw: MakeRaw, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(page_limits=PageLimits(messages_per_second=200, flood_seconds=0.5))
    server = serve(app)
    page, other = raw(server.url).join(), raw(server.url).join()
    with contextlib.suppress(ConnectionClosed):
        for number in range(5_000):
            page.change("a", "value", number)
    assert page.closed() in (4429, 1006)
    assert app.metrics["flooding_pages"] == 1
    assert sum("is read more slowly" in line for line in caplog.messages) == 1
    other.change("a", "value", "goes on")
    assert other.until("ack", n=1)
