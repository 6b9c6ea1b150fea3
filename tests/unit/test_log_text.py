"""Text that others wrote, for the log."""

from __future__ import annotations

import pytest

from dash_devices.clients import Client
from dash_devices.log_text import MARK, printable, traceback_of

pytestmark = pytest.mark.fault("A18")


def test_nothing_is_left_that_a_terminal_acts_upon() -> None:
    text = printable("a\nb\r\x1b[2J\x00\x7f\x9b\u2028\u202e größe €")
    assert text == "a\\x0ab\\x0d\\x1b[2J\\x00\\x7f\\x9b\\u2028\\u202e größe €"
    assert text.isprintable()


def test_a_traceback_makes_no_lines_of_the_log() -> None:
    try:
        raise ValueError("bad\n2026-01-01 CRITICAL forged\x1b[31m")
    except ValueError as error:
        lines = traceback_of(error).split("\n")
    assert "ValueError: bad" in lines[-2]
    assert "forged" in lines[-1]
    assert all(line.startswith(MARK) and line.isprintable() for line in lines)


def test_a_name_makes_no_lines_of_the_log() -> None:
    client = Client("c")
    client.username = "ada\nforged"
    assert str(client).isprintable()
