"""What rows share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from dash_devices.server import new_event_loop

from ..checker import Journal, Key
from ..page import decode
from ..server import Server
from ..swarm import Swarm, Tab, until
from ..table import Check, exactly

STAMP = ("stamp", "children")


def on_loop(coroutine: Coroutine[Any, Any, list[Check]]) -> list[Check]:
    """Run a row on a loop of its own, the fast one where it is there."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(coroutine)


def model_checks(journal: Journal) -> list[Check]:
    """What breaks the model is one count; the first faults are told in words."""
    return [exactly("inversions, double runs, losses", journal.fault_count, detail="; ".join(journal.faults[:3]))]


async def equal_within(swarm: Swarm, server: Server, timeout: float) -> tuple[float, dict[Key, Any]]:
    """Wait until all pages show what the server holds; when that was (on the loop's clock), and the state."""
    state = await server.quiet_state()
    epoch = await epoch_of(swarm, timeout)
    await until(lambda: not swarm.differing(epoch, state), timeout, strict=False)
    return asyncio.get_running_loop().time(), state


async def epoch_of(swarm: Swarm, timeout: float) -> str:
    """The epoch that pages are in, once one is up."""
    await until(lambda: any(tab.page.is_up for tab in swarm), timeout, "a page that is up")
    return next(tab.page.epoch for tab in swarm if tab.page.is_up)


def latencies(tabs: Iterable[Tab]) -> list[float]:
    """A list that gets the ms from each stamp's push until each of these pages has it."""
    times: list[float] = []

    def listen(frame: bytes) -> None:
        now = time.perf_counter_ns()
        for message in decode(frame):
            if message["type"] == "mods":
                times.extend(
                    (now - triple[2]) / 1e6 for triple in message["mods"] if triple[0] == "stamp" and triple[2]
                )

    for tab in tabs:
        tab.on_frame = listen
    return times


async def answered(tab: Tab, change: Callable[[], None], timeout: float = 30.0) -> float:
    """Make a change; ms until it is answered."""
    begin = time.perf_counter()
    change()
    future = asyncio.get_running_loop().create_future()
    tab.page.on_settled = lambda: future.done() or future.set_result(None)
    if tab.page.pending:
        await asyncio.wait_for(future, timeout)
    return (time.perf_counter() - begin) * 1000
