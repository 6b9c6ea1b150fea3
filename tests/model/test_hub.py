"""The pages of the model against the real hub: every history of the protocol converges."""

from __future__ import annotations

from typing import Any

import pytest

from dash_devices import outbox

from .model import BATCHES
from .real_server import RealServer
from .support import run
from .test_model import Histories


class RealHistories(Histories):
    """Two pages of the model, lossy lines, the real hub."""

    server_class: Any = RealServer


def test_every_history_with_the_real_hub_converges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_BATCHES", BATCHES)
    run(RealHistories, examples=400)
