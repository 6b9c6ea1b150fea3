"""The limit of open files is raised as far as it is useful and allowed."""

from __future__ import annotations

import pytest

from dash_devices.descriptors import WANTED, raise_files

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.fault("A10")
ENDLESS = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "then"),
    [
        (256, ENDLESS, WANTED),
        (256, WANTED + 1, WANTED),
        (256, 1_024, 1_024),
        (256, 256, 256),
        (WANTED + 1, WANTED + 1, WANTED + 1),
        (ENDLESS, ENDLESS, None),
    ],
)
def test_the_soft_limit_is_raised(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, then: int | None) -> None:
    now = [soft, hard]

    def set_limit(_: int, limits: tuple[int, int]) -> None:
        now[:] = limits

    monkeypatch.setattr(resource, "getrlimit", lambda _: (now[0], now[1]))
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    assert raise_files() == then
    assert now == [soft if then is None else then, hard]
