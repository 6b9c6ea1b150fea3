"""The next mods of pages that stand at the same seq and may read the same: made once for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import codec
from .shared import Entry, Key, SharedMap

if TYPE_CHECKING:
    from .access import View
    from .outbox import Outbox


class Batch:
    """What the shared map has for pages at one position, with the same rights; made once per flush for all of them."""

    __slots__ = ("_message", "_position", "_shared", "entries", "gone", "origins")

    def __init__(self, shared: SharedMap, position: int, view: View | None = None) -> None:
        entries = shared.since(position)
        self.entries = entries if view is None else view.shown_all(entries)
        self.gone = shared.gone_since(position)
        self.origins = {entry.origin for entry in self.entries if entry.origin is not None}
        self._position = position
        self._shared = shared
        self._message: bytes | None = None

    @property
    def message(self) -> bytes:
        """The mods for a page that made none of these changes itself."""
        if self._message is None:
            self._message = self._encode(self.entries)
        return self._message

    def message_for(self, client: str, outbox: Outbox) -> bytes | None:
        """The mods for one page: without what it shows already, because it made the change.

        What stands inside of another mod is sent all the same: that may write something older over it.
        """
        outbox.forget(self.gone)
        if client not in self.origins and not outbox.has_own:
            if self.entries:
                outbox.batch_out(self._shared.seq)
            return self.message if self.entries or self.gone else None
        whole = outbox.take_whole(self._shared)
        told = {entry.key for entry in whole}
        others = {entry.key for entry in self.entries if entry.origin != client}
        gone, around = frozenset(self.gone), self._shared.around
        entries = [
            entry
            for entry in self.entries
            if entry.key not in told
            and (entry.origin != client or entry.key[0] in gone or any(key in others for key in around(entry.key[0])))
        ]
        entries.extend(whole)
        events, lost = outbox.take_events({entry.key[0] for entry in entries if entry.key[1] == "figure"})
        if entries:
            outbox.batch_out(self._shared.seq)
        return self._encode(entries, events, lost) if entries or events or lost or self.gone else None

    def _encode(self, entries: list[Entry], events: Iterable[bytes] = (), lost: int = 0) -> bytes:
        seq, position = self._shared.seq, self._position
        filled = {entry.key: entry.seq for entry in entries if entry.patches and not entry.is_patch_for(position)}
        mods = [entry.mod_for(self._place(entry, filled) if entry.patches else position, seq) for entry in entries]
        return codec.mods(seq, mods, events, lost, self.gone)

    def _place(self, entry: Entry, filled: dict[Key, int]) -> int:
        """From where a page needs the patches of a value: a patched one around it that is sent whole has the older ones in it."""
        around = self._shared.around(entry.key[0])
        return max([self._position, *(filled[key] for key in around if key in filled)])


Batches = dict[tuple[int, "View | None"], Batch]
"""The batches of one flush, by position and rights."""
