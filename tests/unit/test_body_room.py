"""Room for large bodies: who waits, who gets in, and who has to give way, with a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from dash_devices import body_room
from dash_devices.body_room import MOST, MOST_EACH, PACE_BYTES, WAIT_SECONDS
from dash_devices.http_connections import HttpConnection

from .test_http_connections import World

pytestmark = pytest.mark.fault("A10")
HALF = MOST_EACH // 2


class Rooms(World):
    """A server whose connections ask for room."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[HttpConnection, asyncio.Task[None]] = {}

    async def ask(self, size: int, key: str = "a", connection: HttpConnection | None = None) -> HttpConnection:
        """A connection asks; it may have to wait."""
        one = connection or self.busy(key)
        one.awaited = 1
        self.asked[one] = asyncio.create_task(self.connections.room.enter(one, size))
        await turns()
        return one

    async def pass_by(self, seconds: int, *moving: HttpConnection) -> None:
        """Time passes; on some connections bytes arrive, just fast enough."""
        for _ in range(seconds):
            for one in moving:
                one.received += PACE_BYTES
            self.wait(1)
            await turns()

    def waits(self, connection: HttpConnection) -> bool:
        return not self.asked[connection].done()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def in_loop(test: Callable[[Rooms], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test(Rooms()))

    run.__name__ = test.__name__
    return run


@in_loop
async def test_bodies_of_an_address_have_room_together(rooms: Rooms) -> None:
    first, second = await rooms.ask(HALF), await rooms.ask(HALF)
    third = await rooms.ask(1)
    other = await rooms.ask(HALF, "b")
    assert [rooms.waits(one) for one in (first, second, third, other)] == [False, False, True, False]
    rooms.connections.room.leave(second)
    await turns()
    assert not rooms.waits(third)


@in_loop
async def test_loopback_is_an_address_here(rooms: Rooms) -> None:
    await rooms.ask(MOST_EACH, "")
    assert rooms.waits(await rooms.ask(1, ""))


@in_loop
async def test_all_addresses_have_room_together(rooms: Rooms) -> None:
    for number in range(MOST // MOST_EACH):
        assert not rooms.waits(await rooms.ask(MOST_EACH, str(number)))
    assert rooms.waits(await rooms.ask(1, "one more"))


@in_loop
async def test_one_that_is_alone_gets_in_whatever_its_size(rooms: Rooms) -> None:
    assert not rooms.waits(await rooms.ask(2 * MOST))


@in_loop
async def test_the_oldest_goes_first(rooms: Rooms) -> None:
    held = await rooms.ask(HALF)
    large, small = await rooms.ask(MOST_EACH), await rooms.ask(1)
    assert rooms.waits(small), "else small ones could keep a large one out for ever"
    rooms.connections.room.leave(held)
    await turns()
    assert not rooms.waits(large)
    assert rooms.waits(small)


@in_loop
async def test_what_has_room_is_not_stopped_and_counts_as_it_grows(rooms: Rooms) -> None:
    """Requests of HTTP/2 share a connection: one that waited would hold up the one that has room."""
    one = await rooms.ask(HALF)
    await rooms.ask(MOST_EACH, connection=one)
    assert not rooms.waits(one)
    assert rooms.waits(await rooms.ask(1))


@in_loop
async def test_bodies_that_do_not_arrive_give_way_and_those_that_arrive_do_not(rooms: Rooms) -> None:
    moving, stalled = await rooms.ask(HALF), await rooms.ask(HALF)
    await rooms.pass_by(5, moving)
    assert rooms.ended(stalled) == "", "it takes nobody's room"
    waiting = await rooms.ask(HALF)
    await rooms.pass_by(2, moving)
    assert [rooms.ended(one) for one in (moving, stalled, waiting)] == ["", "cut", ""]
    assert rooms.metrics["refused_body_room"] == 1
    rooms.connections.room.leave(stalled)
    await turns()
    assert not rooms.waits(waiting)


@in_loop
async def test_the_slowest_gives_way_first(rooms: Rooms) -> None:
    slow, stalled = await rooms.ask(HALF), await rooms.ask(HALF)
    await rooms.pass_by(1, slow)
    await rooms.ask(HALF)
    await rooms.pass_by(1)
    assert [rooms.ended(one) for one in (slow, stalled)] == ["", "cut"]


@in_loop
async def test_the_address_that_holds_most_gives_way(rooms: Rooms) -> None:
    small = await rooms.ask(MOST_EACH - 1, "small")
    full = [await rooms.ask(MOST_EACH, str(number)) for number in range(MOST // MOST_EACH - 1)]
    waiting = await rooms.ask(2, "waits")
    assert rooms.waits(waiting)
    await rooms.pass_by(1)
    assert rooms.ended(small) == ""
    assert sorted(rooms.ended(one) for one in full) == ["", "", "cut"]


@in_loop
async def test_a_body_that_is_complete_is_not_slow(rooms: Rooms) -> None:
    """A view may take its time."""
    complete = await rooms.ask(MOST_EACH)
    complete.awaited = 0
    await rooms.ask(1)
    await rooms.pass_by(10)
    assert rooms.ended(complete) == ""


@in_loop
async def test_who_waits_is_not_judged_for_its_pace_but_gives_up(rooms: Rooms) -> None:
    complete = await rooms.ask(MOST_EACH)
    complete.awaited = 0
    waiting = await rooms.ask(1)
    waiting.awaited = 0
    await rooms.pass_by(round(WAIT_SECONDS) - 1)
    assert rooms.ended(waiting) == ""
    await rooms.pass_by(1)
    assert rooms.ended(waiting) == "cut"
    assert not rooms.waits(waiting), "it is read on, so that it can end"
    assert rooms.metrics["refused_body_room"] == 1


@in_loop
async def test_who_is_gone_waits_no_longer(rooms: Rooms) -> None:
    held = await rooms.ask(MOST_EACH)
    gone, cancelled, after = await rooms.ask(1), await rooms.ask(1), await rooms.ask(MOST_EACH)
    rooms.connections.leave(gone)
    rooms.asked[cancelled].cancel()
    await turns()
    assert not rooms.waits(gone)
    rooms.connections.room.leave(held)
    await turns()
    assert not rooms.waits(after), "they have taken no room"


@in_loop
async def test_who_is_gone_gets_no_room(rooms: Rooms) -> None:
    gone = rooms.busy("a")
    rooms.connections.leave(gone)
    await rooms.ask(MOST_EACH, connection=gone)
    assert not rooms.waits(gone)
    assert not rooms.waits(await rooms.ask(MOST_EACH))


@in_loop
async def test_a_loop_that_was_held_up_takes_no_room_back(rooms: Rooms) -> None:
    held, waiting = await rooms.ask(MOST_EACH), await rooms.ask(1)
    rooms.now += WAIT_SECONDS + 1
    rooms.connections.sweep()
    assert rooms.ended(held) == rooms.ended(waiting) == ""


def test_small_bodies_need_no_room() -> None:
    """What all connections hold without asking is less than what is held with it."""
    from dash_devices import http_connections

    assert body_room.FREE * http_connections.MOST < MOST
