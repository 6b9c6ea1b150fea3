"""The lanes against a list kept by hand: in order, never two at a time, the newest of `most_recent` always runs.

The state machine plays the event loop and the threads: it decides when a call goes on.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest import mock

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dash_devices.lanes import Lanes
from dash_devices.threads import Threads

from .support import run

CAPACITY = 3
MAX_AGE = 5.0
NAMES = ("camera", "stage")


class Step:
    """A call that writes down when it began and ended; an async one goes on when it is told to."""

    def __init__(self, lane: str, number: int, *, is_async: bool, most_recent: bool, max_age: float | None) -> None:
        self.lane = lane
        self.number = number
        self.name = f"{lane} {number}"
        self.identity: object = f"{lane} newest" if most_recent else number
        self.is_async = is_async
        self.most_recent = most_recent
        self.max_age = max_age
        self.size = 0
        self.merged: list[int] = []
        self.why_not = ""
        self.begun = False
        self.gate: asyncio.Event | None = None
        self.began: Callable[[Step], None] = lambda step: None
        self.ended: Callable[[Step], None] = lambda step: None

    def run(self) -> None:
        self.begun = True
        self.began(self)
        self.ended(self)

    async def run_async(self) -> None:
        self.begun = True
        self.began(self)
        self.gate = asyncio.Event()
        await self.gate.wait()
        self.ended(self)

    def merge(self, older: Any) -> None:
        self.merged = [*older.merged, older.number, *self.merged]

    def skipped(self, reason: str) -> None:
        self.why_not = reason


class HandThreads(Threads):
    """Threads that run when the state machine says so."""

    def __init__(self) -> None:
        super().__init__()
        self.ready: list[Callable[[], None]] = []

    def submit(self, work: Callable[[], None]) -> None:
        self.ready.append(work)


class Queues(RuleBasedStateMachine):
    """Two lanes; ``queues`` and ``running`` are what they should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.clock = mock.patch("dash_devices.lanes.time", SimpleNamespace(monotonic=lambda: self.now))
        self.threads = HandThreads()
        self.lanes = Lanes(CAPACITY, self.threads)
        self.loop = asyncio.new_event_loop()
        self.lanes.loop = self.loop
        self.queues: dict[str, list[tuple[float, Step]]] = defaultdict(list)
        self.running: dict[str, Step | None] = dict.fromkeys(NAMES)
        self.finished: list[Step] = []
        self.last = 0
        self.clock.start()

    @rule(
        lane=st.sampled_from(NAMES),
        is_async=st.booleans(),
        most_recent=st.booleans(),
        max_age=st.sampled_from((None, None, MAX_AGE)),
    )
    def submits(self, lane: str, is_async: bool, most_recent: bool, max_age: float | None) -> None:
        self.last += 1
        step = Step(lane, self.last, is_async=is_async, most_recent=most_recent, max_age=max_age)
        step.began, step.ended = self.began, self.ended
        replaced = [old for _, old in self.queues[lane] if old.identity == step.identity]
        fits = bool(replaced) or len(self.queues[lane]) < CAPACITY
        if replaced:  # in its place: at the end it would let others go first for ever
            self.queues[lane] = [(self.now, step) if old in replaced else (at, old) for at, old in self.queues[lane]]
        elif fits:
            self.queues[lane].append((self.now, step))
        if fits and self.running[lane] is None:
            self.take(lane)
        self.lanes.submit(lane, step)
        assert [old.number for old in replaced] == step.merged[len(step.merged) - len(replaced) :]
        assert step.why_not == ("" if fits else "busy")

    def take(self, lane: str) -> None:
        """By hand: the next call that is not too old."""
        self.running[lane] = None
        while self.queues[lane] and self.running[lane] is None:
            queued, step = self.queues[lane].pop(0)
            if step.max_age is None or self.now - queued <= step.max_age:
                self.running[lane] = step

    def began(self, step: Step) -> None:
        assert self.running[step.lane] is step
        assert self.lanes.lane(step.lane).busy is step

    def ended(self, step: Step) -> None:
        self.finished.append(step)
        self.take(step.lane)

    @rule(seconds=st.sampled_from((1.0, 3.0, 6.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(which=st.integers(0, 3))
    def a_thread_runs(self, which: int) -> None:
        """Its call, and those it takes over from the lane."""
        if self.threads.ready:
            self.threads.ready.pop(which % len(self.threads.ready))()

    @rule()
    def the_loop_turns(self) -> None:
        async def turn() -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turn())

    @rule(lane=st.sampled_from(NAMES))
    def an_async_call_ends(self, lane: str) -> None:
        self.the_loop_turns()
        step = self.running[lane]
        if step is not None and step.gate is not None:
            step.gate.set()
            self.the_loop_turns()

    @invariant()
    def the_lanes_hold_what_they_should(self) -> None:
        for name in NAMES:
            lane = self.lanes.lane(name)
            assert lane.busy is self.running[name]
            assert [step for _, step in lane.queue] == [step for _, step in self.queues[name]]
            assert len([step for _, step in self.queues[name] if step.most_recent]) <= 1
            assert self.lanes.is_full(name) == (len(self.queues[name]) >= CAPACITY)

    def teardown(self) -> None:
        try:
            self.everything_runs()
        finally:
            self.clock.stop()
            self.loop.run_until_complete(self.lanes.stop())
            self.loop.close()

    def everything_runs(self) -> None:
        for _ in range(2 * len(NAMES) * (CAPACITY + 1)):
            self.a_thread_runs(0)
            for name in NAMES:
                self.an_async_call_ends(name)
        assert self.running == dict.fromkeys(NAMES)
        for name in NAMES:
            for newest in (False, True):
                numbers = [s.number for s in self.finished if s.lane == name and s.most_recent == newest]
                assert numbers == sorted(numbers)


def test_a_lane_is_a_queue() -> None:
    run(Queues, examples=100)


KINDS = st.tuples(st.sampled_from(NAMES), st.booleans(), st.booleans())


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(scripts=st.lists(st.lists(KINDS, min_size=1, max_size=15), min_size=1, max_size=3))
def test_real_threads_and_a_real_loop_never_overlap(scripts: list[list[tuple[str, bool, bool]]]) -> None:
    """Each script is submitted by a thread of its own."""
    steps = asyncio.run(submit_all(scripts))
    for lane in NAMES:
        for mine in steps:
            ran = [step.number for step in mine if step.lane == lane and step.begun]
            assert ran == [step.number for step in mine if step.lane == lane and not is_merged(step, steps)]


def is_merged(step: Step, steps: list[list[Step]]) -> bool:
    return any(step.number in other.merged for mine in steps for other in mine)


async def submit_all(scripts: list[list[tuple[str, bool, bool]]]) -> list[list[Step]]:
    """Submit, wait until all ran, and see that no two calls of a lane ran at once, and each script's in order."""
    lanes = Lanes()
    lanes.loop = asyncio.get_running_loop()
    diary = Diary(sum(map(len, scripts)))
    steps = [[diary.step(lane, a, r) for lane, a, r in script] for script in scripts]
    threads = [threading.Thread(target=submit_script, args=(lanes, mine)) for mine in steps]
    for thread in threads:
        thread.start()
    await asyncio.wait_for(asyncio.to_thread(diary.complete.wait, 20), 30)
    for thread in threads:
        thread.join()
    assert diary.faults == []
    assert diary.complete.is_set()
    for mine in steps:
        for lane in NAMES:
            for newest in (False, True):  # a newest call has the place of the one it replaces: each kind is in order
                began = [s for s in diary.begun if s in mine and s.lane == lane and s.most_recent == newest]
                assert began == [step for step in mine if step in began]
    return steps


def submit_script(lanes: Lanes, script: list[Step]) -> None:
    for step in script:
        lanes.submit(step.lane, step)


class Diary:
    """What ran when. ``complete``: every call ran or was merged into one that ran."""

    def __init__(self, expected: int) -> None:
        self.lock = threading.Lock()
        self.expected = expected
        self.inside: dict[str, Step] = {}
        self.begun: list[Step] = []
        self.faults: list[str] = []
        self.complete = threading.Event()
        self.accounted = 0
        self.last = 0

    def step(self, lane: str, is_async: bool, most_recent: bool) -> Step:
        self.last += 1
        step = QuickStep(lane, self.last, is_async=is_async, most_recent=most_recent, max_age=None)
        step.began, step.ended = self.began, self.ended
        return step

    def began(self, step: Step) -> None:
        with self.lock:
            if step.lane in self.inside:
                self.faults.append(f"{step.name} began inside {self.inside[step.lane].name}")
            self.inside[step.lane] = step
            self.begun.append(step)

    def ended(self, step: Step) -> None:
        with self.lock:
            del self.inside[step.lane]
            self.accounted += 1 + len(step.merged)
            if self.accounted == self.expected:
                self.complete.set()


class QuickStep(Step):
    """An async call that waits for nobody but lets others go first."""

    async def run_async(self) -> None:
        self.begun = True
        self.began(self)
        await asyncio.sleep(0)
        self.ended(self)


async def cancels_itself() -> list[int]:
    """Three async calls in one lane; the second cancels its own task and returns at once."""
    lanes = Lanes()
    lanes.loop = asyncio.get_running_loop()
    ran: list[int] = []
    done = asyncio.Event()

    class Call(Step):
        async def run_async(self) -> None:
            ran.append(self.number)
            task = asyncio.current_task()
            if self.number == 2 and task is not None:
                task.cancel()
            if self.number == 4:
                done.set()

    for number in range(1, 5):
        lanes.submit("camera", Call("camera", number, is_async=True, most_recent=False, max_age=None))
    await asyncio.wait_for(done.wait(), 20)
    return ran


def test_a_call_that_cancels_itself_costs_no_other_its_turn() -> None:
    assert asyncio.run(cancels_itself()) == [1, 2, 3, 4]
