"""What one page may make the server do: requests without end, and the worst single messages that are allowed."""

from __future__ import annotations

import asyncio

from ...raw import Closed, Raw, Silent
from ...soak.rows.common import on_loop
from ...soak.server import MIB, Server
from ...soak.swarm import Swarm, steadily
from ...soak.table import Check, Context, at_most, exactly, told
from ..shapes import SHAPES
from .messages import HONEST, MOUSE, Scene

ROWS = 600  # components of the page
LOG = 200.0  # kB
HELD = 250.0  # ms
MEMORY = 6 * 16.0  # MiB: six times the largest frame, beside the frame itself


def asking(context: Context) -> list[Check]:
    """One client asks for layouts and callbacks without end: what the others feel, and what it writes into the log."""
    return on_loop(_asking(context))


async def _asking(context: Context) -> list[Check]:
    seconds, checks = max(14.0, context.seconds(30, 14) / 2), []
    async with Server(rows=ROWS) as server, Swarm(server.port, HONEST) as swarm:
        await swarm.join()
        scene = Scene(server, swarm)
        await steadily(MOUSE, 3, lambda n: swarm.tabs[0].change("c0", f"warm {n}"))
        checks.append(await scene.calm())
        for mode in ("layouts", "quick", "broken", "slow", "unknown"):
            before = server.output.stat().st_size
            came = await scene.under(mode, seconds)
            checks += [
                *scene.checks(mode, None),
                at_most(f"{mode}: written to the log", (server.output.stat().st_size - before) / 1000, LOG, "kB"),
                told(f"{mode}: closed with", str(came["codes"])),
            ]
        checks += await scene.end()
    return checks


def worst(context: Context) -> list[Check]:
    """The worst single message that is allowed, in many shapes: how long the loop is held, and how much memory it takes."""
    return on_loop(_worst(context))


async def _worst(context: Context) -> list[Check]:
    held: list[tuple[float, str]] = []
    memory: list[tuple[float, str]] = []
    unanswered = []
    async with Server() as server:
        await server.ask("gauge")
        for name, made in SHAPES.items():
            frame = made()
            page = await asyncio.to_thread(_page, server.url)
            await asyncio.sleep(0.2)
            before = (await server.ask("gauge"))["now"]
            if not await asyncio.to_thread(_say, page, frame):
                unanswered.append(name)
            found = await server.ask("gauge")
            held.append((1000 * found["held"], name))
            memory.append(((found["highest"] - before - len(frame.encode())) / MIB, name))
    slowest, largest = max(held), max(memory)
    return [
        at_most(f"loop held by one message, at most ({slowest[1]})", slowest[0], HELD, "ms", n=len(held)),
        at_most(
            f"memory for one message beside itself, at most ({largest[1]})", largest[0], MEMORY, "MiB", n=len(memory)
        ),
        exactly("messages without an answer", len(unanswered), detail=", ".join(unanswered)),
    ]


def _page(url: str) -> Raw:
    return Raw(url, timeout=60).join()


def _say(page: Raw, frame: str) -> bool:
    """Is it answered, or the socket closed? What comes next is answered then, too."""
    try:
        page.send_frame(frame)
        page.request("dependencies")
        page.close()
    except Closed:
        return True
    except Silent:
        return False
    return True
