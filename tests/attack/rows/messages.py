"""Floods and bombs from one client: what it costs, what the others feel, and what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from ...soak.rows.common import equal_within, latencies, model_checks, on_loop
from ...soak.server import MIB, ROOT, Server
from ...soak.swarm import Swarm, Tab, steadily
from ...soak.table import Check, Context, at_most, exactly, quantile, told

GROWTH = 16.0  # MiB
PROBE = 50.0  # ms
HONEST = 10  # pages
MOUSE = 125.0  # changes per second


async def _flooder(port: int, mode: str, seconds: float) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.attack.flooder", str(port), mode, str(seconds)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return dict(json.loads(output))


class Scene:
    """A server with honest pages: one moves its mouse, one makes a thousand changes at once, all get pushes."""

    def __init__(self, server: Server, swarm: Swarm) -> None:
        self.server, self.swarm = server, swarm
        self.times: list[float] = []
        self.highest = self.before = 0

    async def under(self, mode: str, seconds: float) -> dict[str, Any]:
        """What became of one flood."""
        self.before = self.highest = self.server.rss
        self.times = latencies(self.swarm)
        await self.server.ask("stamps", rate=20, seconds=seconds)
        told, *_ = await asyncio.gather(
            _flooder(self.server.port, mode, seconds),
            steadily(MOUSE, seconds, lambda n: self.swarm.tabs[0].change("c0", f"mouse {mode} {n}")),
            self._bursts(self.swarm.tabs[1], seconds, mode),
            self._watch_memory(seconds),
        )
        await asyncio.sleep(1)
        return told

    async def calm(self) -> Check:
        """What the others feel without anything of the kind: the machine has its share in what they feel later."""
        self.times = latencies(self.swarm)
        await self.server.ask("stamps", rate=20, seconds=5)
        await asyncio.gather(
            steadily(MOUSE, 5, lambda n: self.swarm.tabs[0].change("c0", f"calm {n}")),
            self._bursts(self.swarm.tabs[1], 5, "calm"),
        )
        return told("before: p99 of a push", f"{quantile(self.times, 0.99):.1f} ms (n = {len(self.times)})")

    async def _bursts(self, tab: Tab, seconds: float, mode: str) -> None:
        for burst in range(max(1, int(seconds / 5))):
            for n in range(1_000):
                tab.change("c2", f"burst {mode} {burst} {n}")
                if n % 10 == 9:
                    await asyncio.sleep(0.01)  # a thousand in a second
            await asyncio.sleep(3.5)

    async def _watch_memory(self, seconds: float) -> None:
        for _ in range(int(seconds * 5)):
            self.highest = max(self.highest, self.server.rss)
            await asyncio.sleep(0.2)

    def checks(self, what: str, peak: float | None = GROWTH) -> list[Check]:
        """What the others felt, and what it cost."""
        grown, highest = (self.server.rss - self.before) / MIB, (self.highest - self.before) / MIB
        memory = (
            at_most(f"{what}: memory at its highest", highest, peak, "MiB")
            if peak
            else told(f"{what}: memory at its highest", f"{highest:.1f} MiB")
        )
        return [
            at_most(f"{what}: p99 of a push at the others", quantile(self.times, 0.99), PROBE, "ms", n=len(self.times)),
            memory,
            at_most(f"{what}: memory kept", grown, GROWTH, "MiB"),
        ]

    async def end(self) -> list[Check]:
        """Did the honest pages lose anything?"""
        _, state = await equal_within(self.swarm, self.server, 60)
        behind = self.swarm.differing(self.swarm.tabs[0].page.epoch, state)
        return [
            exactly("honest pages: lines lost", sum(len(tab.closes) for tab in self.swarm)),
            exactly("honest pages: changes refused", sum(self.swarm.journal.refused.values())),
            exactly("honest pages not exact at the end", len(behind)),
            *model_checks(self.swarm.journal),
        ]


@contextlib.asynccontextmanager
async def _scene() -> AsyncIterator[Scene]:
    async with Server() as server, Swarm(server.port, HONEST) as swarm:
        await swarm.join()
        scene = Scene(server, swarm)
        await steadily(MOUSE, 3, lambda n: swarm.tabs[0].change("c0", f"warm {n}"))
        yield scene


def flood(context: Context) -> list[Check]:
    """10,000 messages a second, and 50 MB a second, from one client: what the others feel, what it costs, what it gets."""
    return on_loop(_flood(context))


async def _flood(context: Context) -> list[Check]:
    seconds, checks = max(16.0, context.seconds(60, 16) / 2), []
    async with _scene() as scene:
        checks.append(await scene.calm())
        for mode in ("small", "large"):
            came = await scene.under(mode, seconds)
            metrics = (await scene.server.ask("state"))["metrics"]
            closed = came["codes"].get("4429", 0)
            longest = max(came["lasted"])
            checks += scene.checks(mode)
            checks += [
                Check(f"{mode}: slowed, then closed with 4429", ">= 1", f"{closed} of {came['codes']}", closed >= 1),
                told(
                    f"{mode}: taken", f"{came['sent'] / seconds / 1e6:.1f} MB/s; {metrics['slowed_pages']} times slowed"
                ),
                told(f"{mode}: longest until it was closed", f"{longest:.1f} s"),
            ]
        checks += await scene.end()
    return checks


def bombs(context: Context) -> list[Check]:
    """Deflate bombs, JSON bombs, a million fragments, pings: refused before anything is inflated, built or joined."""
    return on_loop(_bombs(context))


async def _bombs(context: Context) -> list[Check]:
    seconds, checks = max(5.0, context.seconds(20, 5)), []
    wanted = {"deflate": "1002", "fragments": "1008", "pings": "4429", "bombs": "4429"}
    async with _scene() as scene:
        for mode, code in wanted.items():
            longer = seconds if mode != "bombs" else max(14.0, seconds)  # until it is taken for a flood
            came = await scene.under(mode, longer)
            others = {name: count for name, count in came["codes"].items() if name not in (code, "still open")}
            # 24 MiB in one message are allowed: the message itself is in memory while it is read
            checks += scene.checks(mode, None if mode == "bombs" else GROWTH)
            checks.append(Check(f"{mode}: closed with", f"only {code}", str(came["codes"]), not others))
        checks += await scene.end()
    return checks
