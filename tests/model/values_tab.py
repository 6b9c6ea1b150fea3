"""A tab of the model of values: the real plug-in in a Node process, and the line between it and the server."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dash_devices.connection import Connection, Handshake
from dash_devices.protocol import SEQ_HEADER

from .values_app import Clock, Server

HANDSHAKE = Handshake("/socket", "", ((b"host", b"localhost"),), "127.0.0.1", "ws", {})
HERE = Path(__file__).parent
ESBUILD = HERE.parents[1] / "renderer" / "node_modules" / ".bin" / "esbuild"
LOST = 1006
GIVEN_UP = 4000


class Node:
    """The process: a command in, its outcome out."""

    def __init__(self, script: Path) -> None:
        self._process = subprocess.Popen(["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do something in the page."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        outcome: dict[str, Any] = json.loads(self._process.stdout.readline())
        return outcome

    def close(self) -> None:
        """End the process."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


@contextlib.contextmanager
def nodes_in(folder: Path) -> Iterator[Sequence[Node]]:
    """The processes of two tabs; the script is put into the folder."""
    script = folder / "page.mjs"
    options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning", f"--outfile={script}"]
    subprocess.run([ESBUILD, HERE / "values_page.ts", *options], check=True)
    nodes = [Node(script), Node(script)]
    try:
        yield nodes
    finally:
        for node in nodes:
            node.close()


class Wire:
    """The server's end of one socket: frames go into the tab's queue, as long as the socket is its newest."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    def send(self, frame: bytes) -> None:
        """One frame is on its way."""
        if self.tab.wire is self:
            self.tab.down.append(frame.decode())

    def close(self, code: int, reason: str) -> None:
        """The page hears of it behind the frames."""
        if self.tab.wire is self:
            self.tab.down.append(code)

    def abort(self) -> None:
        """It is cut."""
        self.close(LOST, "")

    def progress(self) -> tuple[int, int]:
        """Nothing waits in the network."""
        return 0, 0


@dataclasses.dataclass
class Reported:
    """What a component of the page reported.

    Attributes:
        kind: ``use`` if it was used since somebody else last wrote into it, else ``own``.
        stood: the seq up to which the page had been told then.
    """

    id: str
    props: dict[str, Any]
    kind: str
    stood: int


class Tab:
    """One tab.

    Attributes:
        up, down: what is under way to the server, and to the page; a number is the end of the socket.
        reported: what components reported since somebody looked.
        unsaid: what components reported and the server has not heard of.
        wants: is the page waiting for its socket to open?
        seq: up to where this socket's frames have taken the page.
        epoch: the life of the server that it knows of.
    """

    def __init__(self, node: Node, clock: Clock, close_after: int, seed: int) -> None:
        self.node = node
        self.clock = clock
        self.up: deque[str] = deque()
        self.down: deque[str | int] = deque()
        self.reported: list[Reported] = []
        self.unsaid: list[Reported] = []
        self.wire: Wire | None = None
        self.connection: Connection | None = None
        self.wants = False
        self.is_hidden = False
        self.seq = 0
        self.epoch = ""
        self._seed = seed
        self._close_after = close_after
        self._load("begin")

    def _load(self, how: str) -> None:
        self._seed += 7
        self.do(how, seed=self._seed, closeAfter=self._close_after)

    def do(self, what: str, **more: Any) -> dict[str, Any]:
        """Something happens in the page."""
        outcome = self.node.ask({"do": what, **more})
        assert outcome["complaints"] == [], outcome["complaints"]
        if outcome["opened"]:
            self.drop(GIVEN_UP)
            self.wants = True
        self.up.extend(outcome["sent"])
        new = [Reported(**one, stood=self.seq) for one in outcome["reported"]]
        self.reported += new
        self.unsaid += new
        if outcome["closed"] is not None:
            self.drop(outcome["closed"])
        return outcome

    def drop(self, code: int) -> None:
        """The server hears that the socket is gone; what was under way is lost."""
        self.up.clear()
        self.down.clear()
        connection, self.connection, self.wire = self.connection, None, None
        if connection is not None:
            self.clock.do(connection.closed, code)

    def lose(self) -> None:
        """Both ends lose the socket."""
        if self.connection is not None:
            self.drop(LOST)
            self.do("lose", ms=LOST)

    def open(self, server: Server) -> None:
        """The socket that the page waits for opens."""
        if not self.wants:
            return
        self.wants = False
        self.wire = wire = Wire(self)
        self.clock.do(self._connect, server, wire)
        self.do("open")

    def _connect(self, server: Server, wire: Wire) -> None:
        self.connection = server.app.connect(HANDSHAKE, wire)

    def reload(self) -> None:
        """Somebody reloads the page."""
        self.drop(1001)
        self.wants = False
        self.unsaid.clear()
        self._load("load")

    def read(self) -> None:
        """The page takes its next frame, which is a task of its own."""
        frame = self.down.popleft()
        if isinstance(frame, int):
            self.drop(frame)
            self.do("lose", ms=frame)
            return
        for message in messages(frame):
            self._check(message)
        self.do("frame", text=frame)

    def _check(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "welcome":
                self.epoch = message["epoch"]
                if message["mode"] != "delta":
                    self.seq = 0
                    if not message["kept"]:
                        self.unsaid.clear()
            case "reply":
                self.seq = int(message["headers"].get(SEQ_HEADER, f":{self.seq}").rpartition(":")[2])
            case "mods":
                assert message["seq"] >= self.seq, f"mods of {message['seq']} after {self.seq}"
                self.seq = message["seq"]
            case "nack":
                is_row = message["message"].startswith("{")
                assert message["code"] == "outdated" or (message["code"] == "not_found" and is_row), message

    def answers(self) -> list[dict[str, Any]]:
        """What is under way to the page."""
        return [message for frame in self.down if isinstance(frame, str) for message in messages(frame)]

    def unsaid_of(self, id: str, props: dict[str, Any]) -> list[Reported]:
        """The reports that a change of these values may be of."""
        return [one for one in self.unsaid if one.id == id and props.items() >= one.props.items()]

    def values(self) -> dict[str, dict[str, Any]]:
        """What it shows."""
        shown: dict[str, dict[str, Any]] = self.do("values")["values"]
        return shown


def messages(frame: str) -> list[dict[str, Any]]:
    """What is in a frame."""
    decoded = json.loads(frame)
    return decoded if isinstance(decoded, list) else [decoded]
