"""Fixture ``child``: the app in a second process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .support import Child

RUN = ["-m", "tests.running.child", "{port}"]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """``child(command, port=, environment=) -> Child``; ``app.run()`` by default. Killed after the test."""
    with ExitStack() as stack:

        def start(command: list[str] | None = None, **options: Any) -> Child:
            return stack.enter_context(Child(command or RUN, tmp_path / "notes", **options))

        yield start
