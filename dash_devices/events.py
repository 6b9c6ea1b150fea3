"""What is no state of its own: events, which are seen one by one, and values that build on the one before."""

from __future__ import annotations

from collections.abc import Iterable

from .calls import Item
from .components import Components
from .outbox import EXTENDING
from .shared import Key

EVENTS = frozenset({*EXTENDING, "Download.data"})
"""Properties that are events: of every component, or of those of one type (``Type.property``)."""


class EventProperties:
    """Which properties are events.

    Args:
        more: names beside `EVENTS`, in the same two forms.
        components: knows the types.
    """

    def __init__(self, more: Iterable[str], components: Components) -> None:
        self._names = EVENTS | frozenset(more)
        self._of_types = frozenset(name.rpartition(".")[2] for name in self._names if "." in name)
        self._components = components

    def __contains__(self, key: Key) -> bool:
        id, property = key
        if property in self._names:
            return True
        return self.depends_on_type(key) and f"{self._components.type(id)}.{property}" in self._names

    def depends_on_type(self, key: Key) -> bool:
        """Does the component have to be known to tell?"""
        return key[1] in self._of_types


def is_building(item: Item) -> bool:
    """Does the new value build on the one before (a Patch, points for a figure)?"""
    return item.key[1] in EXTENDING or item.encoded.startswith(b'{"__dash_patch_update"')
