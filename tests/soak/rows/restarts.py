"""The server dies, or is told to go, and comes back: who notices, and how soon is all as it should be?"""

from __future__ import annotations

import asyncio
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

from ..names import CONTROLS
from ..server import Server
from ..swarm import Swarm, Tab, steadily, until
from ..table import Check, Context, at_most, exactly, quantile, told
from .common import equal_within, model_checks, on_loop

WRITERS = 20
STORM = 0.1  # s: the width of the busiest moment of a storm


def kill9(context: Context) -> list[Check]:
    """``kill -9`` under 20 writers with 1,000 connected pages, restart, 30 times in a row."""
    return on_loop(_kill9(context))


async def _kill9(context: Context) -> list[Check]:
    count, cycles = context.pages(1_000, 40), context.times(30, 2)
    async with Server() as server, Swarm(server.port, count) as swarm:
        await swarm.join()
        lives, times, equal = swarm.lives(), [], []
        for cycle in range(cycles):
            await _write(swarm, 0.5 if context.short else 2.0, f"cycle {cycle}")
            server.kill()
            server.start()
            begin = asyncio.get_running_loop().time()
            await server.up()
            end, state = await equal_within(swarm, server, 30)
            lives |= swarm.lives()
            times.append(end - begin)
            equal.append(len(swarm.digests(state)) == 1)
        swarm.journal.check_equal({tab.page.name: tab.page.shows for tab in swarm}, state)
        server.history().check(swarm.journal, lives, complete=list(swarm.lives()))
    return [
        at_most("from the start of the process until all pages are equal, the longest", max(times), 5, "s", n=cycles),
        exactly("restarts after which a page showed another state", equal.count(False)),
        exactly("page reloads", swarm.total("reload")),
        *model_checks(swarm.journal),
        told("the same, median", f"{quantile(times, 0.5):.1f} s"),
        told(
            "changes", f"{len(swarm.journal.acks)} acknowledged, {len(swarm.journal.unconfirmed)} told 'not confirmed'"
        ),
    ]


async def _write(swarm: Swarm, seconds: float, label: str) -> None:
    """Twenty pages change a control each, once a second, in turn."""
    writers = swarm.tabs[:WRITERS]

    def change(number: int) -> None:
        tab = writers[number % len(writers)]
        tab.change(f"c{random.randrange(CONTROLS)}", f"{label} {tab.page.name} {tab.page.page} {number}")

    await steadily(len(writers), seconds, change)


def burst(context: Context) -> list[Check]:
    """1,000 connects in one burst; then 1,000 reconnects after a restart."""
    return on_loop(_burst(context))


async def _burst(context: Context) -> list[Check]:
    count = context.pages(1_000, 40)
    async with Server() as server, Swarm(server.port, count) as swarm:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for tab in swarm:
            tab.connect()
        joined = await until(lambda: all(tab.page.seq is not None for tab in swarm), 60, strict=False)
        first = loop.time() - begin
        tries = sum(len(tab.tries) for tab in swarm)
        server.signal(signal.SIGTERM)
        await server.ended(10)
        server.start()
        await server.up()
        up = loop.time()
        waits = await _snapshots(swarm)
        back = loop.time() - up
        state = await server.quiet_state()
        busiest = _busiest([tab.tries[-1] for tab in swarm])
    return [
        at_most("burst: until the last page has its layout", first, 2, "s", n=count),
        exactly("burst: pages without a layout, or that had to try again", tries - count if joined else count),
        at_most(
            "reconnects: a page's connect until its snapshot, the longest", max(waits, default=99), 2, "s", n=count
        ),
        exactly("reconnects: pages not back", count - len(waits)),
        exactly("reconnects: page reloads", swarm.total("reload")),
        exactly("states seen", len(swarm.digests(state)), 1),
        at_most(f"reconnects in the busiest {STORM:g} s, of all", 100 * busiest / count, 25, "%"),
        told("reconnects: the last page is back after the port answers", f"{back:.1f} s"),
    ]


async def _snapshots(swarm: Swarm) -> list[float]:
    """Wait until all pages are back; seconds from each one's connect until its snapshot was applied."""
    loop = asyncio.get_running_loop()
    waits: dict[Tab, float] = {}

    def look() -> bool:
        for tab in swarm:
            if tab not in waits and tab.page.counts["snapshot"] and tab.page.seq:
                waits[tab] = loop.time() - tab.tries[-1]
        return len(waits) == len(swarm.tabs)

    await until(look, 30, strict=False)
    return list(waits.values())


def _busiest(times: list[float]) -> int:
    """The most events within any `STORM` seconds."""
    window: collections.deque[float] = collections.deque()
    most = 0
    for time in sorted(times):
        window.append(time)
        while time - window[0] > STORM:
            window.popleft()
        most = max(most, len(window))
    return most


def sigterm(context: Context) -> list[Check]:
    """SIGTERM with 1,000 pages: all are told, answers are flushed, it ends."""
    return [check for python in pythons() for check in on_loop(_sigterm(context, python, _version(python)))]


def pythons() -> Iterator[str]:
    """This interpreter, and the one that ``SOAK_PYTHON`` names (a newer one that has the package's requirements too)."""
    yield sys.executable
    other = shutil.which(os.environ.get("SOAK_PYTHON", ""))
    if other is not None:
        yield other


def _version(python: str) -> str:
    return subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.strip()


async def _sigterm(context: Context, python: str, name: str) -> list[Check]:
    count = context.pages(1_000, 40)
    async with Server(python=python) as server, Swarm(server.port, count) as swarm:
        loop = asyncio.get_running_loop()
        await swarm.join()
        lives = swarm.lives()
        writing = loop.create_task(_write(swarm, 60, "until the end"))
        await asyncio.sleep(1)
        begin = loop.time()
        server.signal(signal.SIGTERM)
        status = await server.ended(10)
        ended = loop.time() - begin
        writing.cancel()
        for tab in swarm:
            tab.offline()
        await until(lambda: all(tab.closes for tab in swarm), 5, strict=False)
        told_at = [tab.closes[0][0] - begin for tab in swarm if tab.closes]
        hints = sum(bool(tab.closes) and tab.closes[0][1] == 1012 and "retry" in tab.closes[0][2] for tab in swarm)
        ran = set(server.history().runs[next(iter(lives.values()))])
        owed = sum(v in ran for tab in swarm for p in tab.page.pending.values() for _, _, v in p.message["values"])
        errors = server.text.count("Traceback")
    return [
        at_most(f"{name}: until the last page is told", max(told_at, default=99), 1, "s", n=len(told_at)),
        exactly(f"{name}: pages told 1012 and when to retry", hints, count),
        exactly(f"{name}: changes that ran and were not acknowledged", owed),
        at_most(f"{name}: until the process has ended", ended, 3, "s"),
        exactly(f"{name}: exit status", -99 if status is None else status),
        exactly(f"{name}: tracebacks", errors),
    ]
