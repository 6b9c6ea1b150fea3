"""Which HTTP connections are let in, and which ones are cut, with a clock that only the test moves."""

from __future__ import annotations

from collections import Counter

import pytest

from dash_devices import http_connections
from dash_devices.http_connections import (
    BODY_BYTES,
    BODY_SECONDS,
    HEAD_SECONDS,
    MOST_EACH,
    READ_BYTES,
    READ_SECONDS,
    SPARE_FILES,
    HttpConnection,
    HttpConnections,
)
from dash_devices.refusals import Refusals

pytestmark = pytest.mark.fault("A10")


class Line:
    """A transport. ``waiting``: bytes in its buffer; ``ended``: how it was ended."""

    def __init__(self) -> None:
        self.waiting = 0
        self.ended = ""

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "cut"


class World:
    """The connections of a server, and its clock."""

    def __init__(self, files: int | None = None) -> None:
        self.now = 0.0
        self.metrics: Counter[str] = Counter()
        self.connections = HttpConnections(Refusals(self.metrics), lambda: self.now, files)
        self.lines: dict[HttpConnection, Line] = {}

    def enter(self, key: str = "") -> HttpConnection | None:
        line = Line()
        made = self.connections.enter(line, key, "192.0.2.1")
        if made is not None:
            self.lines[made] = line
        return made

    def busy(self, key: str = "") -> HttpConnection:
        made = self.enter(key)
        assert made is not None
        made.begin()
        return made

    def wait(self, seconds: float) -> None:
        """Time passes, with a sweep in each second."""
        for _ in range(round(seconds)):
            self.now += 1.0
            self.connections.sweep()

    def ended(self, connection: HttpConnection) -> str:
        return self.lines[connection].ended


@pytest.fixture
def world() -> World:
    return World()


# ---- room
def test_an_address_has_so_many_connections(world: World) -> None:
    held = [world.busy("a") for _ in range(MOST_EACH)]
    assert world.enter("a") is None
    assert world.metrics["refused_connections"] == 1
    assert world.enter("b") is not None
    world.connections.leave(held[0])
    world.connections.leave(held[0])
    assert world.enter("a") is not None


def test_connections_without_a_key_do_not_count_as_one_address(world: World) -> None:
    for _ in range(MOST_EACH + 1):
        world.busy()
    assert world.enter() is not None


def test_the_server_has_so_many_connections(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "MOST", 3)
    for key in ("a", "b", ""):
        world.busy(key)
    assert world.enter("c") is None


def test_the_one_that_is_idle_for_the_longest_makes_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "MOST_EACH", 3)
    busy, second, first = world.busy("a"), world.busy("a"), world.busy("a")
    other = world.enter("b")
    assert other is not None
    first.end(1.0)
    second.end(2.0)
    assert world.enter("a") is not None
    assert [world.ended(one) for one in (busy, second, first, other)] == ["", "", "cut", ""]
    assert not world.metrics


def test_few_files_make_fewer_places() -> None:
    """Half of what is left is for push sockets, and no address takes all."""
    few = World(files=SPARE_FILES + 40)
    assert [few.enter("a") is not None for _ in range(11)] == [True] * 11
    assert len(few.connections) == 10, "the oldest made room"
    assert [few.busy(key).key for key in "bbbbbbbbbb"] == ["b"] * 10
    assert len(few.connections) == 20
    assert few.enter("c") is not None
    assert len(few.connections) == 20


# ---- time
def test_a_connection_without_a_request_is_closed(world: World) -> None:
    idle, busy = world.enter(), world.busy()
    assert idle is not None
    world.wait(HEAD_SECONDS - 1)
    assert world.ended(idle) == ""
    world.wait(1)
    assert world.ended(idle) == "closed"
    assert world.ended(busy) == ""
    busy.end(world.now)
    world.wait(HEAD_SECONDS)
    assert world.ended(busy) == "closed"


def test_what_has_nothing_to_send_is_never_cut(world: World) -> None:
    stream = world.busy()
    world.wait(3_600)
    assert world.ended(stream) == ""
    assert len(world.connections) == 1


@pytest.mark.parametrize(("size", "end"), [(BODY_BYTES - 1, "cut"), (BODY_BYTES, ""), (BODY_BYTES + 1, "")])
def test_a_body_arrives_at_some_pace(world: World, size: int, end: str) -> None:
    upload = world.busy()
    upload.awaited = 1
    for _ in range(3):
        world.wait(BODY_SECONDS - 1)
        upload.received += size
        world.wait(1)
    assert world.ended(upload) == end
    assert world.metrics["refused_slow_body"] == (end == "cut")


def test_a_server_that_does_not_take_the_body_yet_cuts_nobody(world: World) -> None:
    upload = world.busy()
    for _ in range(5):
        upload.awaited = 1
        world.wait(BODY_SECONDS - 1)
        upload.awaited = 0
        world.wait(1)
    assert world.ended(upload) == ""


@pytest.mark.parametrize(("size", "end"), [(READ_BYTES - 1, "cut"), (READ_BYTES, ""), (READ_BYTES + 1, "")])
def test_an_answer_is_taken_at_some_pace(world: World, size: int, end: str) -> None:
    """The slowest phone that is served needs two hours for 8 MB, and gets them."""
    download = world.busy()
    download.written, world.lines[download].waiting = READ_BYTES, READ_BYTES
    for _ in range(120):
        world.wait(READ_SECONDS - 1)
        download.written += size
        world.wait(1)
    assert world.ended(download) == end
    assert world.metrics["refused_slow_reader"] == (end == "cut")


def test_an_answer_that_waits_in_the_server_is_taken_at_some_pace_too(world: World) -> None:
    """A window of HTTP/2 may be zero: then nothing reaches the transport."""
    stalled = world.busy()
    stalled.sending = 1
    world.wait(READ_SECONDS + 1)
    assert world.ended(stalled) == "cut"


def test_an_answer_that_waits_after_its_request_has_ended_is_taken_too(world: World) -> None:
    stalled = world.busy()
    world.lines[stalled].waiting = 1
    stalled.end(0.0)
    world.wait(READ_SECONDS)
    assert world.ended(stalled) == ""
    world.wait(1)
    assert world.ended(stalled) == "cut"


def test_a_loop_that_was_held_up_cuts_no_connection(world: World) -> None:
    upload, idle = world.busy(), world.enter()
    assert idle is not None
    upload.awaited = upload.sending = 1
    world.wait(5)
    world.now += 100
    world.connections.sweep()
    assert world.ended(upload) == world.ended(idle) == ""


def test_one_is_cut_once(world: World) -> None:
    one = world.busy("a")
    for _ in range(3):
        world.connections.cut(one, "bodies")
    assert world.metrics["refused_bodies"] == 1
    assert world.ended(one) == "cut"


def test_at_the_end_of_the_server_all_are_cut(world: World) -> None:
    busy, idle = world.busy("a"), world.enter("b")
    assert idle is not None
    world.connections.cut_all()
    assert world.ended(busy) == world.ended(idle) == "cut"
