"""Dict ids that no page shows any more: how long their values are kept.

An app names the string ids that it has; dict ids come and go, and visitors may make them up. The values of an id that only
pages announced go with the last page that shows it; what pages store for such ids may take `MADE_UP_BYTES` in all. Those of an
id that the server sent wait for its return, as long as they take no more than `KEEP_BYTES` in all: then those that were shown
last are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from .shared import Key, SharedMap

KEEP_BYTES = 64 * 2**20
MADE_UP_BYTES = 64 * 2**20  # that pages store for ids that only they announced
ENTRY_BYTES = 1_000  # that Python takes for each value, about


class Absent:
    """What `Components` tells of dict ids, and what follows from it for their values. The engine's lock covers every method."""

    def __init__(self) -> None:
        self._ours: set[str] = set()  # shown by somebody, and sent by the server
        self._left: dict[str, bool] = {}  # no page shows them since `settle`; were they sent by the server?
        self._kept: OrderedDict[str, int] = OrderedDict()  # no page shows them: the bytes of their values, oldest first
        self._bytes = 0
        self._sizes: dict[Key, int] = {}  # of values of ids that only pages announced
        self._made_up = 0  # the sum of them

    def came(self, id: str) -> None:
        """Somebody shows a component now."""
        if self._left.pop(id, False) or id in self._kept:
            self._ours.add(id)
        self._bytes -= self._kept.pop(id, 0)

    def sent(self, id: str) -> None:
        """The server sent a component, to a page or to all of them."""
        if id.startswith("{"):
            self._ours.add(id)

    def left(self, id: str) -> None:
        """Nobody shows a component any more."""
        if id.startswith("{"):
            self._left[id] = id in self._ours
            self._ours.discard(id)

    def takes(self, key: Key, size: int) -> bool:
        """May a page store a value of so many bytes? Those of ids that only pages announced are counted together."""
        if not key[0].startswith("{") or key[0] in self._ours:
            return True
        before = self._sizes.get(key, 0)
        if size > before and self._made_up + size - before > MADE_UP_BYTES:
            return False
        self._sizes[key] = size
        self._made_up += size - before
        return True

    def settle(
        self, shared: SharedMap, is_there: Callable[[str], bool], is_durable: Callable[[Key], bool]
    ) -> list[str]:
        """The ids whose values have to go, of all that happened since this was last asked.

        ``is_durable``: is this property to be kept whatever it takes?
        """
        left, self._left = self._left, {}
        # values that were stored for an id that no page showed: a push, a result, an earlier life of the server
        left.update((id, True) for id in shared.take_new() if id not in left and not is_there(id))
        gone = []
        for id, is_ours in left.items():
            entries = shared.of(id)
            self._made_up -= sum(self._sizes.pop(entry.key, 0) for entry in entries)
            if entries and is_ours and not any(is_durable(entry.key) for entry in entries):
                self._bytes -= self._kept.pop(id, 0)
                self._kept[id] = sum(len(entry.encoded) + len(id) + ENTRY_BYTES for entry in entries)
                self._bytes += self._kept[id]
            elif entries and not is_ours:
                gone.append(id)
        while self._bytes > KEEP_BYTES:
            id, size = self._kept.popitem(last=False)
            self._bytes -= size
            gone.append(id)
        return gone
