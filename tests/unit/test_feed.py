"""Bytes of one peer, in portions."""

from __future__ import annotations

import asyncio
from typing import Any

from dash_devices.feed import PORTION, Feed


class Transport:
    """Writes down what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.resumed = asyncio.Event()

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")
        self.resumed.set()

    def is_closing(self) -> bool:
        return False


def run(test: Any) -> None:
    asyncio.run(asyncio.wait_for(test(), 10))


def test_small_reads_are_handed_on_at_once() -> None:
    async def test() -> None:
        transport, seen = Transport(), []
        feed = Feed(transport, lambda data: seen.append(data) or 0.0)  # type: ignore[arg-type, func-returns-value]
        for data in (b"one", b"two"):
            feed.take(data)
        assert seen == [b"one", b"two"]
        assert transport.asked == []

    run(test)


def test_nothing_is_read_while_somebody_has_to_wait() -> None:
    async def test() -> None:
        loop, waits = asyncio.get_running_loop(), [0.05, 0.0, 0.0]
        transport, seen = Transport(), list[tuple[float, int]]()

        def handle(data: bytes) -> float:
            seen.append((loop.time(), len(data)))
            return waits.pop(0)

        feed = Feed(transport, handle)  # type: ignore[arg-type]
        feed.take(b"x" * (2 * PORTION))
        feed.take(b"y")  # was on its way when reading stopped
        assert [size for _, size in seen] == [PORTION]
        assert transport.asked == ["pause"]
        await transport.resumed.wait()
        assert [size for _, size in seen] == [PORTION, PORTION, 1]
        assert seen[1][0] - seen[0][0] >= 0.045
        assert transport.asked[-1] == "resume"

    run(test)


def test_others_have_their_turn_in_between(monkeypatch: Any) -> None:
    monkeypatch.setattr("dash_devices.feed.TURN_SECONDS", 0.0)

    async def test() -> None:
        transport, seen = Transport(), list[str]()
        feed = Feed(transport, lambda data: seen.append("portion") or 0.0)  # type: ignore[arg-type, func-returns-value]
        feed._loop.call_soon(seen.append, "somebody else")
        feed.take(b"x")
        assert seen == []
        monkeypatch.setattr("dash_devices.feed.TURN_SECONDS", 1.0)
        await transport.resumed.wait()
        assert seen == ["somebody else", "portion"]

    run(test)


def test_what_is_left_when_the_line_ends_is_for_nobody() -> None:
    async def test() -> None:
        transport, seen = Transport(), []
        feed = Feed(transport, lambda data: seen.append(data) or 0.01)  # type: ignore[arg-type, func-returns-value]
        feed.take(b"x" * (2 * PORTION))
        feed.stop()
        await asyncio.sleep(0.03)  # longer than it would have had to wait
        assert len(seen) == 1

    run(test)
