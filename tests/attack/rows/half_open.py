"""Handshakes that never end: what the others feel, and what they cost."""

from __future__ import annotations

import asyncio
import sys

from ...soak.rows.common import answered, on_loop
from ...soak.server import MIB, ROOT, Server
from ...soak.swarm import Swarm, Tab
from ...soak.table import Check, Context, at_most, exactly, quantile, told

LINES = 1_000


def half_open(context: Context) -> list[Check]:
    """1,000 half-open handshakes at any time for 30 s, begun again as they are cut: p99 of a probe, memory."""
    return on_loop(_half_open(context.seconds(30, 5)))


async def _half_open(seconds: float) -> list[Check]:
    async with Server() as server, Swarm(server.port, 1) as swarm:
        await swarm.join()
        (probe,) = swarm.tabs
        before, base = await _probe(server, probe, 5.0)
        command = [sys.executable, "-m", "tests.attack.holders", str(server.port), str(LINES)]
        holders = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        try:
            after, peak = await _probe(server, probe, seconds)
        finally:
            holders.terminate()
        said, _ = await holders.communicate()
        lost = len(probe.closes)
    return [
        at_most("p99 of a probe's change until its answer", quantile(after, 0.99), 50, "ms", n=len(after)),
        at_most("memory that they take, at most", (peak - base) / MIB, 16, "MiB"),
        exactly("lines of the probe lost", lost),
        told("the same without them, p99", f"{quantile(before, 0.99):.1f} ms (n = {len(before)})"),
        told("half-open lines", said.decode().strip()),
    ]


async def _probe(server: Server, probe: Tab, seconds: float) -> tuple[list[float], int]:
    """ms of changes until their answers, one after the other, and the most memory that the server had meanwhile."""
    times: list[float] = []
    peak, end = server.rss, asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        times.append(await answered(probe, lambda: probe.change("c0", f"{len(times)} {seconds}")))
        peak = max(peak, server.rss)
        await asyncio.sleep(0.02)
    return times, peak
