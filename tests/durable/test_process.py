"""Durable state in a second process: killed, started twice, ended."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..running.support import Child
from ..semantics.helpers import props_of
from .support import MakeRaw

RUN = ["-m", "tests.running.child", "{port}"]
Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """``start() -> Child``: the app, with its state in one file. Killed after the test."""
    state = {"STATE": str(tmp_path / "state.db")}
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Child(RUN, tmp_path / "notes", environment=state))


def test_after_kill_9_all_that_was_acknowledged_is_there(start: Start, raw: MakeRaw) -> None:
    server, page = start().up(), None
    for number in range(1, 4):
        fresh = raw(server.url)
        if page is None:
            fresh.join()
        else:
            assert fresh.resume(page)["kept"]
            assert ["a", "value", str(number - 1)] in fresh.until("mods")["mods"]
        page = fresh
        page.until("ack", n=page.change("a", "value", str(number)))
        server.kill()
        assert page.closed() == 1006
        server = start().up()
    late = raw(server.url)
    late.hello()
    assert props_of(late.layout(), "a")["value"] == "3"
    assert "kept as" not in server.output


def test_the_second_process_refuses_with_a_sentence(start: Start, raw: MakeRaw) -> None:
    first = start().up()
    output = start().ended()
    assert "another process has the state open; stop that one, or name another file" in output
    assert raw(first.url).join()


def test_a_signal_flushes(start: Start, raw: MakeRaw, tmp_path: Path) -> None:
    server = start().up()
    page = raw(server.url).join()
    page.change("a", "value", "1")
    page.until_value("shown", "children", "1")
    server.process.send_signal(signal.SIGTERM)
    output = server.ended()
    assert server.process.returncode == 0, output
    assert {path.name for path in tmp_path.glob("state.db*")} == {"state.db", "state.db.lock", "state.db.previous"}
    late = raw(start().up().url)
    late.hello()
    assert props_of(late.layout(), "shown")["children"] == "1"
