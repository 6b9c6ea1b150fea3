"""Values that are no state of their own: events, which are seen one by one, and what builds on the value before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from .calls import Item
from .components import Components
from .outbox import EXTENDING
from .patches import apply_patch, fold_extend, is_patch
from .shared import Key

EVENTS = frozenset({*EXTENDING, "Download.data"})
"""Properties that are events: of every component, or of those of one type (``Type.property``)."""

PATCH_START = b'{"__dash_patch_update"'


class EventProperties:
    """Which properties are events.

    Args:
        more: names beside `EVENTS`, in the same two forms.
        components: knows the types.
    """

    def __init__(self, more: Iterable[str], components: Components) -> None:
        self._names = EVENTS | frozenset(more)
        self._of_types = {name.rpartition(".")[2] for name in self._names if "." in name}
        self._components = components

    def __contains__(self, key: Key) -> bool:
        id, property = key
        if property in self._names:
            return True
        return property in self._of_types and f"{self._components.type(id)}.{property}" in self._names


def is_building(item: Item) -> bool:
    """Is it a Patch, or points for a figure?"""
    return item.key[1] in EXTENDING or item.encoded.startswith(PATCH_START)


def rehearse(items: list[Item], value: Callable[[Key], Any]) -> None:
    """Raise for a Patch or points that a value has no place for, before anything of a mod is stored.

    Args:
        items: the new values, in order.
        value: gives the value of a property before them.

    Raises:
        ModsError: what does not fit.
    """
    if not any(is_building(item) for item in items):
        return
    values: dict[Key, Any] = {}
    for item in items:
        new = orjson.loads(item.encoded)
        id, property = item.key
        key = (id, "figure") if property in EXTENDING else item.key
        before = values[key] if key in values else value(key)
        if property in EXTENDING:
            values[key] = before and fold_extend(before, new, prepend=property == "prependData")
        else:
            values[key] = apply_patch(before, new["operations"]) if is_patch(new) else new
