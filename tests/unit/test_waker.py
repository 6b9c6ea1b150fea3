"""The waker: one flush for many pushes, and a turn for the loop when threads push without a pause."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from dash_devices.clients import Client
from dash_devices.sessions import Session
from dash_devices.waker import LATE_SECONDS, Grace, Waker

PATIENCE = 30.0  # s; a test that waits for so long has failed


class Loop:
    """A real event loop in a thread of its own that can be held back, with a waker and a clock set by hand."""

    def __init__(self) -> None:
        self.flushes = 0
        self.time = 100.0
        self.waker = Waker(self._flush, now=lambda: self.time)
        self.waker.turn_seconds = PATIENCE
        self._loop = asyncio.new_event_loop()
        self._gate = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.run(lambda: self.waker.start(self._loop))

    def _flush(self) -> None:
        self.flushes += 1

    def run(self, function: Callable[[], object]) -> None:
        """Call on the loop, and wait for it."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (function(), done.set()))
        assert done.wait(PATIENCE)

    def hold(self) -> None:
        """Whatever comes now waits until `free`."""
        self._gate.clear()
        held = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (held.set(), self._gate.wait(PATIENCE)))
        assert held.wait(PATIENCE)

    def free(self) -> None:
        """Go on; returns when all that waited is done."""
        self._gate.set()
        self.run(lambda: None)

    def close(self) -> None:
        """The end; nothing happens the second time."""
        if self._loop.is_closed():
            return
        self._gate.set()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


class Pusher(threading.Thread):
    """Gives way once; ``seen`` is how many flushes there had been when it went on."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self.seen: int | None = None
        self._of = loop
        self.start()

    def run(self) -> None:
        """The thread."""
        self._of.waker.give_way()
        self.seen = self._of.flushes


def test_many_wakes_before_the_next_tick_are_one_flush(loop: Loop) -> None:
    loop.hold()
    for _ in range(5):
        loop.waker.wake()
    loop.free()
    assert loop.flushes == 1
    loop.run(lambda: [loop.waker.wake() for _ in range(5)])
    loop.run(lambda: None)
    assert loop.flushes == 2


def test_nobody_waits_when_nothing_is_due_or_it_is_due_for_a_moment(loop: Loop) -> None:
    loop.waker.give_way()
    loop.hold()
    loop.waker.wake()
    loop.time += LATE_SECONDS / 2
    loop.waker.give_way()
    assert loop.flushes == 0
    loop.free()


def test_a_thread_waits_for_a_loop_that_is_late_until_it_has_flushed(loop: Loop) -> None:
    loop.hold()
    loop.waker.wake()
    loop.time += 2 * LATE_SECONDS
    pushers = [Pusher(loop) for _ in range(3)]
    for pusher in pushers:
        pusher.join(0.05)  # one that does not wait ends here
    loop.free()
    for pusher in pushers:
        pusher.join(PATIENCE)
    assert [pusher.seen for pusher in pushers] == [1, 1, 1]


def test_threads_wait_once_for_a_loop_that_hangs(loop: Loop) -> None:
    loop.hold()
    loop.waker.wake()
    loop.time += 2 * LATE_SECONDS
    loop.waker.turn_seconds = 0.001
    loop.waker.give_way()
    loop.waker.turn_seconds = PATIENCE
    second = Pusher(loop)
    second.join(PATIENCE / 2)
    assert second.seen == 0
    loop.waker.wake()
    loop.free()
    assert loop.flushes == 1
    loop.waker.wake()
    loop.run(lambda: None)
    assert loop.flushes == 2


def test_the_loop_itself_never_waits(loop: Loop) -> None:
    def late() -> None:
        loop.waker.wake()
        loop.time += 2 * LATE_SECONDS
        loop.waker.give_way()

    loop.run(late)
    assert loop.flushes <= 1


def test_pushes_while_the_server_stops_are_ignored(loop: Loop) -> None:
    loop.close()
    loop.waker.wake()
    loop.time += 2 * LATE_SECONDS
    loop.waker.give_way()
    loop.waker.stop()
    loop.waker.wake()
    assert loop.flushes == 0


# ---- answers that wait -------------------------------------------------------------------------------------------------
class Room:
    """Two pages, and a grace that notes whom it sends to: the second page is the last."""

    def __init__(self) -> None:
        self.first, self.last = Session(Client("a"), "a"), Session(Client("b"), "b")
        self.sent: list[Session] = []
        self.over = asyncio.Event()
        self.grace = Grace(self._send)

    def _send(self, session: Session) -> None:
        assert not session.outbox.patient
        self.sent.append(session)
        if session is self.last:
            self.over.set()

    def answer(self, session: Session) -> None:
        """A change was taken, and its results may come."""
        session.acknowledge(session.handled + 1, b"{}", patient=True)
        self.grace.begin(session, asyncio.get_running_loop())

    async def until_over(self) -> None:
        """Wait until the second page, too, was sent what waits: timers end in the order in which they began."""
        self.answer(self.last)
        await asyncio.wait_for(self.over.wait(), PATIENCE)


def test_answers_wait_together_and_are_sent_once() -> None:
    async def main() -> None:
        room = Room()
        for _ in range(3):
            room.answer(room.first)
        await room.until_over()
        assert room.sent == [room.first, room.last]

    asyncio.run(main())


def test_a_page_that_was_sent_something_waits_no_longer() -> None:
    async def main() -> None:
        room = Room()
        room.answer(room.first)
        room.grace.end(room.first)
        await room.until_over()
        assert room.sent == [room.last]

    asyncio.run(main())


def test_a_server_that_starts_again_owes_its_pages_no_old_wait() -> None:
    room = Room()

    async def first_life() -> None:
        room.answer(room.first)
        room.grace.end_all([room.first])
        assert not room.first.outbox.patient

    async def second_life() -> None:
        room.answer(room.first)
        await room.until_over()
        assert room.sent == [room.first, room.last]

    asyncio.run(first_life())
    asyncio.run(second_life())
