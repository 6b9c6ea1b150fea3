"""What clients cause may not fill the log; the first traceback of an error is there all the same."""

from __future__ import annotations

import io
import logging

import pytest

from dash_devices import loglimits
from dash_devices.loglimits import LINES, LONGEST, LONGEST_TRACEBACK, SPAN, LogLimits


@pytest.fixture
def written() -> tuple[logging.Logger, io.StringIO]:
    """A logger with limits, and what was written to it."""
    logger, stream = logging.Logger("of the test"), io.StringIO()
    logger.addHandler(logging.StreamHandler(stream))
    logger.addFilter(LogLimits())
    return logger, stream


def fail(text: str) -> None:
    raise RuntimeError(text)


def failed(logger: logging.Logger, text: str = "the device is on fire") -> None:
    """One error of an author's function."""
    try:
        fail(text)
    except RuntimeError:
        logger.exception("a request failed")


@pytest.mark.fault("A14")
def test_the_first_traceback_is_whole_and_repeats_have_none(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    for _ in range(3):
        failed(logger)
    text = stream.getvalue()
    assert text.count("Traceback") == 1
    assert "in fail\n  |     raise RuntimeError(text)\n  | RuntimeError: the device is on fire" in text
    assert text.count("a request failed: RuntimeError: the device is on fire (its traceback stands above)") == 2
    try:
        raise KeyError("another")
    except KeyError:
        logger.exception("a request failed")
    assert stream.getvalue().count("Traceback") == 2


@pytest.mark.fault("A14")
def test_lines_of_one_place_are_few_and_the_rest_is_counted(
    written: tuple[logging.Logger, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, stream = written
    now = [0.0]
    monkeypatch.setattr(loglimits.time, "monotonic", lambda: now[0])
    logger.filters[0].begin()  # type: ignore[union-attr]

    def warn() -> None:
        logger.warning("refused")

    for _ in range(LINES + 7):
        warn()
    logger.warning("something else")
    assert stream.getvalue().splitlines() == ["refused"] * LINES + ["something else"]
    now[0] += SPAN
    warn()
    warn()
    assert stream.getvalue().splitlines()[-2:] == [
        "refused (7 lines like those of the last minute were left out)",
        "refused",
    ]


@pytest.mark.fault("A14")
def test_long_texts_are_cut(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    logger.warning("refused: %s", "x" * 1_000_000)
    assert len(stream.getvalue()) < LONGEST + 100
    failed(logger, "y" * 1_000_000)
    assert len(stream.getvalue()) < LONGEST + LONGEST_TRACEBACK + 300
    assert "characters left out" in stream.getvalue()


def test_text_of_clients_makes_no_lines_of_its_own(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = written
    logger.warning("refused: %s", "a\nERROR forged\x1b[2J")
    for _ in range(2):
        failed(logger, "b\nERROR forged")
    assert not any(line.startswith("ERROR forged") for line in stream.getvalue().splitlines())
    assert "\x1b" not in stream.getvalue()


def test_what_is_no_warning_is_left_alone_and_a_logger_is_bounded_once(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("dash_devices.requests")
    loglimits.bound_all()
    loglimits.bound_all()
    assert sum(isinstance(one, LogLimits) for one in logger.filters) == 1
    with caplog.at_level(logging.INFO, logger.name):
        for _ in range(LINES + 5):
            logger.error("failed")
            logger.info("z" * (LONGEST + 5))
    assert caplog.messages.count("failed") == LINES
    assert caplog.messages.count("z" * (LONGEST + 5)) == LINES + 5
