"""The harness itself, against a small server that speaks just enough of the protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.server import Server, ServerConnection, serve

from ..support import Closed, Raw, ServerThread, Silent, wait_for

WELCOME = {"type": "welcome", "epoch": "e1", "seq": 4, "tab": "t1", "token": "s1", "mode": "fresh", "handled": 0}
LAYOUT = {"type": "reply", "ref": 1, "status": 200, "headers": {"x-dash-devices-seq": "e1:4"}, "body": {"props": {}}}
MODS = {"type": "mods", "seq": 6, "mods": [["a", "value", 1]], "events": [], "lost": 0}


def _answer(socket: ServerConnection, message: dict[str, Any]) -> None:
    """Two messages in one frame, a ping among them, for every change; code 4400 for the third."""
    if message["type"] == "hello":
        socket.send(json.dumps(WELCOME))
    elif message["type"] == "request":
        socket.send(json.dumps(LAYOUT))
    elif message["type"] == "change" and message["n"] == 3:
        socket.close(4400, "enough")
    elif message["type"] == "change":
        socket.send(json.dumps([{"type": "ack", "n": message["n"], "seq": 5}, MODS, {"type": "ping", "at": 0}]))
    else:
        socket.send(json.dumps({"type": "error", "message": message["type"], "detail": str(message.get("seq"))}))


def _handler(socket: ServerConnection) -> None:
    for frame in socket:
        _answer(socket, json.loads(frame))


class Tiny:
    """An app as `ServerThread` needs it."""

    def __init__(self) -> None:
        self.server: Server | None = None

    def run(self, *, host: str, port: int) -> None:
        with serve(_handler, host, port) as self.server:
            self.server.serve_forever()

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()


@pytest.fixture
def page() -> Iterator[Raw]:
    with ServerThread(Tiny()) as server, Raw(server.url) as page:
        yield page


def test_joins_and_reads_arrays_one_by_one(page: Raw) -> None:
    assert page.hello()["tab"] == "t1"
    assert page.layout() == {"props": {}}
    assert page.seq == 4
    assert page.change("a", "value", 1) == 1
    assert page.receive() == {"type": "ack", "n": 1, "seq": 5}
    assert page.until_value("a", "value", 1) == MODS
    assert page.seq == 6
    assert [message["type"] for message in page.seen].count("ping") == 1


def test_answers_pings(page: Raw) -> None:
    page.change("a", "value", 1)
    assert page.until("error", message="pong", detail="6")


def test_dict_ids_are_written_as_text(page: Raw) -> None:
    page.change({"type": "gain", "index": 0}, "value", 1)
    assert page.until("ack", n=1)


def test_silence_and_closing_show_what_was_seen(page: Raw) -> None:
    page.hello()
    with pytest.raises(Silent, match="welcome"):
        page.receive(0.01)
    page.n = 2
    page.change("a", "value", 1)
    with pytest.raises(Closed, match=r"4400 'enough'.*(?s:.*)welcome") as caught:
        page.receive()
    assert caught.value.code == page.closed() == 4400


def test_a_server_that_cannot_start_says_why_in_the_test() -> None:
    class Broken(Tiny):
        def run(self, *, host: str, port: int) -> None:
            raise OSError("no")

    with pytest.raises(OSError, match="no"), ServerThread(Broken()):
        pass


def test_wait_for_names_what_did_not_happen() -> None:
    with pytest.raises(AssertionError, match=r"the cat: still not so after 0\.01 s"):
        wait_for(lambda: None, "the cat", 0.01)
    assert wait_for(threading.Event, "an event")
