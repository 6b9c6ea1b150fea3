"""What Patches and points make of the values before: worked out before anything of a mod is stored, so it is all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from .calls import Item
from .children import Children, Patched
from .components import DATA, Components, id_text, may_hold_components, walk
from .events import is_building
from .outbox import EXTENDING
from .patches import apply_patch, fold_extend, without_removals
from .shared import Key, SharedMap


class Draft:
    """The server's values as they will be in the middle of a mod. The engine's lock covers every method."""

    def __init__(self, children: Children, components: Components, shared: SharedMap) -> None:
        self._children = children
        self._components = components
        self._shared = shared
        self._ahead: dict[str, dict[str, Any]] = {}

    def build(self, items: Sequence[Item]) -> dict[int, Patched]:
        """By the place of each item that builds on the value before, what comes of it.

        Raises:
            ModsError: what does not fit the value before.
        """
        built: dict[int, Patched] = {}
        for place, item in enumerate(items):
            key, given = item.key, orjson.loads(item.encoded)
            if not is_building(item):
                self._put(key, given)
                continue
            if key[1] in EXTENDING:
                key = (key[0], "figure")
            before = self._children.value(key, self._ahead)
            if item.key == key:
                built[place] = self._patched(item, before, given["operations"])
            elif before:
                built[place] = Patched(before, fold_extend(before, given, prepend=item.key[1] == "prependData"))
            if place in built and place + 1 < len(items):
                self._put(key, built[place].value, is_given=False)
        return built

    @staticmethod
    def _patched(item: Item, before: Any, operations: list[dict[str, Any]]) -> Patched:
        named: Iterable[dict[str, Any]] = ()
        if may_hold_components(item.key[1], item.encoded):
            operations = without_removals(before, operations)
            named = walk([operation["params"].get("value") for operation in operations])
        value = apply_patch(before, operations)
        return Patched(before, value, operations, frozenset(id_text(props["id"]) for props in named))

    def _put(self, key: Key, value: Any, *, is_given: bool = True) -> None:
        self._ahead.setdefault(key[0], {})[key[1]] = value
        if key[1] in DATA:
            return
        for id, props in self._components.inside(value).items():
            for name in self._children.given(id, props) if is_given else props:
                if (id, name) in self._shared:
                    self._put((id, name), props[name], is_given=is_given)
