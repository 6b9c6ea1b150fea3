"""One request written byte by byte, and the status that comes back: what no client library would send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from dash_devices.protocol import PATH

Headers = Iterable[tuple[str, str]]
UPGRADE = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
]
GONE = 0  # the status of a line that was cut without a word


def head(path: str, headers: Headers, method: str = "GET") -> bytes:
    """A request without a body."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def status_of(port: int, request: bytes, timeout: float = 10.0) -> int:
    """What the server answers to it: a status, or `GONE`."""
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            await writer.drain()
            line = await reader.readline()
        except ConnectionError:
            return GONE
        finally:
            writer.close()
    return int(line.split()[1]) if line else GONE


async def socket_status(port: int, *headers: tuple[str, str], path: str = f"/{PATH}") -> int:
    """What a handshake gets."""
    return await status_of(port, head(path, [*headers, *UPGRADE]))


async def http_status(port: int, path: str, *headers: tuple[str, str], method: str = "GET") -> int:
    """What a request over HTTP gets."""
    length = [("Content-Length", "0")] if method not in ("GET", "HEAD") else []
    return await status_of(port, head(path, [*headers, *length, ("Connection", "close")], method))


async def all_of(jobs: Iterable[Callable[[], Coroutine[Any, Any, Any]]], at_once: int = 16) -> list[Any]:
    """Run them, so many at a time; their results in order."""
    gate = asyncio.Semaphore(at_once)

    async def run(job: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        async with gate:
            return await job()

    return await asyncio.gather(*(run(job) for job in jobs))
