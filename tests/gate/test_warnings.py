"""What a start says about who can reach the app."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from dash_devices.dash_glue import backend

from .apps import make_app


@pytest.mark.parametrize(
    ("host", "debug", "warns"),
    [
        ("0.0.0.0", True, True),
        ("::", True, True),
        ("192.0.2.1", True, True),
        ("127.0.0.1", True, False),
        ("localhost", True, False),
        ("::1", True, False),
        ("0.0.0.0", False, False),
    ],
)
def test_debug_that_others_can_reach_is_warned_of(
    host: str, debug: bool, warns: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(backend, "serve", lambda app, **options: served.append(options))
    with caplog.at_level(logging.WARNING):
        make_app().run(host=host, port=8050, debug=debug, use_reloader=False)
    assert len(served) == 1
    found = [record.getMessage() for record in caplog.records if "debug=True" in record.getMessage()]
    assert len(found) == warns
    assert all("sees tracebacks" in line for line in found)
