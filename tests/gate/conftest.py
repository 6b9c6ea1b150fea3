"""Fixture ``guarded``: the app with a login, served."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .apps import with_login


@pytest.fixture
def guarded(serve: Callable[..., Any]) -> Any:
    """The app with a login, served; ``guarded.app``."""
    return serve(with_login())
