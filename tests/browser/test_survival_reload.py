"""Another layout, or another version of the wire: the page reloads, once, and what was half-typed is still there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from dash_devices import protocol
from tests.support import ServerThread, free_port

from .survival import CONNECTED, NOT_CONNECTED, TYPING, make_app, opened, start_typing

if TYPE_CHECKING:
    from playwright.sync_api import Page

COUNT_LOADS = "sessionStorage.loads = 1 + Number(sessionStorage.loads ?? 0)"
LOADS = "() => Number(sessionStorage.loads ?? 0)"


def test_another_layout_reloads_once_and_what_was_half_typed_comes_back(
    serve: Callable[..., ServerThread], tab: Callable[..., Page]
) -> None:
    port = free_port()
    server = serve(make_app(), port=port)
    page = opened(tab, server.url)
    page.add_init_script(COUNT_LOADS)
    before = start_typing(page)
    server.stop()
    page.wait_for_function(NOT_CONNECTED)
    serve(make_app("Another supply"), port=port)
    page.wait_for_function("() => document.querySelector('h3')?.textContent === 'Another supply'")
    page.wait_for_function("(text) => document.getElementById('note')?.value === text", arg=before["text"])
    page.wait_for_function("() => document.activeElement.id === 'note'")
    after = page.evaluate(TYPING)
    assert {key: after[key] for key in ("text", "caret", "focus")} == {
        key: before[key] for key in ("text", "caret", "focus")
    }
    assert after["load"] is None
    assert page.evaluate(LOADS) == 1
    # The text is the user's still: entering it is a change as ever.
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(text) => document.getElementById('shown').textContent === text + ' 30 low'", arg=before["text"]
    )
    page.wait_for_function(CONNECTED)
    assert page.evaluate(LOADS) == 1


def test_another_version_reloads_once_and_then_says_so(
    serve: Callable[..., ServerThread], tab: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    server = serve(make_app(), port=port)
    page = tab(server.url, allow_errors=True)
    page.add_init_script(COUNT_LOADS)
    server.stop()
    page.wait_for_function(NOT_CONNECTED)
    monkeypatch.setattr(protocol, "VERSION", protocol.VERSION + 1)
    serve(make_app(), port=port)
    page.wait_for_function("() => window.dash_devices?.status === 'gone'")
    assert page.evaluate(LOADS) == 1
    assert page.locator("#_dash-devices-mark").text_content() == "Please reload"
