"""The model that histories are held against.

1. There is one order: a seq of a property has one value, in every page and in the server's own log.
2. What a page sees of a property is a growing subsequence of it.
3. A change that was acknowledged ran exactly once in its epoch; no change ran twice in one.
4. No acknowledged change is missing from the state: the property stands at its seq or at a newer one.
5. In the end all pages show the same, and that is what the server holds.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

Key = tuple[str, str]
"""``(component id, property)``."""

KEPT = 20  # faults that are told in full; the rest are counted


class Journal:
    """What all pages of a swarm saw, checked as they see it.

    Attributes:
        faults: what broke the model, in words; ``fault_count`` of them, the first `KEPT` are here.
        acks: ``(epoch, value)`` of each acknowledged change. Values of changes are unique: they name page and number.
        kept: ``(page, n)`` of changes that were settled by the welcome of the next life of the server.
        unconfirmed: ``(page, n)`` of changes that an epoch took with it.
        refused: how many changes were refused, by code.
        seen: how many values were looked at.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.fault_count = 0
        self.acks: list[tuple[str, Any]] = []
        self.kept: list[tuple[str, int]] = []
        self.unconfirmed: list[tuple[str, int]] = []
        self.refused: Counter[str] = Counter()
        self.seen = 0
        self._order: defaultdict[tuple[str, Key], dict[int, Any]] = defaultdict(dict)
        self._acked_at: dict[tuple[str, Key], int] = {}

    def wrong(self, text: str) -> None:
        """The model is broken."""
        self.fault_count += 1
        if len(self.faults) < KEPT:
            self.faults.append(text)

    def saw(self, page: str, epoch: str, key: Key, seq: int, value: Any, held: int) -> None:
        """A page that held ``held`` of a property is told of ``seq``. Rules 1 and 2."""
        self.seen += 1
        if seq < held:
            self.wrong(f"{page}: {key[0]}.{key[1]} went from {held} back to {seq}")
        order = self._order[epoch, key]
        known = order.setdefault(seq, value)
        if known is not value and known != value:
            self.wrong(f"{page}: {key[0]}.{key[1]} at {seq} is {value!r:.80}, elsewhere it is {known!r:.80}")

    def acked(self, page: str, epoch: str, change: Mapping[str, Any]) -> None:
        """A change was acknowledged."""
        self.acks += [(epoch, value) for _, _, value in change["values"]]

    def check_order(self, epoch: str, stores: Iterable[tuple[Key, int, Any]]) -> None:
        """Hold what the pages saw against what the server says that it stored. Rule 1."""
        for key, seq, value in stores:
            seen = self._order[epoch, key].get(seq, value)
            if seen != value:
                self.wrong(f"{key[0]}.{key[1]} at {seq}: the server stored {value!r:.80}, pages saw {seen!r:.80}")

    def check_runs(self, runs: Mapping[str, Iterable[Any]], *, complete: Iterable[str] = ()) -> None:
        """``runs``: the values that callbacks were called with, by epoch. Rule 3.

        ``complete``: epochs that ended in peace; one that was killed may have acknowledged what it had no time to run.
        """
        counts = {epoch: Counter(values) for epoch, values in runs.items()}
        for epoch, counter in counts.items():
            for value in (value for value, count in counter.items() if count > 1):
                self.wrong(f"{value!r} ran {counter[value]} times in epoch {epoch}")
        for epoch, value in self.acks:
            if epoch in set(complete) and not counts.get(epoch, Counter())[value]:
                self.wrong(f"{value!r} was acknowledged in epoch {epoch} and never ran")

    def check_state(self, epoch: str, state: Mapping[Key, Any]) -> None:
        """``state``: the server's values in the end. They are the newest that anybody saw. Rule 4."""
        for (of, key), order in self._order.items():
            if of == epoch and key in state and order[max(order)] != state[key]:
                newest = order[max(order)]
                self.wrong(f"{key[0]}.{key[1]}: the server holds {state[key]!r:.80}, the newest seen is {newest!r:.80}")

    def check_equal(self, pages: Mapping[str, Mapping[Key, Any]], state: Mapping[Key, Any]) -> None:
        """Everybody shows what the server holds. Rule 5."""
        wanted = digest(state)
        for name, shows in pages.items():
            if digest({key: shows.get(key) for key in state}) != wanted:
                differing = [
                    f"{id}.{property}" for (id, property), v in state.items() if shows.get((id, property)) != v
                ]
                self.wrong(f"{name}: does not show the server's {', '.join(differing)}")


def digest(state: Mapping[Key, Any]) -> str:
    """The hash of a state."""
    rows = sorted(([*key, value] for key, value in state.items()), key=lambda row: row[:2])
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()[:16]
