"""Dict ids that nobody shows any more: how long their values are kept.

An app names the string ids that it has; dict ids come and go, and visitors may make them up. The values of an id that only
pages announced go with the last page that shows it. Those of one that the server sent wait for its return, as long as they
take no more than `KEEP_BYTES` in all: then those that were shown last are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from .shared import Key, SharedMap

KEEP_BYTES = 64 * 2**20
ENTRY_BYTES = 1_000  # that Python takes for each value, about


class Absent:
    """What `Components` tells of dict ids, and what follows from it for their values. The engine's lock covers every method."""

    def __init__(self) -> None:
        self._ours: set[str] = set()  # shown by pages alone, and sent by the server
        self._left: dict[str, bool] = {}  # nobody shows them since `settle`; were they sent by the server?
        self._kept: OrderedDict[str, int] = OrderedDict()  # nobody shows them: the bytes of their values, oldest first
        self._bytes = 0

    def came(self, id: str) -> None:
        """Somebody shows a component now."""
        if self._left.pop(id, False) or id in self._kept:
            self._ours.add(id)
        self._bytes -= self._kept.pop(id, 0)

    def sent(self, id: str) -> None:
        """The server sent a component to a page alone."""
        if id.startswith("{"):
            self._ours.add(id)

    def left(self, id: str, is_servers: bool) -> None:
        """Nobody shows a component any more; ``is_servers``: the server did, to all pages."""
        if id.startswith("{"):
            self._left[id] = is_servers or id in self._ours
            self._ours.discard(id)

    def settle(
        self, shared: SharedMap, is_there: Callable[[str], bool], is_durable: Callable[[Key], bool]
    ) -> list[str]:
        """The ids whose values have to go, of all that happened since this was last asked.

        ``is_durable``: is this property to be kept whatever it takes?
        """
        left, self._left = self._left, {}
        # values that were stored for an id that nobody showed: a push, a result, an earlier life of the server
        left.update((id, True) for id in shared.take_new() if id not in left and not is_there(id))
        gone = []
        for id, is_ours in left.items():
            entries = shared.of(id)
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
