"""The one copy of every shared property: a map from key to value with the place in the one total order.

``since(seq)`` is all that a page needs to catch up, whatever it missed: it is the broadcast queue, the back-pressure and the
reconnect in one. No I/O here, no asyncio; the owner (the engine) holds its lock around every call.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import orjson

from .codec import triple, with_seq

Key = tuple[str, str]
"""``(component id as the wire writes it, property)``."""

MAX_GONE = 20_000  # ids that were forgotten and that pages can be told of; a page further behind starts over
MAX_PATCHES = 64  # patches kept beside one value; a page further behind gets the whole value

UNSET: Any = object()


class Entry:
    """One value of one shared property. Immutable but for its caches: queued calls keep the version they were queued with.

    Attributes:
        key: the property.
        seq: the seq of the store that set it; 0 for a value that came with the layout.
        origin: name of the page load that shows this value already, as it made the change; None for the server's own.
        patches: ``(seq, encoded operations)`` that lead here from the value at ``base``, oldest first.
        base: the oldest seq from which ``patches`` lead here.
        extended: the seq of the last event that was folded in (``extendData``); 0 when there is none.
        is_plain: is it sure that there are no components inside of the value?
        filled: the value with the newest values of the components inside of it, as long as none of them changes; else `UNSET`.
    """

    __slots__ = (
        "_crc",
        "_encoded",
        "_triple",
        "_value",
        "base",
        "extended",
        "filled",
        "is_plain",
        "key",
        "origin",
        "patches",
        "seq",
    )

    def __init__(
        self, key: Key, seq: int, *, encoded: bytes | None = None, value: Any = UNSET, origin: str | None = None
    ) -> None:
        self.key = key
        self.seq = seq
        self.origin = origin
        self.patches: tuple[tuple[int, bytes], ...] = ()
        self.base = seq
        self.extended = 0
        self.is_plain = False
        self.filled: Any = UNSET
        self._encoded = encoded
        self._value = value
        self._triple: bytes | None = None
        self._crc: int | None = None

    @property
    def value(self) -> Any:
        """The value as JSON decodes it; never to be changed in place."""
        if self._value is UNSET:
            self._value = orjson.loads(self.encoded)
        return self._value

    @property
    def encoded(self) -> bytes:
        """The value as JSON."""
        if self._encoded is None:
            self._encoded = orjson.dumps(self._value)
        return self._encoded

    @property
    def triple(self) -> bytes:
        """``[id, property, value]`` as JSON."""
        if self._triple is None:
            self._triple = triple(*self.key, self.encoded)
        return self._triple

    @property
    def crc(self) -> int:
        """The checksum of the property and its seq, for the hash of what a page holds."""
        if self._crc is None:
            self._crc = crc_of(self.key, self.seq)
        return self._crc

    def mod_for(self, position: int, seq: int) -> bytes:
        """What a page at ``position`` is sent in a message of ``seq``."""
        encoded = self.triple_for(position)
        return encoded if self.seq == seq else with_seq(encoded, self.seq)

    def is_patch_for(self, position: int) -> bool:
        """Is a page at ``position`` sent patches, and not the value?"""
        return bool(self.patches) and position >= self.base

    def triple_for(self, position: int) -> bytes:
        """What a page at ``position`` is sent: the patches it lacks if it has the value they start from, else the value."""
        if not self.is_patch_for(position):
            return self.triple
        operations = b",".join(operations for seq, operations in self.patches if seq > position and operations)
        patch = b'{"__dash_patch_update":"__dash_patch_update","operations":[%b]}' % operations
        return triple(*self.key, patch)

    def moved(self, seq: int) -> Entry:
        """The same value at another place, whole and the server's own."""
        return Entry(self.key, seq, encoded=self._encoded, value=self._value)

    def patched(self, seq: int, operations: bytes, value: Any) -> Entry:
        """The next version of this entry: ``value`` is this one's with ``operations`` (JSON, without brackets) applied."""
        entry = Entry(self.key, seq, value=value)
        kept = self.patches[-MAX_PATCHES + 1 :]
        # a chain that lost its head leads from where the lost part ended
        entry.base = self.base if len(kept) == len(self.patches) else self.patches[-MAX_PATCHES][0]
        if not self.patches:
            entry.base = max(self.seq, self.extended)  # points that were folded in are not in the patches
        entry.patches = (*kept, (seq, operations))
        return entry


def crc_of(key: Key, seq: int) -> int:
    """CRC-32 of ``id.property:seq``."""
    return zlib.crc32(f"{key[0]}.{key[1]}:{seq}".encode())


class SharedMap:
    """All shared properties, ordered by seq.

    Attributes:
        seq: the newest seq given out; 0 before the first store.
        dirty: the properties that were stored since somebody took them from here; None while nobody does.
        around: the shared properties that a component stands in, from the inside out.
        names_version: changes when components get their first entry, or lose all of them.
        told_from: the oldest seq from which pages can be told what was forgotten since.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.dirty: dict[Key, None] | None = None
        self.around: Callable[[str], Sequence[Key]] = lambda id: ()
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self.names_version = 0
        self.told_from = 0
        self._by_id: dict[str, dict[str, None]] = {}
        self._new: dict[str, None] = {}
        self._gone: OrderedDict[str, int] = (
            OrderedDict()
        )  # ids, with the seq at which they were forgotten, oldest first
        self._sums: tuple[int, list[int], list[int]] = (-1, [], [])

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def get(self, key: Key) -> Entry | None:
        """The newest version of a property, or None where the server has no value."""
        return self._entries.get(key)

    def seed(self, key: Key, value: Any) -> None:
        """Take a value that the layout brings, at seq 0, unless there is one: pages have it already."""
        if key not in self._entries:
            self._entries[key] = Entry(key, 0, value=value)
            self._entries.move_to_end(key, last=False)
            self._name(key)

    def next_seq(self) -> int:
        """Take the next place in the order."""
        self.seq += 1
        return self.seq

    def put(self, entry: Entry) -> None:
        """Store an entry that was made with the newest seq."""
        self._entries[entry.key] = entry
        self._entries.move_to_end(entry.key)
        self._name(entry.key)
        self._changed(entry.key)

    def fold(self, entry: Entry, value: Any) -> None:
        """Replace a value by what pages made of it themselves, from an event at the newest seq: it is not sent again."""
        folded = Entry(entry.key, entry.seq, value=value, origin=entry.origin)
        folded.extended = self.seq
        self._entries[entry.key] = folded
        self._changed(entry.key)

    def _changed(self, key: Key) -> None:
        if self.dirty is not None:
            self.dirty[key] = None
        for outer in self.around(key[0]):
            if (entry := self._entries.get(outer)) is not None:
                entry.filled = UNSET

    def _name(self, key: Key) -> None:
        id, property = key
        if id not in self._by_id:
            self._by_id[id] = {}
            self.names_version += 1
            if id.startswith("{"):
                self._new[id] = None
        self._by_id[id][property] = None

    def take_new(self) -> list[str]:
        """The dict ids that got their first entry since this was last asked."""
        new, self._new = self._new, {}
        return list(new)

    def forget(self, ids: Iterable[str]) -> None:
        """Drop all entries of some components, at the next seq: pages that held them are told."""
        while len(self._gone) > MAX_GONE:  # before the new ones: pages in step need those alone, however many they are
            _, self.told_from = self._gone.popitem(last=False)
        seq = self.next_seq()
        self.names_version += 1
        for id in ids:
            for property in self._by_id.pop(id, ()):
                del self._entries[id, property]
                self._changed((id, property))
            self._gone[id] = seq
            self._gone.move_to_end(id)

    def gone_since(self, position: int) -> list[str]:
        """The components that were forgotten after ``position``; they may have entries again, of a later seq."""
        found = []
        for id, seq in reversed(self._gone.items()):
            if seq <= position:
                break
            found.append(id)
        return found

    def blank(self, key: Key) -> None:
        """Forget a value that turned out to be an event's: its seq stays, because pages count it."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = Entry(key, entry.seq, value=None)

    def since(self, position: int) -> list[Entry]:
        """What is newer than ``position``, oldest first. Costs as much as there is to send.

        What stands inside of a value that may go as a Patch comes behind it: the Patch may bring the component.
        """
        newer: list[Entry] = []
        for entry in reversed(self._entries.values()):
            if entry.seq <= position:
                break
            newer.append(entry)
        newer.reverse()
        if any(entry.patches for entry in newer):
            newer = self._contents_last(newer)
        return newer

    def _contents_last(self, entries: list[Entry]) -> list[Entry]:
        places = {entry.key: place for place, entry in enumerate(entries)}

        def rank(entry: Entry) -> tuple[int, int, int]:
            around = self.around(entry.key[0])
            place = places[entry.key]
            return max([place, *(places[key] for key in around if key in places)]), len(around), place

        return sorted(entries, key=rank)

    def checksum(self, base: int) -> int:
        """The sum, modulo 2^32, of the checksums of what is newer than ``base``. Summed once for all pages at one seq."""
        if self._sums[0] != self.seq:
            newest_first = [entry for entry in reversed(self._entries.values()) if entry.seq]
            sums = [0, *accumulate(entry.crc for entry in newest_first)]
            self._sums = (self.seq, [entry.seq for entry in reversed(newest_first)], sums)
        _, seqs, sums = self._sums
        return sums[len(seqs) - bisect_right(seqs, base)] % 2**32

    def size_of(self, keys: Iterable[Key]) -> int:
        """Bytes of these values as JSON."""
        return sum(len(entry.encoded) for key in keys if (entry := self.get(key)) is not None)

    def ids(self) -> list[str]:
        """The components that have entries."""
        return list(self._by_id)

    def of(self, id: str) -> list[Entry]:
        """The entries of one component."""
        return [self._entries[id, property] for property in self._by_id.get(id, ())]

    def entries(self) -> list[Entry]:
        """Every entry, oldest first."""
        return list(self._entries.values())
