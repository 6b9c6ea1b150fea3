"""What a page must be told although it is no newer than the seq it stands at, until it is known to have it.

Figures it lost points of, values it was refused or mounted differently, and everything, where nobody knows what it holds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from .components import id_text, may_hold_components, walk
from .shared import Entry, Key, SharedMap

NOT_YET = sys.maxsize
DEEPEST = 64  # levels of components inside of components, where shared values put them there


def with_contents(shared: SharedMap, entries: Iterable[Entry], outer: Key | None = None) -> list[Entry]:
    """The entries and, behind each, the newest of what is inside of the components in it: in a page, the entry replaces that.

    ``outer`` is where the entries stand: an old value may say that it stands in one of them.
    """
    queue = [(entry, 0) for entry in entries]
    depth = {entry.key: level for entry, level in queue}
    for entry, level in queue:
        if depth[entry.key] > level or level == DEEPEST or not may_hold_components(entry.key[1], entry.encoded):
            continue
        inner = (one for props in walk(entry.value) for one in shared.of(id_text(props["id"])))
        deeper = [one for one in inner if depth.get(one.key, -1) <= level and one.key != outer]
        depth.update({one.key: level + 1 for one in deeper})
        queue.extend((one, level + 1) for one in deeper)
    found = {entry.key: entry for entry, _ in queue}
    return sorted(found.values(), key=lambda entry: depth[entry.key])


class Again:
    """Of one page. ``frame`` is the number of a frame to that page; they are counted from 1.

    Attributes:
        whole: properties that the next mods must hold whole.
    """

    def __init__(self) -> None:
        self.whole: set[Key] = set()
        self._unseen: dict[Key, int] = {}  # told in this frame, which may have got lost
        self._over: int | None = None  # everything: told in this frame, or not yet; None: it need not be told

    @property
    def wants_all(self) -> bool:
        """Must a page that comes back be told everything?"""
        return self._over is not None

    def start_over(self) -> None:
        """Everything is to be told."""
        self._over = NOT_YET

    def told_all(self, frame: int) -> None:
        """This frame holds everything."""
        if self._over is not None:
            self._over = frame

    def has_all(self) -> None:
        """The page got a layout, and everything with it."""
        self._over = None

    def take(self, shared: SharedMap, frame: int) -> list[Entry]:
        """The properties that this frame must hold whole, each behind those that it is inside of."""
        if not self.whole:
            return []
        self._unseen.update(dict.fromkeys(self.whole, frame))
        entries = [entry for key in self.whole if (entry := shared.get(key)) is not None]
        self.whole.clear()
        return with_contents(shared, sorted(entries, key=lambda entry: entry.seq))

    def worked_off(self, frame: int) -> None:
        """The page has worked off all frames up to this one."""
        if self._unseen:
            self._unseen = {key: at for key, at in self._unseen.items() if at > frame}
        if self._over is not None and self._over <= frame:
            self._over = None

    def lost(self) -> None:
        """The socket is gone, and with it what may have been on its way."""
        self.whole.update(self._unseen)
        self._unseen.clear()
