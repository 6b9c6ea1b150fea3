"""With ``--authenticate`` the server of the rows really asks: without the token nobody comes in."""

from __future__ import annotations

import urllib.error

import pytest

from .names import TOKEN
from .rows.common import equal_within, on_loop
from .server import NO_PROXY, Server
from .swarm import Swarm
from .table import Check


def test_the_rows_run_against_a_server_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with the token changes a control; a request without it gets nothing."""
    monkeypatch.setenv("SOAK_AUTHENTICATE", "1")

    async def use() -> list[Check]:
        async with Server() as server, Swarm(server.port, 2) as swarm:
            for path in ("/", "/soak/state", f"/soak/state?token={TOKEN}"):
                with pytest.raises(urllib.error.HTTPError, match="401"):
                    NO_PROXY.open(server.url + path, timeout=10)
            await swarm.join()
            swarm.tabs[0].change("c1", "let in")
            _, state = await equal_within(swarm, server, 10)
            assert state["e1", "children"] == "let in"
            assert not swarm.differing(swarm.tabs[0].page.epoch, state)
        return []

    on_loop(use())
