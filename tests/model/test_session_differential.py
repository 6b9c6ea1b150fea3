"""The page of the model and the page's real session (renderer/src/session.ts): same histories, same outcome."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dash_devices.shared import crc_of

from .model import (
    BATCHES,
    LIMIT,
    Ack,
    Applied,
    Change,
    FromServer,
    Layout,
    Line,
    Mods,
    Nack,
    Patch,
    Ping,
    Pong,
    Props,
    Value,
    Welcome,
    World,
)
from .model_page import Page
from .support import run
from .test_model import Histories

HERE = Path(__file__).parent
ESBUILD = HERE.parents[1] / "renderer" / "node_modules" / ".bin" / "esbuild"
SESSION = HERE.parents[1] / "renderer" / "src" / "session.ts"

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not ESBUILD.exists() or not SESSION.exists(),
    reason="needs Node and esbuild: run npm ci in renderer/",
)


class Node:
    """The real session, in a Node process."""

    def __init__(self, script: Path) -> None:
        self.process = subprocess.Popen(["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def replay(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The state after each event."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(events) + "\n")
        self.process.stdin.flush()
        states: list[dict[str, Any]] = json.loads(self.process.stdout.readline())
        return states

    def close(self) -> None:
        """End the process."""
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()


def triples(values: dict[str, Value]) -> list[list[Any]]:
    return [[key, "value", list(value)] for key, value in values.items()]


def wire(value: Value | Patch) -> Any:
    if not isinstance(value, Patch):
        return list(value)
    operations = [{"operation": "Append", "location": [], "params": {"value": number}} for number in value.added]
    return {"__dash_patch_update": "__dash_patch_update", "operations": operations}


def as_json(message: FromServer, epoch: int) -> dict[str, Any]:
    """A message of the model as the session takes it."""
    match message:
        case Welcome():
            limits = {"unacked": LIMIT, "change_bytes": 1, "message_bytes": 10**6, "batches": BATCHES}
            return {"type": "welcome", **vars(message), "epoch": str(epoch), "token": "s", "tab": "t", "limits": limits}
        case Layout():
            return {"type": "layout", "epoch": str(epoch), "seq": message.seq, "values": triples(message.values)}
        case Mods():
            return {"type": "mods", "seq": message.seq, "mods": [_mod(*mod, message.seq) for mod in message.mods]}
        case Ping():
            return {"type": "ping", "at": 0, "check": message.check}
        case Props():
            return {"type": "props", "props": [[k, "value", wire(v)] for k, v in message.props]}
        case Ack():
            return {"type": "ack", **vars(message)}
        case Nack():
            return {"type": "nack", "n": message.n, "seq": message.seq, "values": triples(message.values)}


def _mod(key: str, value: Value | Patch, seq: int, of_message: int) -> list[Any]:
    return [key, "value", wire(value), *([] if seq == of_message else [seq])]


def _said(message: Applied | Pong) -> dict[str, Any]:
    if isinstance(message, Applied):
        return {"type": "applied", "seq": message.seq}
    held = message.held
    hash = {} if held is None else {"hash": sum(crc_of((key, "value"), seq) for key, seq in held) % 2**32}
    return {"type": "pong", "seq": message.seq, "at": 0, **hash}


class RecordedPage(Page):
    """A page that writes down what happened to it and where it stood then, one list per page load."""

    def __init__(self, world: World) -> None:
        self.events: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.loads: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = []
        self.outgoing: list[int] = []
        self.said: list[dict[str, Any]] = []
        super().__init__(world)

    def reload(self) -> None:
        self.loads.append((self.events, self.states))
        self.events, self.states = [], []
        super().reload()
        self.events.clear()
        self.states.clear()

    def record(self, **event: Any) -> None:
        self.events.append(event)
        self.states.append(
            {
                "sent": self.outgoing,
                "said": self.said,
                "unacked": len(self.unacked),
                "epoch": None if self.epoch is None else str(self.epoch),
                "seq": self.seq,
                "shows": {key: list(value) for key, value in self.shows.items()},
            }
        )
        self.outgoing, self.said = [], []

    def _say(self, message: Applied | Pong) -> None:
        super()._say(message)
        self.said.append(_said(message))

    def change(self, keys: tuple[str, ...], *, doomed: bool = False) -> None:
        super().change(keys, doomed=doomed)
        self.record(do="change", values=triples(self.made[-1].values))

    def mount(self, key: str) -> None:
        super().mount(key)
        self.record(do="mount", values=triples({key: self.shows[key]}))

    def cut(self) -> None:
        super().cut()
        if hasattr(self, "shows"):
            self.record(do="down")

    def connect(self) -> Line:
        self.cut()
        return super().connect()

    def read(self) -> None:
        assert self.line is not None
        message = self.line.down[0]
        super().read()
        self.record(do="take", message=as_json(message, self.server_epoch))

    def _pump(self) -> None:
        before = 0 if self.line is None else len(self.line.up)
        super()._pump()
        if self.line is not None:
            self.outgoing += [sent.n for sent in list(self.line.up)[before:] if isinstance(sent, Change)]


class Compared(Histories):
    """The model's histories; at the end each page load is replayed through the real session."""

    page_class = RecordedPage
    node: Node

    def teardown(self) -> None:
        super().teardown()
        for page in self.pages:
            assert isinstance(page, RecordedPage)
            for events, states in [*page.loads, (page.events, page.states)]:
                for event, wanted, got in zip(events, states, self.node.replay(events), strict=True):
                    assert got == wanted, f"after {event}, in {json.dumps(events)}"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    script = tmp_path_factory.mktemp("session") / "replay.mjs"
    options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning", f"--outfile={script}"]
    subprocess.run([ESBUILD, HERE / "session_replay.ts", *options], check=True)
    process = Node(script)
    yield process
    process.close()


def test_the_session_does_what_the_model_does(node: Node) -> None:
    Compared.node = node
    run(Compared, examples=120)
