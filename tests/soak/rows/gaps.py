"""Pages are away for a while: what do they get when they come back?

The clock is moved: `tests.soak.app.shift` puts ``time.time`` and ``time.monotonic`` of the server's process on, and the pages
are told that theirs went on as well. Gaps below ten seconds are real.
"""

from __future__ import annotations

import asyncio

from ..checker import Key
from ..proxy import Proxy
from ..server import Server
from ..swarm import Swarm, until
from ..table import Check, Context, at_most, exactly, told
from .common import equal_within, model_checks, on_loop

GAPS = {"1 s": 1.0, "9 s": 9.0, "2 min": 120.0, "10 min": 600.0, "24 h": 86_400.0}
REAL = 10.0  # s; longer gaps are this on the virtual clock
LEAVE_AFTER = 0.5  # s; so that the clients of a virtual gap have left before the clock is moved


def gaps(context: Context) -> list[Check]:
    """A gap of 1 s, 9 s, 2 min, 10 min, 24 h (virtual clock): delta or snapshot, no reload, no change from yesterday."""
    return on_loop(_gaps(context))


async def _gaps(context: Context) -> list[Check]:
    count = context.pages(100, 10)
    options = {"leave_after": LEAVE_AFTER}
    async with Server(options=options) as server, Proxy(server.port) as proxy, Swarm(proxy.port, count) as swarm:
        await swarm.join()
        checks: list[Check] = []
        gone = 0.0
        for name, seconds in GAPS.items():
            if not (context.short and 2 < seconds < REAL):
                gone += seconds if seconds > REAL else 0.0
                checks += await _gap(server, proxy, swarm, name, seconds, gone)
        server.history().check(swarm.journal, swarm.lives(), complete=swarm.lives())
    return [*checks, exactly("page reloads", swarm.total("reload")), *model_checks(swarm.journal)]


async def _gap(server: Server, proxy: Proxy, swarm: Swarm, name: str, seconds: float, gone: float) -> list[Check]:
    """One gap. ``gone``: s that the virtual clock stands ahead at its end."""
    before = {what: swarm.total(what) for what in ("delta", "snapshot")}
    lost = _not_done(swarm)
    for tab in swarm:
        tab.offline()
    proxy.refuses = True
    proxy.cut()
    await until(lambda: not any(tab.page.is_up for tab in swarm), 10, "all offline")
    old = swarm.tabs[0]
    made = f"made offline, before {name}"
    old.change("c0", f"{old.page.page} {made}")
    await asyncio.sleep(min(seconds, REAL if seconds < REAL else 4 * LEAVE_AFTER))
    if seconds > REAL:
        await _move_clock(server, swarm, gone)
    await server.ask("push", id="p0", value=f"news of {name}")
    loop = asyncio.get_running_loop()
    proxy.refuses = False
    begin = loop.time()
    for tab in swarm:
        tab.connect()
    wanted: tuple[Key, str] = (("p0", "children"), f"news of {name}")
    await until(
        lambda: all(tab.page.is_up and tab.page.shows[wanted[0]] == wanted[1] for tab in swarm), 20, strict=False
    )
    took = loop.time() - begin
    _, state = await equal_within(swarm, server, 20)
    swarm.journal.check_equal({tab.page.name: tab.page.shows for tab in swarm}, state)
    modes = ", ".join(f"{swarm.total(what) - count} {what}" for what, count in before.items())
    return [
        at_most(f"{name}: until all pages are as they should be", took, 1, "s", n=len(swarm.tabs)),
        told(f"{name}: answered with", modes),
        exactly(
            f"{name}: changes from its begin that are refused or not confirmed", _not_done(swarm) - lost, seconds > 5
        ),
        exactly(
            f"{name}: and that ran", sum(value.endswith(made) for value in server.history().all_runs()), seconds < 5
        ),
    ]


def _not_done(swarm: Swarm) -> int:
    return swarm.journal.refused["too_old"] + len(swarm.journal.unconfirmed)


async def _move_clock(server: Server, swarm: Swarm, gone: float) -> None:
    await server.ask("shift", seconds=gone)
    for tab in swarm:
        tab.page.late = -gone
    async with Swarm(server.port, 1) as visitor:  # the server forgets old tabs when somebody leaves
        await visitor.join()
