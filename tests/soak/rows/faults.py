"""Lines that break at random while everybody writes: is there still one order, and is nothing lost or run twice?"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from ..checker import Journal
from ..names import CONTROLS
from ..proxy import Line, Proxy
from ..server import Server
from ..swarm import Swarm, Tab, until
from ..table import Check, Context, at_most, exactly, told
from .common import model_checks, on_loop

THREADS = 8
LONGEST = 12.0  # s that a line stays broken: longer than a page, or the server, believes in it


def faults(context: Context) -> list[Check]:
    """Random cut, half-open line, delay, resent change; 10^6 changes, 200 pages, 8 pushing threads."""
    return on_loop(_faults(context))


async def _faults(context: Context) -> list[Check]:
    wanted = context.times(1_000_000, 20_000)
    pushes = int(wanted * 0.9)
    count = context.pages(200, 20)
    async with Server() as server, Proxy(server.port) as proxy, Swarm(proxy.port, count) as swarm:
        await swarm.join()
        rate = 3_000 / THREADS
        await server.ask("start", threads=THREADS, rate=rate, each=pushes // THREADS)
        chaos = asyncio.get_running_loop().create_task(
            _break_lines(proxy, *((count, 2.0) if context.short else (count / 5, LONGEST)))
        )
        changes = await _change(swarm, wanted - pushes, seconds=pushes / rate / THREADS)
        await _pushed(server)
        chaos.cancel()
        await asyncio.gather(chaos, return_exceptions=True)
        seconds = await _mend(proxy, swarm)
        return await _verdict(server, swarm, changes, seconds)


async def _change(swarm: Swarm, count: int, seconds: float) -> int:
    """All pages change controls, now and then a change is sent a second time."""
    loop = asyncio.get_running_loop()
    begin, done = loop.time(), 0
    while done < count:
        tab = random.choice(swarm.tabs)
        if tab.page.seq is not None:
            number = random.randrange(CONTROLS)
            tab.change(f"c{number}", f"{tab.page.name} {tab.page.page} {done}")
            done += 1
            if random.random() < 0.05:
                tab.resend()
        if (early := begin + done * seconds / count - loop.time()) > 0.001:
            await asyncio.sleep(early)
    return done


async def _pushed(server: Server) -> None:
    """Wait until all threads have pushed what they should."""
    while (await server.ask("alive"))["alive"]:  # noqa: ASYNC110 - it goes on in another process
        await asyncio.sleep(0.5)


async def _break_lines(proxy: Proxy, rate: float, longest: float) -> None:
    """``rate`` faults a second, each mended again within ``longest`` seconds."""
    kinds: list[Callable[[Line], None]] = [
        lambda line: line.cut(),
        lambda line: line.half_open(),
        lambda line: setattr(line.to_page, "stalled", True),
        lambda line: setattr(line.to_server, "stalled", True),
        lambda line: line.slow(None, random.uniform(0.01, 0.3)),
        lambda line: line.slow(random.choice((1.0, 1_000.0, 20_000.0))),
    ]
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(random.expovariate(rate))
        if proxy.lines:
            line = random.choice(list(proxy.lines))
            random.choice(kinds)(line)
            loop.call_later(random.uniform(0.0, longest), lambda line=line: line in proxy.lines and line.mend())


async def _mend(proxy: Proxy, swarm: Swarm) -> float:
    """Everything works again; seconds until all pages are up and owe nothing."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for line in list(proxy.lines):
        line.mend()
    await until(lambda: all(tab.page.is_up and not tab.page.pending for tab in swarm), 60, "all pages up", strict=False)
    return loop.time() - begin


async def _verdict(server: Server, swarm: Swarm, changes: int, seconds: float) -> list[Check]:
    state = await server.quiet_state()
    journal, lives = swarm.journal, swarm.lives()
    epoch = next(iter(lives))
    await until(lambda: not swarm.differing(epoch, state), 30, strict=False)
    journal.check_state(epoch, state)
    journal.check_equal({tab.page.name: tab.page.shows for tab in swarm}, state)
    history = server.history()
    history.check(journal, lives, complete=lives)
    stores = sum(map(len, history.stores.values()))
    metrics = (await server.ask("state"))["metrics"]
    return [
        *model_checks(journal),
        exactly("pages that do not show the server's state at the end", len(swarm.differing(epoch, state))),
        exactly("divergences that heartbeats found", metrics.get("divergences", 0)),
        exactly("page reloads", swarm.total("reload")),
        at_most("all pages up and settled after the last fault", seconds, 20, "s"),
        told("changes", f"{stores} pushed, {changes} by pages, {len(journal.acks)} acknowledged, {refused(journal)}"),
        told("values seen by pages", f"{journal.seen}, over {lines_of(swarm)} lines"),
    ]


def refused(journal: Journal) -> str:
    """How many changes were refused, and why."""
    return f"refused {dict(journal.refused) or 'none'}"


def lines_of(swarm: Swarm) -> int:
    """How many lines the pages have had."""

    def opened(tab: Tab) -> int:
        return tab.page.counts["fresh"] + tab.page.counts["delta"] + tab.page.counts["snapshot"]

    return sum(map(opened, swarm))
