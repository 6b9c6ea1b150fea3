"""What a request costs the loop is measured step by step, and its page's next ones wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from dash_devices.dash_glue import metering, queueing
from dash_devices.dash_glue.metering import Meter, Turn, current_meter, left_out, metered
from dash_devices.dash_glue.queueing import Asked, PageRequests
from dash_devices.limits import PageLimits
from dash_devices.protocol import Request

STEP = 0.02  # s


def work(seconds: float = STEP) -> None:
    """Use this thread's processor for so long."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def measured(coroutine: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[float, Any]:
    """Seconds that were counted, and the result or the error."""
    counted: list[float] = []

    async def run() -> Any:
        meter = Meter(Turn(), counted.append)
        current_meter.set(meter)
        try:
            return await metered(coroutine(), meter)
        except ValueError as error:
            return error
        finally:
            meter.tell()

    result = asyncio.run(run())
    return sum(counted), result


@pytest.mark.fault("A4")
def test_every_step_counts_and_waiting_does_not() -> None:
    async def steps() -> str:
        work()
        await asyncio.sleep(0.05)
        work()
        await asyncio.sleep(0)
        work()
        return "done"

    seconds, result = measured(steps)
    assert result == "done"
    assert 3 * STEP <= seconds < 4 * STEP


@pytest.mark.fault("A4")
def test_what_fails_counts_too() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        work()
        raise ValueError("no")

    seconds, result = measured(fails)
    assert seconds >= STEP
    assert str(result) == "no"


@pytest.mark.fault("A4")
def test_the_authors_function_does_not_count() -> None:
    async def authors() -> int:
        work()
        await asyncio.sleep(0)
        work()
        return 5

    async def request() -> int:
        work()
        return await left_out(authors())

    seconds, result = measured(request)
    assert result == 5
    assert STEP <= seconds < 2 * STEP


def test_nor_where_it_runs_in_a_task_that_nobody_measures() -> None:
    async def authors() -> None:
        work()

    async def request() -> None:
        await asyncio.create_task(left_out_of(authors()))
        work()

    async def left_out_of(coroutine: Coroutine[Any, Any, None]) -> None:
        await left_out(coroutine)

    assert STEP <= measured(request)[0] < 2 * STEP


def test_a_cancellation_reaches_what_is_measured() -> None:
    seen: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def run() -> None:
        task = asyncio.create_task(_measured(waits()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def _measured(coroutine: Coroutine[Any, Any, None]) -> None:
        await metered(coroutine, Meter(Turn(), lambda seconds: None))

    asyncio.run(run())
    assert seen == ["cancelled"]


@pytest.mark.fault("A4")
def test_others_have_their_turn_between_the_steps_of_many_requests() -> None:
    order: list[str] = []

    async def run() -> None:
        turn = Turn()

        async def request(number: int) -> None:
            order.append(f"request {number}")
            work(2 * metering.TURN_SECONDS)

        async def other() -> None:
            for _ in range(3):
                order.append("other")
                await asyncio.sleep(0)

        async def task(number: int) -> None:
            await metered(request(number), Meter(turn, lambda seconds: None))

        await asyncio.gather(*(task(number) for number in range(3)), other())

    asyncio.run(run())
    assert order.index("other") == 1
    assert [line for line in order if line != "other"] == ["request 0", "request 1", "request 2"]


# ---- the requests of a page ----------------------------------------------------------------------------------------------
class Page:
    """A page with a connection whose debt the test sets."""

    def __init__(self) -> None:
        self.connection = SimpleNamespace(debt=0.0, limits=PageLimits(message_bytes=1_000))
        self.session = SimpleNamespace(link=self.connection, page="p1")
        self.begun: list[int] = []
        self.requests = PageRequests(lambda asked: self.begun.append(asked.request.ref), Turn())

    def asked(self, ref: int, *, route: str = "callback", query: str = "", size: int = 10) -> Asked:
        request = Request(ref, route, query, None)
        return Asked(self.session, self.session.page, self.connection, request, size)  # type: ignore[arg-type]

    def ask(self, ref: int, **options: Any) -> int | None:
        """The status of a refusal, or None."""
        asked = self.asked(ref, **options)
        refusal = self.requests.refusal(asked)
        if refusal is None:
            self.requests.put(asked)
        return refusal and refusal[0]


def on_loop(test: Callable[[Page], Coroutine[Any, Any, None]]) -> Page:
    page = Page()

    async def run() -> None:
        await test(page)

    asyncio.run(run())
    return page


@pytest.mark.fault("A4")
def test_requests_begin_in_order_and_few_at_a_time() -> None:
    async def test(page: Page) -> None:
        for ref in range(20):
            page.ask(ref)
        assert page.begun == list(range(queueing.AT_ONCE))
        for count in range(1, 20):
            page.requests.began()
            assert page.begun == list(range(min(20, queueing.AT_ONCE + count)))

    on_loop(test)


@pytest.mark.fault("A4")
def test_a_page_in_debt_waits() -> None:
    async def test(page: Page) -> None:
        page.connection.debt = 0.02
        page.ask(1)
        assert page.begun == []
        page.connection.debt = 0.0
        page.ask(2)
        assert page.begun == [], "behind the first"
        await asyncio.sleep(0.05)
        assert page.begun == [1, 2]

    on_loop(test)


@pytest.mark.fault("A4")
@pytest.mark.parametrize("gone", ["link", "page"])
def test_what_waits_for_a_page_that_is_gone_is_not_begun(gone: str) -> None:
    async def test(page: Page) -> None:
        page.connection.debt = 0.01
        page.ask(1)
        setattr(page.session, gone, None)
        page.connection.debt = 0.0
        await asyncio.sleep(0.03)
        assert page.begun == []
        assert page.requests.unanswered == page.requests.size == 0

    on_loop(test)


@pytest.mark.fault("A4")
def test_unanswered_requests_are_bounded_in_number_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "MAX_UNANSWERED", 3)

    async def test(page: Page) -> None:
        assert [page.ask(ref) for ref in range(4)] == [None, None, None, 429]
        page.requests.ended(page.asked(0))
        assert page.ask(5, size=queueing.MAX_BYTES * 1_000 - 20) is None
        page.requests.ended(page.asked(1))
        assert page.ask(6, size=11) == 429
        assert page.ask(7, size=10) is None

    on_loop(test)


@pytest.mark.fault("A3")
@pytest.mark.parametrize(("extra", "status"), [(-1, None), (0, None), (1, 413)])
def test_a_query_at_its_limit(extra: int, status: int | None) -> None:
    async def test(page: Page) -> None:
        assert page.ask(1, query="x" * (queueing.MAX_QUERY + extra)) == status

    on_loop(test)


@pytest.mark.fault("A4")
def test_layouts_of_a_page_load_at_their_limit() -> None:
    async def test(page: Page) -> None:
        assert [page.ask(ref, route="layout") for ref in range(11)] == [None] * 10 + [429]
        assert page.ask(12) is None, "of layouts alone"
        page.session.page = "p2"
        assert page.ask(13, route="layout") is None, "somebody has loaded the page again"

    on_loop(test)
