"""The line with faults: what it does to bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from .proxy import Line, Proxy
from .swarm import until

SECONDS = 10.0  # more than anything here takes
Story = Callable[["Ends"], Coroutine[Any, Any, None]]


class Ends:
    """Both ends of one carried connection."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.page: Any = None
        self.server: Any = None

    @property
    def line(self) -> Line:
        """The only one."""
        return next(iter(self.proxy.lines))

    async def arrives(self, data: bytes) -> None:
        """Exactly this comes next at the server."""
        assert await asyncio.wait_for(self.server[0].readexactly(len(data)), SECONDS) == data


@contextlib.asynccontextmanager
async def ends() -> AsyncIterator[Ends]:
    accepted: asyncio.Queue[Any] = asyncio.Queue()
    server = await asyncio.start_server(lambda reader, writer: accepted.put_nowait((reader, writer)), "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        both = Ends(proxy)
        both.page = await asyncio.open_connection("127.0.0.1", proxy.port)
        both.server = await asyncio.wait_for(accepted.get(), SECONDS)
        yield both
        for _, writer in (both.page, both.server):
            writer.close()


def tell(story: Story) -> None:
    asyncio.run(_between(story))


async def _between(story: Story) -> None:
    async with ends() as both:
        await story(both)


def test_it_carries_both_ways() -> None:
    async def story(both: Ends) -> None:
        both.page[1].write(b"there")
        await both.arrives(b"there")
        both.server[1].write(b"and back")
        assert await both.page[0].readexactly(8) == b"and back"

    tell(story)


def test_a_cut_is_heard_at_both_ends() -> None:
    async def story(both: Ends) -> None:
        both.proxy.cut()
        for reader, _ in (both.page, both.server):
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), SECONDS) == b""

    tell(story)


def test_a_black_hole_says_nothing_and_gives_all_back() -> None:
    async def story(both: Ends) -> None:
        line = both.line
        line.half_open()
        both.page[1].write(b"lost?")
        both.server[1].close()
        assert not await until(both.page[0].at_eof, 0.2, strict=False)
        assert line in both.proxy.lines
        line.mend()
        assert await asyncio.wait_for(both.page[0].read(), SECONDS) == b""

    tell(story)


def test_a_black_hole_that_lost_an_end_is_cut_when_it_is_mended() -> None:
    async def story(both: Ends) -> None:
        line = both.line
        line.slow(1.0)
        both.server[1].write(b"never read")
        await asyncio.wait_for(both.page[0].readexactly(1), SECONDS)
        line.half_open()
        line.to_page.sink.abort()  # a reset, seen where something waits to be written
        await until(lambda: line.is_lost and line.to_page.rests, SECONDS)
        line.mend()
        assert await asyncio.wait_for(both.server[0].read(), SECONDS) == b""

    # uvloop, as the rows have it: there a write to a lost end raises
    with asyncio.Runner(loop_factory=pytest.importorskip("uvloop").new_event_loop) as runner:
        runner.run(_between(story))


def test_one_way_stalls_and_the_other_does_not() -> None:
    async def story(both: Ends) -> None:
        both.line.to_server.stalled = True
        both.page[1].write(b"later")
        both.server[1].write(b"now")
        assert await asyncio.wait_for(both.page[0].readexactly(3), SECONDS) == b"now"
        both.line.mend()
        await both.arrives(b"later")

    tell(story)


def test_slow_and_late_keep_the_order() -> None:
    async def story(both: Ends) -> None:
        data = bytes(range(256)) * 40
        both.line.slow(50_000.0, 0.02)
        for start in range(0, len(data), 1_000):
            both.page[1].write(data[start : start + 1_000])
        await both.arrives(data)

    tell(story)


def test_a_network_that_is_down_takes_nobody() -> None:
    async def story(both: Ends) -> None:
        both.proxy.refuses = True
        reader, writer = await asyncio.open_connection("127.0.0.1", both.proxy.port)
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), SECONDS) == b""
        writer.close()

    tell(story)
