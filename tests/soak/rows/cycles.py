"""Pages come and go, a hundred thousand times: what stays behind?"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import socket
from collections.abc import Iterator
from typing import Any

import orjson

from dash_devices.protocol import VERSION

from ..server import MIB, Server
from ..table import Check, Context, at_most, exactly, told
from ..wire import Wire
from .common import on_loop

AT_ONCE = 40
KEPT_TABS = 10_000  # tabs that the server remembers; with fewer visits than that it still grows
LEFT = 20  # objects that may come and go


class Visit:
    """One page that says hello, perhaps takes its layout, and goes: by closing, or without a word."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.wire: Any = None

    def connected(self, wire: Wire) -> None:
        """The connection is there."""
        self.wire = wire

    def opened(self) -> None:
        """The handshake is done."""
        self._send({"type": "hello", "version": VERSION, "page": secrets.token_hex(8), "build": ""})
        if self.number % 20 == 0:
            self._send({"type": "request", "ref": 1, "route": "layout", "query": "", "body": None})

    def heard(self, frame: bytes) -> None:
        """The welcome, or the layout."""
        if self.number % 20 == 0 and b'"reply"' not in frame:
            return
        if self.number % 4 == 1:
            self.wire.abort()
        else:
            self.wire.close()

    def closed(self, code: int, reason: str) -> None:
        """It is over."""
        if not self.done.done():
            self.done.set_result(code)

    def _send(self, message: dict[str, Any]) -> None:
        self.wire.send(orjson.dumps(message))


def cycles(context: Context) -> list[Check]:
    """100,000 connect/close cycles: what is left of them."""
    return on_loop(_cycles(context))


async def _cycles(context: Context) -> list[Check]:
    wanted = context.times(100_000, 400)
    loop = asyncio.get_running_loop()
    async with Server(options={"leave_after": 1.0}) as server:
        numbers = iter(range(wanted))
        await _visit(server, itertools.islice(numbers, wanted // 4))
        plateau = await _settled(server)
        begin = loop.time()
        await _visit(server, numbers)
        seconds = loop.time() - begin
        end = await _settled(server)
    grown = (end["rss"] - plateau["rss"]) / MIB
    more = {kind: n - plateau["kinds"].get(kind, 0) for kind, n in end["kinds"].items()}
    detail = ", ".join(f"{kind} {n:+}" for kind, n in more.items() if n > LEFT)
    judged = wanted // 4 >= KEPT_TABS
    return [
        at_most(f"memory above that after {wanted // 4:,} visits", grown, 2, "MiB", n=wanted, is_timed=not judged),
        exactly("tasks left", max(0, end["tasks"] - plateau["tasks"])),
        exactly("files left", max(0, end["files"] - plateau["files"])),
        exactly("clients left", end["clients"]),
        at_most(
            "objects of ours left" + (f": {detail}" if judged and detail else ""),
            end["objects"] - plateau["objects"],
            LEFT,
            "",
            is_timed=not judged,
            digits=0,
        ),
        told("visits per second", f"{0.75 * wanted / seconds:,.0f}"),
    ]


async def _visit(server: Server, numbers: Iterator[int]) -> None:
    async def visitor() -> None:
        for number in numbers:
            await _once(server, number)

    await asyncio.gather(*(visitor() for _ in range(AT_ONCE)))


async def _once(server: Server, number: int) -> None:
    visit = Visit(number)
    host = f"127.0.0.1:{server.port}"
    # a port of its own each second: 28,000 of them would not be enough for those that still wait after their end
    address = f"127.0.{1 + number // 20_000 % 200}.{1 + number % 200}"
    one = socket.socket()
    one.setblocking(False)
    one.bind((address, 0))
    loop = asyncio.get_running_loop()
    await loop.sock_connect(one, ("127.0.0.1", server.port))
    await loop.create_connection(lambda: Wire(visit, host), sock=one)
    await asyncio.wait_for(visit.done, 30)


async def _settled(server: Server) -> dict[str, Any]:
    """What the server holds when everybody has left."""
    census: dict[str, Any] = {}
    for _ in range(100):
        census = await server.ask("census")
        if not census["clients"]:
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)  # what ends with the last one has ended
    return await server.ask("census")
