"""Guesses at passwords: who has to wait, for whose guesses, and what checking them may cost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from dash_devices.gate import throttle as module
from dash_devices.gate.throttle import FORGET_SECONDS, FREE_TRIES, MOST, Throttle

from ..support import wait_for
from .apps import log_in, with_login

Serve = Callable[..., Any]
HERE, THERE = "192.0.2.1", "192.0.2.2"


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def server(serve: Serve) -> Any:
    """The app with a login, behind a proxy that says where each comes from."""
    return serve(with_login(trusted_proxies=["127.0.0.1"]))


def try_from(server: Any, address: str, name: str = "ada", password: str | None = "x") -> int:
    """Status of a try; ``password=None``: the right one."""
    more = {"X_Forwarded_For": address}
    return int((log_in(server, name, **more) if password is None else log_in(server, name, password, **more)).status)


def guesses(server: Any, address: str, name: str = "ada", count: int = FREE_TRIES) -> list[int]:
    """Statuses of wrong passwords."""
    return [try_from(server, address, name) for _ in range(count)]


# ---- one key
def test_tries_wait_longer_and_longer() -> None:
    clock = Clock()
    throttle = Throttle(30, clock)
    waits = []
    for _ in range(FREE_TRIES + 7):
        waits.append(throttle.wait("ada"))
        clock.time += waits[-1]
        throttle.begin("ada")
    assert waits == [0] * FREE_TRIES + [1, 2, 4, 8, 16, 30, 30]
    assert throttle.wait("grace") == 0
    throttle.forgive("ada", *throttle.counts("ada"))
    assert throttle.wait("ada") == len(throttle) == 0


def test_tries_are_counted_when_they_begin() -> None:
    throttle = Throttle(30, Clock())
    for _ in range(FREE_TRIES):
        assert throttle.wait("ada") == 0
        throttle.begin("ada")
    assert throttle.wait("ada") == 1, "so many at once gain nothing"


def test_tries_are_forgotten_one_by_one() -> None:
    clock = Clock()
    throttle = Throttle(30, clock)
    for _ in range(100):
        throttle.begin("ada")
    counts = []
    while throttle.counts("ada")[0]:
        counts.append(throttle.counts("ada")[0])
        clock.time += FORGET_SECONDS
    assert counts == list(range(module.MOST_COUNTED, 0, -1)), "so nobody waits for days"


def test_names_that_nobody_has_take_no_memory() -> None:
    throttle = Throttle(30)
    for number in range(MOST + 500):
        throttle.begin(str(number))
    assert len(throttle) == MOST


# ---- whose guesses slow whom
def test_wrong_passwords_are_slowed(guarded: Any) -> None:
    assert [log_in(guarded, password="x").status for _ in range(FREE_TRIES)] == [401] * FREE_TRIES
    slowed = log_in(guarded)
    assert slowed.status == 429, "though it is the right one"
    assert int(slowed.headers["retry-after"]) >= 1
    assert "Try again in" in slowed.text
    assert guarded.app.metrics["refused_throttle"] == 1


def test_the_last_free_try_may_be_the_right_one(server: Any) -> None:
    assert guesses(server, HERE, count=FREE_TRIES - 1) == [401] * (FREE_TRIES - 1)
    assert try_from(server, HERE, password=None) == 303
    assert guesses(server, HERE) == [401] * FREE_TRIES, "a login forgives the tries at its own name"


@pytest.mark.fault("A12")
@pytest.mark.parametrize("before", [False, True], ids=["", "known"])
def test_a_login_of_ones_own_forgives_no_guesses_at_anothers(server: Any, before: bool) -> None:
    if before:
        assert try_from(server, HERE, password=None) == 303, "both log in from here, as behind one router"
    found = []
    for _ in range(FREE_TRIES):
        found.append(try_from(server, HERE))
        assert try_from(server, HERE, "grace", None) == 303 or 429 in found
    assert found.count(401) == FREE_TRIES
    assert try_from(server, HERE) == 429


@pytest.mark.fault("A12")
def test_a_login_of_ones_own_forgives_no_guesses_at_many_names(server: Any) -> None:
    for number in range(FREE_TRIES):
        assert try_from(server, HERE, f"user{number}") == 401
        try_from(server, HERE, "grace", None)
    assert try_from(server, HERE, "another") == 429


@pytest.mark.fault("A13")
def test_guesses_from_many_addresses_lock_nobody_out(server: Any) -> None:
    for number in range(10):
        guesses(server, f"198.51.100.{number}")
    assert try_from(server, HERE, password=None) == 303
    assert try_from(server, THERE, password=None) == 303
    assert guesses(server, THERE) == [401] * FREE_TRIES
    assert try_from(server, HERE, password=None) == 303


def test_who_has_logged_in_from_an_address_waits_for_no_guesses_at_others(server: Any) -> None:
    assert try_from(server, HERE, "grace", None) == 303
    guesses(server, HERE)
    assert [try_from(server, HERE, name, None) for name in ("ada", "grace")] == [429, 303]


def test_guesses_at_many_names_from_one_address_are_slowed(server: Any) -> None:
    assert [try_from(server, HERE, f"user{number}") for number in range(FREE_TRIES + 1)] == [401] * FREE_TRIES + [429]


# ---- what checking costs
@contextmanager
def checks_held(server: Any) -> Iterator[threading.Event]:
    """Passwords take until the event is set; how many are being checked: ``server.checking``."""
    users, go = server.app.gate.login.users, threading.Event()
    real, lock = users.check_password, threading.Lock()
    server.checking, server.most = 0, 0

    def check(name: str, password: str) -> bool:
        with lock:
            server.checking += 1
            server.most = max(server.most, server.checking)
        go.wait(10)
        with lock:
            server.checking -= 1
        return bool(real(name, password))

    users.check_password = check
    try:
        yield go
    finally:
        go.set()


def crowded(serve: Serve, **limits: int) -> Any:
    """A server that checks fewer passwords."""
    from dash_devices.gate.checks import Checks

    app = with_login(trusted_proxies=["127.0.0.1"])
    app.gate.login._checks = Checks(**limits)
    return serve(app)


def queue_of(server: Any) -> list[Any]:
    return list(server.app.gate.login._checks._queue)


def test_two_passwords_are_checked_at_once_and_only_so_many_wait(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dash_devices.gate.checks.Checks.__init__.__defaults__", (2, 3))
    server = serve(with_login(trusted_proxies=["127.0.0.1"]))
    with ThreadPoolExecutor() as pool, checks_held(server) as go:
        tries = [pool.submit(try_from, server, f"198.51.100.{number}") for number in range(5)]
        wait_for(lambda: len(queue_of(server)) == 3, "the queue is full")
        assert try_from(server, HERE, password=None) == 503
        assert server.app.metrics["refused_crowd"] == 1
        assert [try_from(server, HERE) for _ in range(FREE_TRIES)] == [503] * FREE_TRIES, (
            "nothing was tried, so nobody waits"
        )
        go.set()
        assert [each.result() for each in tries] == [401] * 5
        assert server.most == 2
        assert try_from(server, HERE, password=None) == 303


def test_who_tried_little_goes_first_and_takes_the_place_of_who_tried_much(
    serve: Serve,
) -> None:
    server = crowded(serve, at_once=1, waiting=2)
    crowd = [f"198.51.100.{number}" for number in range(3)]
    for count, address in enumerate(crowd):
        guesses(server, address, count=count + 1)
    with ThreadPoolExecutor() as pool, checks_held(server) as go:
        tries = [pool.submit(try_from, server, crowd[0])]
        wait_for(lambda: server.checking == 1, "the first is checked")
        for number in (1, 2):
            tries.append(pool.submit(try_from, server, crowd[number]))
            wait_for(lambda number=number: len(queue_of(server)) == number, "it waits")  # type: ignore[misc]
        own = pool.submit(try_from, server, HERE, "ada", None)
        assert tries[2].result() == 503
        assert [before for before, _ in queue_of(server)] == [0, 2]
        go.set()
        assert own.result() == 303
        assert [each.result() for each in tries[:2]] == [401, 401]


def test_a_turn_that_nobody_takes_is_handed_on() -> None:
    from dash_devices.gate.checks import Checks

    async def run() -> bool:
        checks = Checks(1, 1)
        checks._free = 0
        waiting = asyncio.create_task(checks.run(0, lambda: False))
        await asyncio.sleep(0)
        checks._next()
        waiting.cancel()
        await asyncio.wait([waiting])
        return await checks.run(0, lambda: True)

    assert asyncio.run(asyncio.wait_for(run(), 10))


def test_who_gives_up_waiting_leaves_no_gap() -> None:
    from dash_devices.gate.checks import Checks

    async def run() -> list[bool]:
        checks, go = Checks(1, 2), threading.Event()
        first = asyncio.create_task(checks.run(0, lambda: go.wait(10)))
        await asyncio.sleep(0)
        given_up = asyncio.create_task(checks.run(0, lambda: False))
        second = asyncio.create_task(checks.run(0, lambda: True))
        await asyncio.sleep(0)
        given_up.cancel()
        first.cancel()  # its thread goes on, and keeps its place
        await asyncio.sleep(0)
        third = asyncio.create_task(checks.run(0, lambda: True))
        await asyncio.sleep(0)
        assert not second.done()
        go.set()
        return list(await asyncio.gather(second, third))

    assert asyncio.run(run()) == [True, True]
