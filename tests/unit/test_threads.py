"""Threads: each page has its share, and more work waits in order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from dash_devices.dash_glue.shares import ThreadShares
from dash_devices.threads import Share, Shares, Threads

from ..support import TIMEOUT, wait_for


class Pool:
    """Keeps what is submitted; the test runs it."""

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []

    def submit(self, work: Callable[[], None]) -> None:
        self.work.append(work)

    def run(self) -> None:
        self.work.pop(0)()


@pytest.mark.fault("A15")
def test_a_share_is_used_up_and_more_waits_in_order() -> None:
    pool, ran = Pool(), list[int]()
    share = Share(pool, 2)
    for number in range(5):
        assert share.is_full == (number >= 2)
        share.submit(lambda number=number: ran.append(number))  # type: ignore[misc]
    assert len(pool.work) == 2
    assert share.waiting == 3
    for _ in range(5):
        pool.run()
        assert len(pool.work) <= 2
    assert ran == [0, 1, 2, 3, 4]
    assert share.is_idle
    assert not share.waiting


@pytest.mark.fault("A15")
def test_one_owner_leaves_room_for_the_others() -> None:
    pool = Pool()
    shares = Shares(Share(pool, 3), 2)
    for _ in range(5):
        shares.of("greedy").submit(lambda: None)
    assert len(pool.work) == 2
    shares.of("modest").submit(lambda: None)
    shares.of("third").submit(lambda: None)
    assert len(pool.work) == 3, "all of them together have a limit, too"
    assert shares.of("greedy").waiting == 3
    while pool.work:
        pool.run()
    assert shares.of("greedy").is_idle


def test_a_share_that_works_is_kept() -> None:
    pool = Pool()
    shares = Shares(pool, 1)
    share = shares.of("a")
    share.submit(lambda: None)
    for other in "bcd":
        shares.of(other)
    assert shares.of("a") is share


@pytest.mark.fault("A15")
def test_many_wait_for_the_start_in_one_thread() -> None:
    idle, begun = threading.Event(), list[object]()

    class Counting(Threads):
        def submit(self, work: Callable[[], None]) -> None:
            begun.append(work)
            super().submit(work)

    async def run() -> None:
        shares = ThreadShares(Counting())
        waiting = [asyncio.create_task(shares.wait_for(idle, TIMEOUT)) for _ in range(50)]
        await asyncio.sleep(0)
        idle.set()
        await asyncio.gather(*waiting)
        await shares.wait_for(idle, TIMEOUT)

    asyncio.run(run())
    assert len(begun) == 1


def test_a_share_of_real_threads() -> None:
    share, go, running = Share(Threads(), 2), threading.Event(), list[int]()

    def work() -> None:
        running.append(1)
        go.wait(TIMEOUT)

    for _ in range(5):
        share.submit(work)
    wait_for(lambda: len(running) == 2)
    assert share.waiting == 3
    go.set()
    wait_for(lambda: len(running) == 5 and share.is_idle)
