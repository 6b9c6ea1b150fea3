"""Everybody at once at the same control."""

from __future__ import annotations

import asyncio

from ...soak.rows.common import equal_within, model_checks, on_loop
from ...soak.server import Server
from ...soak.swarm import Swarm, until
from ...soak.table import Check, Context, exactly, told

CONTROL = "c1"
PATIENCE = 180.0  # s


def together(context: Context) -> list[Check]:
    """A thousand pages move one control at once: the newest by seq wins, and all of them show it."""
    return on_loop(_together(context))


async def _together(context: Context) -> list[Check]:
    count = context.pages(1_000, 40)
    async with Server() as server, Swarm(server.port, count) as swarm:
        await swarm.join()
        for place, tab in enumerate(swarm):
            tab.change(CONTROL, f"by {tab.page.name}")
            if place % 50 == 49:
                await asyncio.sleep(0)  # so that answers cross with what is still to be said
        await until(lambda: not any(tab.page.pending for tab in swarm), 60, "the answers")
        await server.quiet_state(PATIENCE)  # a thousand calls, each of them told to a thousand pages
        _, state = await equal_within(swarm, server, 60)
        epoch = swarm.tabs[0].page.epoch
        behind = swarm.differing(epoch, state)
        swarm.journal.check_state(epoch, state)
        server.history().check(swarm.journal, swarm.lives(), complete=[epoch])
        lost = sum(len(tab.closes) for tab in swarm)
    shown = {tab.page.shows.get((CONTROL, "value")) for tab in swarm}
    return [
        exactly("values of the control that pages show in the end", len(shown), 1),
        exactly("pages that do not show the server's state", len(behind)),
        exactly("lines lost", lost),
        exactly("changes refused", sum(swarm.journal.refused.values())),
        *model_checks(swarm.journal),
        told("changes", f"{len(swarm.journal.acks)} acknowledged, by {count} pages"),
    ]
