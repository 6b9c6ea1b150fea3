"""A page without a browser, as ``PROTOCOL.md`` has it: places, numbers, hold-back, answers, heartbeats. No I/O."""

from __future__ import annotations

import dataclasses
import functools
import json
import secrets
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from dash_devices.protocol import SEQ_HEADER, VERSION

from .checker import Journal, Key

Message = dict[str, Any]


@functools.lru_cache(maxsize=256)  # pages in step are sent the same bytes: read once for all of them
def decode(frame: bytes) -> tuple[Message, ...]:
    """The messages of a frame; nobody may change them."""
    decoded = orjson.loads(frame)
    return tuple(decoded) if isinstance(decoded, list) else (decoded,)


@dataclasses.dataclass(slots=True)
class Pending:
    """A change without an answer."""

    message: Message
    keys: list[Key]


class Page:
    """One page load. ``receive`` takes frames and gives the messages to send; whoever has the socket carries them.

    Attributes:
        epoch, seq: where in the server's order it stands; seq is None before the layout.
        shows: what its components show, by ``(id, property)``.
        held: the seq of each of them.
        pending: its changes without an answer, by number.
        counts: of ``reload``, ``delta``, ``snapshot``, ``fresh``, ``mods``, ``lost``, ``ping`` ..
    """

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.journal = journal
        self.page = secrets.token_hex(8)
        self.tab: str | None = None
        self.token: str | None = None
        self.build = ""
        self.epoch = ""
        self.seq: int | None = None
        self.shows: dict[Key, Any] = {}
        self.held: dict[Key, int] = {}
        self.pending: dict[int, Pending] = {}
        self.counts: Counter[str] = Counter()
        self.is_up = False
        self.late = 0.0  # s; how far this page's clock is behind
        self.n = 0
        self.on_settled: Callable[[], object] | None = None
        self._base = 0
        self._aside: dict[Key, tuple[int, Any]] = {}
        self._waits: Counter[Key] = Counter()
        self._sent = 0
        self._unacked = 0
        self._batches = 0
        self._batch_limit = 0

    # ---- the line ------------------------------------------------------------------------------------------------------
    def hello(self) -> Message:
        """The first message of a line."""
        known = {"tab": self.tab, "token": self.token} if self.token else {}
        place = {"epoch": self.epoch, "seq": self.seq} if self.seq is not None else {}
        hello = {
            "type": "hello",
            "version": VERSION,
            "page": self.page,
            "build": self.build,
            "at": self.now(),
            "n": self.n,
        }
        return {**hello, **known, **place}

    def lost(self) -> None:
        """The line is gone."""
        self.is_up = False

    def now(self) -> float:
        """This page's clock, ms."""
        return (time.time() - self.late) * 1000

    # ---- changes -------------------------------------------------------------------------------------------------------
    def change(self, values: Iterable[tuple[str, str, Any]]) -> Iterator[Message]:
        """The user changes something. Gives what may go out now."""
        triples = [list(triple) for triple in values]
        self.n += 1
        message = {"type": "change", "n": self.n, "values": triples, "state": [], "at": self.now()}
        keys = [(id, property) for id, property, _ in triples]
        self.pending[self.n] = Pending(message, keys)
        self._waits.update(keys)
        self.shows.update({(id, property): value for id, property, value in triples})
        return self._due()

    def resend(self) -> list[Message]:
        """What is on its way once more, as after an answer that got lost."""
        return [change.message for n, change in self.pending.items() if n <= self._sent]

    def _due(self) -> Iterator[Message]:
        """Changes that may go out: in order, and at most ``limits.unacked`` without an answer."""
        if self.is_up:
            waiting = [n for n in self.pending if n > self._sent]
            room = self._unacked - (len(self.pending) - len(waiting))
            for n in waiting[: max(0, room)]:
                self._sent = n
                yield self.pending[n].message

    # ---- frames of the server ------------------------------------------------------------------------------------------
    def receive(self, frame: bytes) -> Iterator[Message]:
        """Take a frame; gives what to answer."""
        for message in decode(frame):
            handler = getattr(self, f"_on_{message['type']}", None)
            if handler is not None:
                yield from handler(message) or ()

    def _on_welcome(self, message: Message) -> Iterator[Message]:
        mode = message["mode"]
        self.counts[mode] += 1
        self.counts["reload"] += self.build not in ("", message["build"])
        self.build, self.tab, self.token = message["build"], message["tab"], message["token"]
        self._unacked = message["limits"]["unacked"]
        self._batch_limit, self._batches = message["limits"].get("batches", 0), 0
        handled = message["handled"]
        if message.get("kept"):
            self._keep(handled)
        elif mode != "delta":
            self._forget(handled)
        if mode == "snapshot":
            self.epoch, self.seq, self._base = message["epoch"], 0, 0
            self.held.clear()
        self.is_up, self._sent = True, handled
        if mode == "fresh":
            yield {"type": "request", "ref": 1, "route": "layout", "query": "", "body": None}
        yield from self._due()

    def _keep(self, handled: int) -> None:
        """An earlier life of the server wrote down what it handled: that is settled, the rest goes out again."""
        for n in [n for n in self.pending if n <= handled]:
            self.journal.kept.append((self.name, n))
            self._waits.subtract(self.pending.pop(n).keys)
        self._aside.clear()

    def _forget(self, handled: int) -> None:
        """The server lost its memory of this page: what it never confirmed is not sent again."""
        self.journal.unconfirmed += [(self.name, n) for n in self.pending]
        self.pending.clear()
        self._waits.clear()
        self._aside.clear()
        self.n = handled

    def _on_reply(self, message: Message) -> None:
        if message["status"] != 200:
            self.journal.wrong(f"{self.name}: the layout came with status {message['status']}")
            return
        epoch, _, seq = message["headers"][SEQ_HEADER].rpartition(":")
        self.epoch, self.seq, self._base = epoch, int(seq), int(seq)
        self.held.clear()
        self.shows.update(properties_of(message["body"]))

    def _on_mods(self, message: Message) -> Iterator[Message] | None:
        seq, mods = message["seq"], message["mods"]
        self.counts["mods"] += 1
        self.counts["lost"] += message["lost"]
        if self.seq is None or seq < self.seq:
            self.journal.wrong(f"{self.name}: mods at {seq} came to a page that stands at {self.seq}")
        self.seq = seq
        if gone := message.get("gone"):
            self.held = {key: held for key, held in self.held.items() if key[0] not in gone}
        for triple in mods:
            key, own = (triple[0], triple[1]), triple[3] if len(triple) > 3 else seq
            self._take(key, own, triple[2])
            if self._waits.get(key):
                self._aside[key] = (own, triple[2])
            else:
                self.shows[key] = triple[2]
        return self._applied() if mods and self._batch_limit else None

    def _take(self, key: Key, seq: int, value: Any) -> None:
        """A value of the server: its place is written down, and must not be an older one."""
        self.journal.saw(self.name, self.epoch, key, seq, value, self.held.get(key, -1))
        self.held[key] = max(seq, self.held.get(key, -1))

    def _applied(self) -> Iterator[Message]:
        self._batches += 1
        if self._batches >= self._batch_limit // 2:
            self._batches = 0
            yield {"type": "applied", "seq": self.seq}

    def _on_props(self, message: Message) -> None:
        self.shows.update({(id, property): value for id, property, value in message["props"]})

    def _on_ack(self, message: Message) -> Iterator[Message]:
        change = self.pending.get(message["n"])
        if change is not None:
            self.journal.acked(self.name, self.epoch, change.message)
            for key, (_, _, value) in zip(change.keys, change.message["values"], strict=True):
                self._take(key, message["seq"], value)
            self._settle(message["n"], message["seq"])
        return self._due()

    def _on_nack(self, message: Message) -> Iterator[Message]:
        change = self.pending.get(message["n"])
        if change is not None:
            self.journal.refused[message["code"]] += 1
            self._settle(message["n"], message["seq"], message["values"])
        return self._due()

    def _settle(self, n: int, seq: int, values: Iterable[list[Any]] = ()) -> None:
        for older in [number for number in self.pending if number < n]:
            self.journal.wrong(f"{self.name}: change {n} was answered before {older}")
        keys = self.pending.pop(n).keys
        if self.on_settled is not None:
            self.on_settled()
        self._waits.subtract(keys)
        for id, property, value in values:
            if not self._waits[id, property]:
                self.shows[id, property] = value
        for key in [key for key in keys if not self._waits[key]]:
            aside = self._aside.pop(key, None)
            if aside is not None and aside[0] > seq:
                self.shows[key] = aside[1]

    def _on_ping(self, message: Message) -> Iterator[Message]:
        self.counts["ping"] += 1
        pong = {"type": "pong", "seq": self.seq or 0, "at": self.now()}
        self._batches = 0
        if message.get("check"):
            self.counts["check"] += 1
            pong["hash"] = self.hash()
        yield pong

    def hash(self) -> int:
        """The sum of crc32 over ``id.property:seq`` of what it holds above its base, modulo 2^32."""
        held = ((key, seq) for key, seq in self.held.items() if seq > self._base)
        return sum(zlib.crc32(f"{id}.{property}:{seq}".encode()) for (id, property), seq in held) % 2**32


def properties_of(tree: Any) -> Iterator[tuple[Key, Any]]:
    """Every property of the components with an id in the JSON of a layout."""
    if isinstance(tree, list):
        for part in tree:
            yield from properties_of(part)
    elif isinstance(tree, dict) and "props" in tree:
        props = tree["props"]
        if "id" in props:
            id = props["id"] if isinstance(props["id"], str) else json.dumps(props["id"], sort_keys=True)
            yield from (((id, name), value) for name, value in props.items() if name != "id")
        yield from properties_of(props.get("children"))
