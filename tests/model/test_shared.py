"""The shared map and the outbox against pages that read at arbitrary times: each ends on the exact state."""

from __future__ import annotations

import zlib
from typing import Any
from unittest import mock

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from dash_devices import outbox as outbox_module, shared as shared_module
from dash_devices.batches import Batch
from dash_devices.codec import triple
from dash_devices.outbox import Outbox
from dash_devices.patches import apply_patch, fold_extend, is_patch
from dash_devices.shared import Entry, Key, SharedMap

from .support import run

LISTS: tuple[Key, ...] = (("a", "value"), ("b", "value"))
FIGURE: Key = ("g", "figure")
EXTEND: Key = ("g", "extendData")
READERS = st.integers(0, 1)
SMALL = 3  # patches and events kept: few, so that they run out


class Reader:
    """A page: what it shows, and the seq it stands at."""

    def __init__(self, name: str, shows: dict[Key, Any]) -> None:
        self.name = name
        self.shows = dict(shows)
        self.seq = 0
        self.held: dict[Key, int] = {}
        self.outbox = Outbox()
        self.outbox.stand(0)

    def receive(self, frame: bytes) -> None:
        """Apply one message of mods: values and patches, then events."""
        message = orjson.loads(frame)
        assert message["type"] == "mods"
        assert message["seq"] >= self.seq
        self.seq = message["seq"]
        for key in [key for key in (*self.shows, *self.held) if key[0] in message.get("gone", ())]:
            self.shows.pop(key, None)
            self.held.pop(key, None)
        for id, property, value, *seq in message["mods"]:
            self.hold((id, property), *(seq or [self.seq]))
            old = self.shows.get((id, property))
            self.shows[id, property] = apply_patch(old, value["operations"]) if is_patch(value) else value
        for _, _, data in message["events"]:
            self.shows[FIGURE] = fold_extend(self.shows[FIGURE], data)

    def hold(self, key: Key, seq: int) -> None:
        """This property has this seq now."""
        self.held[key] = max(seq, self.held.get(key, 0))

    @property
    def hash(self) -> int:
        """What it says after a ping with ``check``."""
        counting = [(key, seq) for key, seq in self.held.items() if seq > 0]
        return sum(zlib.crc32(f"{id}.{property}:{seq}".encode()) for (id, property), seq in counting) % 2**32

    def resume(self, shared: SharedMap) -> None:
        """A new socket: go on from the seq, as the hub does it."""
        self.outbox.clear()
        self.outbox.stand(self.seq)
        if self.seq < shared.told_from:  # a snapshot: it starts from nothing
            self.shows.clear()
            self.held.clear()
            self.outbox.position = -1
        self.outbox.again.whole.update(entry.key for entry in shared.entries() if entry.extended > self.seq)


class Readers(RuleBasedStateMachine):
    """Two pages beside one map. ``state`` is kept by hand, as plainly as can be."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = [
            mock.patch.object(outbox_module, "MAX_EVENTS", SMALL),
            mock.patch.object(outbox_module, "MAX_BATCHES", SMALL),
            mock.patch.object(shared_module, "MAX_PATCHES", SMALL),
            mock.patch.object(shared_module, "MAX_GONE", 1),
        ]
        for limit in self.limits:
            limit.start()
        self.last = 0
        self.shared = SharedMap()
        self.state: dict[Key, Any] = {("a", "value"): [0], FIGURE: {"data": [{"y": [0]}], "layout": {"n": 0}}}
        for key, value in self.state.items():
            self.shared.seed(key, value)
        self.readers = [Reader("A", self.state), Reader("B", self.state)]

    def number(self) -> int:
        self.last += 1
        return self.last

    @rule(
        keys=st.lists(st.sampled_from(LISTS), min_size=1, max_size=2, unique=True), origin=st.sampled_from((None, 0, 1))
    )
    def stores(self, keys: list[Key], origin: int | None) -> None:
        """Several values under one seq, from the server or a page. A page that is behind shows its own value already."""
        seq = self.shared.next_seq()
        for key in keys:
            value = [self.number()]
            name = None if origin is None else self.readers[origin].name
            self.put(Entry(key, seq, encoded=orjson.dumps(value), origin=name), value)
            if origin is not None:
                self.readers[origin].shows[key] = value
                self.readers[origin].hold(key, seq)

    @rule(key=st.sampled_from(LISTS))
    def forgets(self, key: Key) -> None:
        """A component is gone with its values; a page that cannot be told any more connects again."""
        self.shared.forget([key[0]])
        self.state.pop(key, None)
        for reader in self.readers:
            if reader.outbox.position is not None and reader.outbox.position < self.shared.told_from:
                reader.resume(self.shared)

    @rule()
    def stores_a_figure(self) -> None:
        value = {"data": [{"y": [self.number()]}], "layout": {"n": 0}}
        self.put(Entry(FIGURE, self.shared.next_seq(), encoded=orjson.dumps(value)), value)

    @rule(key=st.sampled_from(LISTS))
    def appends(self, key: Key) -> None:
        self.patch(key, {"operation": "Append", "location": [], "params": {"value": self.number()}})

    @rule()
    def patches_the_figure(self) -> None:
        self.patch(FIGURE, {"operation": "Assign", "location": ["layout", "n"], "params": {"value": self.number()}})

    def patch(self, key: Key, operation: dict[str, Any]) -> None:
        before = self.shared.get(key)
        if before is not None:
            value = apply_patch(before.value, [operation])
            operations = orjson.dumps([operation])[1:-1]
            self.put(
                before.patched(self.shared.next_seq(), operations, value), apply_patch(self.state[key], [operation])
            )

    def put(self, entry: Entry, value: Any) -> None:
        self.shared.put(entry)
        self.state[entry.key] = value

    @rule(most=st.sampled_from((None, 3)))
    def extends_the_figure(self, most: int | None) -> None:
        self.shared.next_seq()
        data = [{"y": [[self.number()]]}, [0], most]
        for reader in self.readers:
            reader.outbox.post_event(EXTEND, triple(*EXTEND, orjson.dumps(data)))
        entry = self.shared.get(FIGURE)
        assert entry is not None
        self.shared.fold(entry, fold_extend(entry.value, data))
        self.state[FIGURE] = fold_extend(self.state[FIGURE], data)

    @rule(reader=READERS, lost=st.booleans(), applied=st.booleans())
    def reads(self, reader: int, lost: bool, applied: bool) -> None:
        """A flush for one page; the frame arrives, or is lost with its socket. The page may say that it applied it."""
        self.flush([self.readers[reader]], lost)
        if applied:
            self.readers[reader].outbox.applied(self.readers[reader].seq)

    @rule()
    def all_read(self) -> None:
        """All say what they applied; a flush for every page, and nobody is behind any more."""
        for reader in self.readers:
            reader.outbox.applied(reader.seq)
        self.flush(self.readers, False)
        for reader in self.readers:
            assert reader.shows == self.state
            assert reader.outbox.is_in_step(self.shared)
            assert reader.outbox.checksum(self.shared) == reader.hash

    def flush(self, readers: list[Reader], lost: bool) -> None:
        batches: dict[int, Batch] = {}
        for reader in readers:
            frame = reader.outbox.next_frame(reader.name, self.shared, batches)
            if lost:
                reader.resume(self.shared)
            elif frame is not None:
                reader.receive(frame)

    @rule(position=st.integers(0, 40))
    def since_is_what_is_newer(self, position: int) -> None:
        newer = self.shared.since(position)
        assert {entry.key for entry in newer} == {e.key for e in self.shared.entries() if e.seq > position}
        assert [entry.seq for entry in newer] == sorted(entry.seq for entry in newer)
        assert {entry.key: entry.value for entry in self.shared.entries()} == self.state

    def teardown(self) -> None:
        try:
            self.all_read()
        finally:
            for limit in self.limits:
                limit.stop()


def test_whoever_reads_whenever_ends_on_the_exact_state() -> None:
    run(Readers, examples=250)
