"""How fast one page may go. The clock is the test's."""

from __future__ import annotations

import pytest

from dash_devices.limits import PageLimits
from dash_devices.pace import Pace

LIMITS = PageLimits(messages_per_second=100, bytes_per_second=1_000, message_bytes=1_000, flood_seconds=10)


def run(rate: float, seconds: float, *, size: int = 0, work: float = 0.0) -> tuple[Pace, float, float]:
    """A page that says ``rate`` messages a second, as far as it is read; the pace, the time and the sum of the waits."""
    pace, now, waited = Pace(LIMITS, 0.0), 0.0, 0.0
    for number in range(int(rate * seconds)):
        now = max(now, number / rate)
        wait = pace.took(1, size, work, now)
        now, waited = now + wait, waited + wait
        if pace.is_flooding(now):
            break
    return pace, now, waited


def test_an_honest_page_is_never_slowed() -> None:
    for rate in (10, 99):
        pace, _, waited = run(rate, 60)
        assert waited == 0
        assert pace.slowed_since is None


def test_a_burst_of_a_second_is_taken_at_once() -> None:
    pace = Pace(LIMITS, 0.0)
    assert [pace.took(1, 0, 0, 0.0) for _ in range(100)] == [0.0] * 100
    assert pace.took(1, 0, 0, 0.0) == pytest.approx(0.01)


@pytest.mark.parametrize("flood", [{"rate": 500}, {"rate": 50, "size": 100}, {"rate": 50, "work": 0.1}])
def test_a_flood_is_slowed_and_then_found_out(flood: dict[str, float]) -> None:
    pace, now, waited = run(seconds=60, **flood)  # type: ignore[arg-type]
    assert waited > 0
    assert pace.is_flooding(now)
    assert pace.slowed_since is not None
    assert now - pace.slowed_since == pytest.approx(LIMITS.flood_seconds, abs=0.5)


def test_slowing_ends_when_half_of_the_burst_is_there_again() -> None:
    pace = Pace(LIMITS, 0.0)
    assert pace.took(150, 0, 0, 0.0) == pytest.approx(0.5)
    assert pace.slowed_since == 0.0
    pace.took(0, 0, 0, 0.9)
    assert pace.slowed_since == 0.0
    pace.took(0, 0, 0, 1.0)
    assert pace.slowed_since is None
    assert not pace.is_flooding(100.0)


@pytest.mark.fault("A4")
def test_slowing_for_work_ends_when_half_a_seconds_worth_is_there_again() -> None:
    """Half of the burst would take two seconds of rest, and a page that stays within its pace would never have it."""
    pace = Pace(PageLimits(work_per_second=0.25), 0.0)
    assert pace.took(0, 0, 1.25, 0.0) == pytest.approx(1.0)
    assert pace.debt(1.4) == 0
    assert pace.slowed_since == 0.0
    assert pace.debt(1.5) == 0
    assert pace.slowed_since is None


def test_one_large_message_is_no_flood_of_bytes() -> None:
    pace = Pace(PageLimits(bytes_per_second=1_000, message_bytes=16_000), 0.0)
    assert pace.took(1, 16_000, 0, 0.0) == 0
    assert pace.took(1, 1, 0, 0.0) > 0


def test_ten_pings_a_second() -> None:
    pace = Pace(LIMITS, 0.0)
    assert [pace.control(0.0) for _ in range(11)] == [False] * 10 + [True]
    pace = Pace(LIMITS, 0.0)
    assert not any(pace.control(number / 10) for number in range(1_000))
