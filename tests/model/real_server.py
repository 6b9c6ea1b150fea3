"""The real hub in the place of the model's server: same lines, same messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import orjson

from dash_devices.calls import SERVER, Item
from dash_devices.clients import Client
from dash_devices.engine import Engine
from dash_devices.errors import ProtocolError
from dash_devices.hub import Hub
from dash_devices.intake import Intake, Refused
from dash_devices.patterns import Dep
from dash_devices.protocol import (
    CHECK_EVERY,
    VERSION,
    Applied as WireApplied,
    Change as WireChange,
    Hello as WireHello,
    Mount as WireMount,
    Nack as Code,
    Pong as WirePong,
)
from dash_devices.registry import SharedCallback
from dash_devices.sessions import Remembered, Session
from dash_devices.shared import Key, crc_of

from .model import (
    PAIR,
    WATCHED,
    Ack,
    Applied,
    Change,
    FromServer,
    Hello,
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


class DoomedIntake(Intake):
    """Refuses what the history says it refuses; says what it handled."""

    world: World
    change_now: Change

    def _check(self, session: Session, keys: list[Key], values: list[Any], size: int) -> list[SharedCallback]:
        listeners = super()._check(session, keys, values, size)
        # who is refused again in another life has still done nothing
        count = self.world.handled[self.change_now.uid]
        self.world.handled[self.change_now.uid] = 1 if self.change_now.doomed else count + 1
        if self.change_now.doomed:
            raise Refused(Code.BUSY, "doomed")
        return listeners


class Disk:
    """A journal that writes in no time, and outlives the server."""

    trouble = ""

    def __init__(self) -> None:
        self.rows: dict[str, Remembered] = {}

    def waits(self, keys: list[Key]) -> bool:
        return True

    def write(self, session: Session, n: int, items: list[Item], done: Callable[[str], None]) -> None:
        self.rows[session.token] = Remembered(session.client.id, session.page, n)
        done("")

    def remember(self, session: Session) -> None:
        known = self.rows.get(session.token)
        if known is None or known.page != session.page:
            self.rows[session.token] = Remembered(session.client.id, session.page, 0)


class LineLink:
    """A socket that writes into a line of the model."""

    writable = True
    heard = 0.0

    def __init__(self, server: RealServer, line: Line) -> None:
        self.server = server
        self.line = line

    def send(self, frame: bytes) -> None:
        messages = json.loads(frame)
        if self.line.is_open:
            for message in messages if isinstance(messages, list) else [messages]:
                self.line.down.append(self.server.from_wire(message))

    def close(self, code: int, reason: str) -> None:
        self.line.cut()

    def abort(self) -> None:
        self.line.cut()

    def progress(self) -> tuple[int, int]:
        return 0, 0


class RealServer:
    """Speaks to the machine as `model_server.Server` does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.epoch = 0
        self.tokens: list[str] = [""]  # the model's tokens are numbers
        self.disk = Disk()
        self.forgotten: set[str] = set()
        self.restart()

    def restart(self) -> None:
        """A new life of the server."""
        self.epoch += 1
        self.disk.rows.clear()
        engine = Engine(orjson.dumps)
        self.hub = Hub(engine)
        self.hub.greeter.epoch = str(self.epoch)
        self.hub.intake = intake = DoomedIntake(engine, lambda session, at: 0.0)
        intake.world = self.world
        intake.journal = self.disk  # type: ignore[assignment]
        self.hub.greeted = self.disk.remember
        for key in WATCHED:
            engine.share(Dep(key, "value"))
        for key in ("p", "q", *PAIR):
            engine.shared.seed((key, "value"), [0])
        self.loads: dict[int, Session] = {}

    def restart_kept(self) -> None:
        """A new life that finds the values and the tabs on its disk."""
        old, rows = self.hub.engine.shared.entries(), dict(self.disk.rows)
        self.restart()
        self.disk.rows.update(rows)
        self.hub.sessions.recall = lambda token: None if token in self.forgotten else rows.get(token)
        for entry in old:
            self.hub.engine.store([Item(entry.key, entry.encoded)], SERVER)

    @property
    def values(self) -> dict[str, Any]:
        """What the server has."""
        entries = self.hub.engine.shared.entries()
        return {entry.key[0]: SimpleNamespace(value=tuple(entry.value)) for entry in entries}

    def store(self, values: dict[str, Value]) -> None:
        """The server speaks first."""
        self.hub.engine.store([Item((key, "value"), orjson.dumps(value)) for key, value in values.items()], SERVER)

    def patch(self, key: str, number: int) -> None:
        """Append to a value."""
        operation = {"operation": "Append", "location": [], "params": {"value": number}}
        patch = {"__dash_patch_update": "__dash_patch_update", "operations": [operation]}
        self.hub.engine.store([Item((key, "value"), orjson.dumps(patch))], SERVER)

    def forget(self, load: int) -> None:
        """The tab was away for too long."""
        session = self.loads.pop(load, None)
        if session is not None:
            self.hub.unlinked(session, session.link, 1000) if session.link else None
            self.hub.sessions._by_token.pop(session.token)
            self.hub.sessions._gone.pop(session.token, None)
            self.forgotten.add(session.token)
            self.disk.rows.pop(session.token, None)

    def flush(self, session: Session) -> None:
        """Send a page all that it needs now."""
        self.hub.flush_session(session)

    def ping(self, session: Session) -> None:
        """Ask a page what it holds, if it was sent all there is."""
        session.pulse.wanted = True
        session.pulse.since = CHECK_EVERY
        self.hub.flush_session(session)

    def read(self, line: Line) -> None:
        """Handle the next message of a line, as a connection does."""
        message = line.up.popleft()
        try:
            if isinstance(message, Hello):
                self._hello(line, message)
            elif self._is_current(line):
                self._handle(self.loads[line.load], message)
        except ProtocolError:
            line.cut()

    def _is_current(self, line: Line) -> bool:
        session = self.loads.get(line.load)
        return session is not None and isinstance(session.link, LineLink) and session.link.line is line

    def _hello(self, line: Line, hello: Hello) -> None:
        place = (None, None) if hello.epoch is None else (str(hello.epoch), hello.seq)
        token = self.tokens[hello.token] or None
        said = WireHello(VERSION, str(line.load), "", None, token, *place, n=hello.n)
        session = self.hub.hello(LineLink(self, line), said, Client)
        self.loads[line.load] = session
        if hello.epoch is None:
            self._layout(line, session)

    def _layout(self, line: Line, session: Session) -> None:
        seq = self.hub.engine.shared.seq
        self.hub.laid_out(session, seq)
        self.hub.flush_session(session)
        line.down.append(Layout(seq, {key: stored.value for key, stored in self.values.items()}))

    def _handle(self, session: Session, message: Any) -> None:
        if isinstance(message, Applied | Pong):
            self._applied(session, message)
            return
        values: list[Any] = [(key, "value", list(value)) for key, value in message.values.items()]
        if isinstance(message, Change):
            assert isinstance(self.hub.intake, DoomedIntake)
            self.hub.intake.change_now = message
            self.hub.change(session, WireChange(message.n, values, [], 0), 0)
        else:
            self.hub.mount(session, WireMount(values))

    def _applied(self, session: Session, message: Applied | Pong) -> None:
        if isinstance(message, Applied):
            self.hub.applied(session, WireApplied(message.seq))
            return
        held = message.held
        hash = None if held is None else sum(crc_of((key, "value"), seq) for key, seq in held) % 2**32
        self.hub.applied(session, WirePong(message.seq, 0, hash))
        if self.hub.engine.metrics["divergences"]:
            self.world.faults.append(f"the page holds {held}")

    # ---- the wire, as the model has it ----
    def from_wire(self, message: dict[str, Any]) -> FromServer:
        """One message."""
        match message["type"]:
            case "welcome":
                handled, kept = message["handled"], message["kept"]
                return Welcome(self._token(message), self.epoch, message["seq"], message["mode"], handled, kept)
            case "mods":
                mods = ((id, unwire(value), *(seq or [message["seq"]])) for id, _, value, *seq in message["mods"])
                return Mods(message["seq"], tuple(mods))
            case "ping":
                return Ping(message["check"])
            case "props":
                return Props(tuple((id, unwire(value)) for id, _, value in message["props"]))
            case "ack":
                return Ack(message["n"], message["seq"])
            case "nack":
                values = {id: tuple(value) for id, _, value in message["values"]}
                return Nack(message["n"], message["seq"], values)
        raise AssertionError(f"expected a numbered message, got {message}")

    def _token(self, message: dict[str, Any]) -> int:
        if message["token"] not in self.tokens:
            self.tokens.append(message["token"])
        return self.tokens.index(message["token"])


def unwire(value: Any) -> Value | Patch:
    """A value, or a Patch that appends."""
    if isinstance(value, list):
        return tuple(value)
    return Patch(tuple(operation["params"]["value"] for operation in value["operations"]))
