"""Fixtures of the tests of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .helpers import gated


@pytest.fixture
def gated_tab(tab: Callable[..., Any], browser: Any) -> Iterator[Callable[..., Any]]:
    """``tab`` whose pages have the gate."""
    context = gated(browser)
    yield lambda url, **options: tab(url, context=context, **options)
    context.close()


@pytest.fixture
def gated_tabs(tab: Callable[..., Any], browser: Any) -> Iterator[Callable[..., list[Any]]]:
    """``gated_tabs(url, count)``: tabs with the gate, each in a window of its own: those behind another one are slow."""
    contexts: list[Any] = []

    def opened(url: str, count: int, **options: Any) -> list[Any]:
        mine = [gated(browser) for _ in range(count)]
        contexts.extend(mine)
        return [tab(url, context=context, **options) for context in mine]

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def people(raw: Callable[..., Any]) -> Callable[[str], tuple[Any, Any]]:
    """``people(url)``: the page of an admin, and that of a guest; see `rights`."""
    return lambda url: (raw(url, headers={"User-Agent": "admin"}).join(), raw(url).join())
