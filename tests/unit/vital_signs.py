"""A hub with a clock that only tests move, and lines that write down what they carry."""

from __future__ import annotations

from itertools import count
from typing import Any

import orjson

from dash_devices.calls import SERVER, Item
from dash_devices.clients import Client
from dash_devices.engine import Engine
from dash_devices.hub import Hub
from dash_devices.patterns import Dep
from dash_devices.protocol import VERSION, Applied, Change, Hello, Pong
from dash_devices.sessions import Session
from dash_devices.shared import crc_of

EPOCH_MS = 1_700_000_000_000.0


class FakeLink:
    """A line. ``taken`` and ``waiting`` are the bytes of `Link.progress`."""

    def __init__(self, room: Room) -> None:
        self.heard = room.now
        self.writable = True
        self.taken = self.waiting = 0
        self.messages: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.aborted = False

    def send(self, frame: bytes) -> None:
        frames = orjson.loads(frame)
        self.messages += frames if isinstance(frames, list) else [frames]

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def abort(self) -> None:
        self.aborted = True

    def progress(self) -> tuple[int, int]:
        return self.taken, self.waiting


class FakePage:
    """A page that says only what it is told to."""

    def __init__(self, room: Room, name: str, **fields: Any) -> None:
        self.room = room
        self.name = name
        self.n = 0
        self.connect(**fields)

    def connect(self, **fields: Any) -> None:
        """Say hello on a new line."""
        self.link = FakeLink(self.room)
        hello = Hello(VERSION, self.name, "", **fields)
        self.session: Session = self.room.hub.hello(self.link, hello, Client)
        self.room.hub.flush()

    def lay_out(self) -> FakePage:
        """The layout has come."""
        self.room.hub.laid_out(self.session, self.room.hub.engine.shared.seq)
        return self

    def back(self) -> None:
        """Resume on a new line."""
        welcome = self.of("welcome")[-1]
        known = {key: welcome[key] for key in ("tab", "token", "epoch")}
        self.connect(**known, seq=max([0, *(message["seq"] for message in self.of("mods"))]))

    def of(self, type: str) -> list[dict[str, Any]]:
        """The messages of one type that came on this line."""
        return [message for message in self.link.messages if message["type"] == type]

    def applied(self, seq: int) -> None:
        """Say what was applied."""
        self._heard()
        self.room.hub.applied(self.session, Applied(seq))
        self.room.hub.flush()

    def pong(self, *held: tuple[str, str, int], seq: int = 0, at: float | None = None, check: bool = False) -> None:
        """Answer the oldest ping."""
        hash = sum(crc_of((id, property), own) for id, property, own in held) % 2**32 if check else None
        self._say_pong(Pong(seq, self.room.wall if at is None else at, hash))

    def answer_pings(self) -> None:
        """Answer all of them, with the hash that is expected."""
        while self.link is self.session.link and self.session.pulse.owed:
            self._say_pong(Pong(0, self.room.wall, self.session.pulse.owed[0][1]))

    def _say_pong(self, pong: Pong) -> None:
        self._heard()
        self.room.hub.applied(self.session, pong)
        self.room.hub.flush()

    def change(self, value: Any, *, at: float | None = None, n: int | None = None, id: str = "a") -> dict[str, Any]:
        """Change ``a.value`` and return the answer."""
        self._heard()
        self.n = n or self.n + 1
        change = Change(self.n, [(id, "value", value)], [], self.room.wall if at is None else at)
        self.room.hub.change(self.session, change, 0)
        self.room.hub.flush()
        return next(m for m in reversed(self.link.messages) if m["type"] in ("ack", "nack"))

    def _heard(self) -> None:
        self.link.heard = self.room.now


class Room:
    """The hub, its engine with a shared ``a.value``, and the time."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.hub = Hub(Engine(orjson.dumps))
        self.hub.vitals.now = lambda: self.now
        self.hub.vitals.wall = lambda: self.wall
        self.hub.engine.share(Dep("a", "value"))
        self.hub.engine.shared.seed(("a", "value"), "layout's")
        self._names = count()

    @property
    def wall(self) -> float:
        """The server's clock, in ms."""
        return EPOCH_MS + self.now * 1000

    @property
    def metrics(self) -> dict[str, int]:
        """What was counted."""
        return self.hub.engine.metrics

    def page(self, **fields: Any) -> FakePage:
        """A page with its layout."""
        return FakePage(self, f"p{next(self._names)}", **fields).lay_out()

    def push(self, value: Any, property: str = "value", id: str = "b") -> int:
        """The server sets a property."""
        seq = self.hub.engine.store([Item((id, property), orjson.dumps(value))], SERVER)
        self.hub.flush()
        return seq

    def pass_time(self, seconds: int, *answering: FakePage) -> None:
        """Sweep once a second; ``answering``: pages that answer pings meanwhile."""
        for _ in range(seconds):
            self.now += 1
            self.hub.sweep()
            self.hub.flush()
            for page in answering:
                page.answer_pings()
