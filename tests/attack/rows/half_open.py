"""Handshakes that never end: what the others feel, and what they cost."""

from __future__ import annotations

import asyncio
import contextlib

from dash_devices.protocol import PATH

from ...soak.rows.common import answered, on_loop
from ...soak.server import MIB, Server
from ...soak.swarm import Swarm
from ...soak.table import Check, Context, at_most, exactly, quantile, told

LINES = 1_000
BEGINNINGS = [
    b"",
    b"GET",
    f"GET /{PATH} HTTP/1.1\r\nHost: 127".encode(),
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 4_000,
    b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


def half_open(context: Context) -> list[Check]:
    """1,000 half-open handshakes at any time for 30 s, begun again as they are cut: p99 of a probe, memory."""
    return on_loop(_half_open(context))


async def _half_open(context: Context) -> list[Check]:
    seconds = context.seconds(30, 5)
    async with Server() as server, Swarm(server.port, 1) as swarm:
        await swarm.join()
        (probe,) = swarm.tabs
        before = [
            await answered(probe, lambda number=number: probe.change("c0", f"a{number}")) for number in range(300)
        ]
        base = server.rss
        counts = {"opened": 0, "cut": 0}
        holders = [asyncio.create_task(_hold(server.port, number, counts)) for number in range(LINES)]
        after, peak = [], base
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            after.append(await answered(probe, lambda: probe.change("c0", f"b{len(after)}")))
            peak = max(peak, server.rss)
            await asyncio.sleep(0.02)
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)
        lost = len(probe.closes)
    return [
        at_most("p99 of a probe's change until its answer", quantile(after, 0.99), 50, "ms", n=len(after)),
        at_most("memory that they take, at most", (peak - base) / MIB, 16, "MiB"),
        exactly("lines of the probe lost", lost),
        told("the same without them, p99", f"{quantile(before, 0.99):.1f} ms (n = {len(before)})"),
        told("half-open lines", f"{counts['opened']} begun, {counts['cut']} cut by the server"),
    ]


async def _hold(port: int, number: int, counts: dict[str, int]) -> None:
    """Keep one half-open line; begin another when it is cut."""
    while True:
        with contextlib.suppress(ConnectionError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                counts["opened"] += 1
                writer.write(BEGINNINGS[number % len(BEGINNINGS)])
                await reader.read()
                counts["cut"] += 1
            finally:
                writer.close()
