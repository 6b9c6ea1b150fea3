"""Cookies that wait to be fetched: once, and no page at the cost of another."""

from __future__ import annotations

import pytest

from dash_devices.dash_glue import cookies as module
from dash_devices.dash_glue.cookies import WaitingCookies


def test_cookies_are_given_once() -> None:
    waiting = WaitingCookies()
    nonce = waiting.keep("page", ["a=1", "b=2"])
    assert waiting.take(nonce) == ["a=1", "b=2"]
    assert waiting.take(nonce) == waiting.take("guessed") == []
    assert waiting.size == 0


@pytest.mark.fault("A20")
def test_a_page_pushes_out_its_own_alone() -> None:
    waiting = WaitingCookies()
    other = waiting.keep("other", ["session=1"])
    own = [waiting.keep("page", [f"n={number}"]) for number in range(module.MOST_EACH + 1)]
    assert waiting.take(own[0]) == []
    assert waiting.take(own[1]) == ["n=1"]
    assert waiting.take(other) == ["session=1"]


@pytest.mark.fault("A20")
def test_they_are_bounded_in_bytes() -> None:
    waiting = WaitingCookies()
    for number in range(20):
        waiting.keep("page", [f"{number}={'x' * 50_000}"])
        assert waiting.size <= module.MOST_BYTES_EACH
    for number in range(100):
        waiting.keep(f"page {number}", ["x" * module.MOST_BYTES_EACH])
        assert waiting.size <= module.MOST_BYTES
    assert waiting.take(waiting.keep("page", ["x" * (module.MOST_BYTES_EACH + 1)])) == [], "not even one may be larger"
