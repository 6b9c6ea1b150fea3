"""HTTP connections that are hostile: other ways to the socket, HTTP/2, answers that nobody reads, the worst JSON bodies."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncIterator

from dash_devices.http_connections import READ_SECONDS
from dash_devices.protocol import MAX_MESSAGE

from ...soak.rows.common import answered, on_loop
from ...soak.server import MIB, Server
from ...soak.swarm import Swarm, Tab, until
from ...soak.table import Check, Context, at_most, exactly, quantile, told
from ..raw import GONE, UPGRADE, head, status_of

MEMORY = 16.0  # MiB for two connections
READERS = 60
PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
DEFLATE = ("Sec-WebSocket-Extensions", "permessage-deflate")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
BODIES = {
    "objects": b"[" + b"{}," * 99_000 + b"1" + b" " * 15_000_000 + b"]",
    "numbers": b"[" + b",".join(b"123456789.12345" for _ in range(990_000)) + b"]",
    "keys": b"{" + b",".join(b'"a%d":1' % n for n in range(900_000)) + b"}",
    "text": b'["' + "ä".encode() * 8_000_000 + b'"]',
    "wide text": '["€'.encode() + b"x" * 16_000_000 + '😀"]'.encode(),
    "escapes": b'["' + rb"\"" * 8_000_000 + b'"]',
}


def http(context: Context) -> list[Check]:
    """Each kind of hostile HTTP connection: what it is answered, what it costs, and when it is gone."""
    return on_loop(_http())


async def _http() -> list[Check]:
    async with Server() as server, Swarm(server.port, 1) as swarm:
        await swarm.join()
        (probe,) = swarm.tabs
        return [
            *await _ways(server.port),
            *await _readers(server, probe),  # before the bodies, which leave the process larger
            *await _bodies(server, probe),
        ]


async def _ways(port: int) -> list[Check]:
    """Ways to the socket, and to HTTP/2, that are not ours."""
    host = ("Host", f"127.0.0.1:{port}")
    asked = head("/%5Fdash-devices/socket", [host, DEFLATE, *UPGRADE])
    first = head("/_dash-devices/cookie/0", [host])
    ways = {
        "an encoded path": await _heads_of(port, asked),
        "a later request": await _heads_of(port, first, asked),
        "one before the last was answered": await _heads_of(port, first + asked, b""),
    }
    h2c = [("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]
    return [
        exactly("ways to a socket that is compressed", sum(b"deflate" in said.lower() for said in ways.values())),
        *(told(f"{what}: answer", said.split(b"\r\n")[0].decode()) for what, said in ways.items()),
        exactly("HTTP/2 without TLS: status", await _status(port, PREFACE), 505),
        exactly("an offer of HTTP/2: status", await _status(port, head("/_dash-dependencies", [host, *h2c])), 200),
    ]


async def _status(port: int, request: bytes) -> int:
    """A status, or `GONE` where the answer is none of HTTP/1.1."""
    try:
        return await status_of(port, request, 3)
    except (TimeoutError, ValueError, IndexError):
        return GONE


async def _heads_of(port: int, *requests: bytes) -> bytes:
    """The head of the answer to the last of some requests over one connection; the others have answers without a body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b""
    with contextlib.closing(writer):
        for request in requests:
            writer.write(request)
            said = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    return said


# ---- bodies
async def _bodies(server: Server, probe: Tab) -> list[Check]:
    checks = []
    for what, body in BODIES.items():
        assert len(body) <= MAX_MESSAGE
        async with _Watch(server, probe) as watch:
            status = await _post(server.port, body)
        size = watch.grown / (len(body) / MIB)
        checks += [
            at_most(f"a body of {what} ({len(body) / MIB:.0f} MiB, {status}): memory", size, 6, "times its size"),
            at_most(f"a body of {what}: a probe's longest wait", max(watch.times), 250, "ms", n=len(watch.times)),
        ]
    bomb = b"[" + b"{}," * 5_000_000 + b"{}]"
    async with _Watch(server, probe) as watch:
        status = await _post(server.port, bomb)
    size = watch.grown / (len(bomb) / MIB)
    return [
        *checks,
        exactly("5,000,000 objects: status", status, 413),
        at_most("5,000,000 objects: memory", size, 6, "times its size"),
    ]


async def _post(port: int, body: bytes) -> int:
    own = ("Host", f"127.0.0.1:{port}"), ("Origin", f"http://127.0.0.1:{port}")
    more = ("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")
    return await status_of(port, head("/_dash-update-component", [*own, *more], "POST") + body, 60)


class _Watch:
    """Watches the server's memory, and how long a change of a probe takes, while something is done to it.

    Attributes:
        grown: MiB at the highest.
        times: ms.
    """

    def __init__(self, server: Server, probe: Tab) -> None:
        self._server, self._probe = server, probe
        self.grown = 0.0
        self.times: list[float] = []
        self._is_over = False

    async def __aenter__(self) -> _Watch:
        self._base = self._server.rss
        self._tasks = [asyncio.create_task(self._memory()), asyncio.create_task(self._ask())]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.sleep(0.1)
        self._is_over = True
        await asyncio.gather(*self._tasks)

    async def _memory(self) -> None:
        while not self._is_over:
            self.grown = max(self.grown, (self._server.rss - self._base) / MIB)
            await asyncio.sleep(0.002)

    async def _ask(self) -> None:
        while not self._is_over:
            self.times.append(await answered(self._probe, self._change))
            await asyncio.sleep(0.01)

    def _change(self) -> None:
        self._probe.change("c0", f"{id(self)} {len(self.times)}")


# ---- readers
async def _readers(server: Server, probe: Tab) -> list[Check]:
    """Those who ask for a large file and read nothing of it."""
    async with _Watch(server, probe) as watch, _held(server.port, 2):
        await asyncio.sleep(3)
    async with _Watch(server, probe) as many:
        gone = await _gone_after(server, READERS)
    return [
        at_most("two who read nothing: memory", watch.grown, MEMORY, "MiB"),
        at_most(f"{READERS} who read nothing: gone after", gone, READ_SECONDS + 5, "s"),
        at_most("meanwhile: p99 of a probe's change", quantile(many.times, 0.99), 50, "ms", n=len(many.times)),
        told(f"{READERS} who read nothing: memory", f"{many.grown:.0f} MiB"),
    ]


@contextlib.asynccontextmanager
async def _held(port: int, count: int) -> AsyncIterator[None]:
    """So many connections that ask for a large file, and read nothing."""
    peers = [socket.socket() for _ in range(count)]
    try:
        for peer in peers:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            peer.connect(("127.0.0.1", port))
            peer.sendall(head(PLOTLY, [("Host", f"127.0.0.1:{port}")]))
        yield
    finally:
        for peer in peers:
            peer.close()


async def _gone_after(server: Server, count: int) -> float:
    """Seconds until the server has cut so many of them; infinite where it does not."""
    before, began = _open(server), asyncio.get_running_loop().time()
    async with _held(server.port, count):
        await until(lambda: _open(server) >= before + count, 10, "all of them are there")
        if not await until(lambda: _open(server) <= before, READ_SECONDS + 15, strict=False):
            return math.inf
        return asyncio.get_running_loop().time() - began


def _open(server: Server) -> int:
    return sum(one.status == "ESTABLISHED" for one in server.ps.net_connections("tcp"))
