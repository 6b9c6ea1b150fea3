"""Fixture ``child``: the app in a second process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dash_devices import http_connections

from .hostile import make_app
from .support import Child

RUN = ["-m", "tests.running.child", "{port}"]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """``child(command, port=, environment=) -> Child``; ``app.run()`` by default. Killed after the test."""
    with ExitStack() as stack:

        def start(command: list[str] | None = None, **options: Any) -> Child:
            return stack.enter_context(Child(command or RUN, tmp_path / "notes", **options))

        yield start


@pytest.fixture
def app() -> Any:
    """An app for hostile pages."""
    return make_app()


@pytest.fixture
def url(app: Any, serve: Callable[..., Any]) -> str:
    """Where it is served by ``app.run()``."""
    return serve(app).url


@pytest.fixture
def other(url: str, raw: Callable[..., Any]) -> Iterator[Any]:
    """A page that must be served whatever the test does."""
    page = raw(url).join()
    yield page
    page.change("a", "value", "goes on")
    page.until("ack")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times of HTTP connections are short."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "READ_SECONDS"):
        monkeypatch.setattr(http_connections, name, 0.3)
    monkeypatch.setattr(http_connections, "SWEEP_SECONDS", 0.05)
