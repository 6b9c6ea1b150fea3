"""Some are slow, stalled or hang: what do the others feel, and what does it cost?"""

from __future__ import annotations

import asyncio
import contextlib
import signal

from ..proxy import Proxy
from ..server import MIB, Server
from ..swarm import Swarm, Tab, until
from ..table import Check, Context, at_most, exactly, quantile, told
from .common import answered, equal_within, latencies, model_checks, on_loop

KIB = 1024
BLOB = 64 * KIB  # bytes of the largest value: with it the state of a page is worth counting
SLOW_RATE = 10_000.0  # bytes per second
STALL = 8.0  # s; one that says nothing for 14 s is taken for gone, and its last word may be 5 s old
BATCHES = 8  # `limits.batches`: what may be on its way when a page stalls


def stalled(context: Context) -> list[Check]:
    """10 stalled pages and 50 at 10 kB/s among 200: what the others feel, what a stalled one costs, what it gets then."""
    return on_loop(_stalled(context))


async def _stalled(context: Context) -> list[Check]:
    quick, weak, stuck = context.pages(140, 14), context.pages(50, 4), context.pages(10, 2)
    cycles = context.times(3, 1)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server())
        proxy = await stack.enter_async_context(Proxy(server.port, small=True))
        others = await stack.enter_async_context(Swarm(server.port, quick + stuck))
        through = await stack.enter_async_context(Swarm(proxy.port, weak))
        await others.join()
        await through.join()
        measured, stalling = others.tabs[:quick], others.tabs[quick:]
        before = latencies(measured)
        for _ in range(cycles):
            await _load(server, context)
        for line in proxy.lines:
            line.to_page.rate = SLOW_RATE
        after, batches = latencies(measured), []
        for _ in range(cycles):
            batches += await _stall(server, others, stalling, context)
        for tab in measured:
            tab.on_frame = None
        cost = await _cost(server, others, context)
        for line in proxy.lines:
            line.mend()
        _, state = await equal_within(others, server, 30)
        await equal_within(through, server, 30)
        lost = sum(len(tab.closes) for swarm in (others, through) for tab in swarm)
        behind = [
            *others.differing(others.tabs[0].page.epoch, state),
            *through.differing(others.tabs[0].page.epoch, state),
        ]
    low, high = quantile(before, 0.99), quantile(after, 0.99)
    return [
        at_most("p99 of a push at the others: how much it moves", high - low, 5, "ms", n=len(after)),
        told(
            "p99 of a push at the others, without and with",
            f"{low:.1f} and {high:.1f} ms (n = {len(before)}, {len(after)})",
        ),
        at_most("batches until a page that stalled is exact, the most", max(batches), BATCHES + 1, "", is_timed=False),
        at_most("memory of the server for one stalled page", cost / KIB, (BLOB + 4 * KIB) / KIB + 64, "KiB"),
        exactly("pages not exact at the end", len(behind)),
        exactly("lines lost", lost),
        *model_checks(others.journal),
        *model_checks(through.journal),
    ]


async def _load(server: Server, context: Context) -> None:
    """For one stall's time: stamps, small values, and one large value a second."""
    seconds = STALL if not context.short else 2.0
    await server.ask("start", threads=2, rate=50, quiet=True)
    await server.ask("stamps", rate=20, seconds=seconds)
    for _ in range(int(seconds)):
        await server.ask("blob", size=BLOB)
        await asyncio.sleep(1)
    await server.ask("stop")


async def _stall(server: Server, swarm: Swarm, tabs: list[Tab], context: Context) -> list[int]:
    """These stop reading, and read again when all is quiet; how many batches each then had to take to be exact."""
    for tab in tabs:
        tab.wire and tab.wire.transport.pause_reading()
    await _load(server, context)
    state = await server.quiet_state()
    had = [tab.page.counts["mods"] for tab in tabs]
    for tab in tabs:
        tab.wire and tab.wire.transport.resume_reading()
    await until(lambda: not swarm.differing(tabs[0].page.epoch, state, tabs), 10, strict=False)
    return [tab.page.counts["mods"] - n for tab, n in zip(tabs, had, strict=True)]


async def _cost(server: Server, swarm: Swarm, context: Context) -> float:
    """Bytes that the server grew by for each page that stalls: of many, so that it can be told from noise."""
    tabs = swarm.tabs[: context.pages(100, 10)]
    await _load(server, context)
    before = server.rss
    for tab in tabs:
        tab.wire and tab.wire.transport.pause_reading()
    await _load(server, context)
    grown = server.rss - before
    for tab in tabs:
        tab.wire and tab.wire.transport.resume_reading()
    return max(0, grown) / len(tabs)


def threads(context: Context) -> list[Check]:
    """A callback that sleeps 10 s, a driver that hangs, 8 threads that push 10,000 a second each, from before the start on."""
    return on_loop(_threads(context))


async def _threads(context: Context) -> list[Check]:
    count, seconds = context.pages(50, 10), context.seconds(60, 4)
    async with Server(early=200 if context.short else 10_000) as server, Swarm(server.port, count) as swarm:
        await swarm.join()
        swarm.tabs[0].change("sleep", "12")
        swarm.tabs[1].change("driver", "on")
        times, acks, memory = latencies(swarm), [], []
        begin = asyncio.get_running_loop().time()
        before = sum((await server.ask("state"))["pushes"].values())
        await server.ask("stamps", rate=20, seconds=seconds)
        while (now := asyncio.get_running_loop().time() - begin) < seconds:
            tab = swarm.tabs[2 + len(acks) % (count - 2)]
            acks.append(await answered(tab, lambda tab=tab, n=len(acks): tab.change("c0", f"{tab.page.name} {n}")))
            memory.append((now, server.rss / MIB))
            await asyncio.sleep(0.1)
        named = [name in server.text for name in ("sleeps_ten_seconds", "hangs_in_its_driver")]
        rate = (sum((await server.ask("state"))["pushes"].values()) - before) / seconds
        await server.ask("stop")
        _, state = await equal_within(swarm, server, 20)
        behind = swarm.differing(swarm.tabs[0].page.epoch, state)
        lost = sum(len(tab.closes) for tab in swarm)
        status, took = await _stop_under_load(server)
    half = [mib for now, mib in memory if now > seconds / 2]
    return [
        at_most("p99 of a push at the pages", quantile(times, 0.99), 50, "ms", n=len(times)),
        at_most("p99 of a change until its ack", quantile(acks, 0.99), 50, "ms", n=len(acks)),
        exactly("disconnects", lost),
        Check(
            "the log names the slow function, and the one that hangs",
            "both",
            str(sum(named)),
            all(named),
            is_timed=True,
        ),
        exactly("pages that do not show the last values", len(behind)),
        at_most("memory in the second half: last minus first", half[-1] - half[0], 2, "MiB"),
        exactly("exit status when told to end while threads push", -99 if status is None else status),
        at_most("until it has ended", took, 3, "s"),
        told("pushes per second of all threads", f"{rate:,.0f} (80,000 wanted; one interpreter lock for all)"),
        *model_checks(swarm.journal),
    ]


async def _stop_under_load(server: Server) -> tuple[int | None, float]:
    await server.ask("start", threads=8, rate=10_000, quiet=True)
    begin = asyncio.get_running_loop().time()
    server.signal(signal.SIGTERM)
    status = await server.ended(10)
    return status, asyncio.get_running_loop().time() - begin
