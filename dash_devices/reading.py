"""What a call is given: the values of its Inputs and State, and the author's own copies of them. The engine's lock covers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from .calls import OWN, Cause, Given, Slot
from .children import Children
from .components import Components, decoded_id, id_parts
from .patterns import Dep, expand, fits
from .provenance import own_copy
from .registry import Invocation, Registry
from .shared import Key

NOTHING: Mapping[Key, bytes] = {}


class Reading:
    """Reads the server's values."""

    def __init__(self, children: Children, components: Components, registry: Registry) -> None:
        self._children = children
        self._components = components
        self._registry = registry

    def value(self, key: Key) -> Any:
        """The server's value, else the layout's, else None; with the server's values in the components inside of it.

        The property ``id`` comes from the id itself.
        """
        return decoded_id(key[0]) if key[1] == "id" else self._children.value(key)

    def given(self, key: Key, value: Any) -> Any:
        """A value that the author may change freely: a copy, in which the server's own components are marked."""
        return own_copy(value, key, self._registry.takes_components if self._registry.for_components else None)

    def input(self, dep: Dep, invocation: Invocation, happened: Mapping[Key, bytes]) -> Given:
        """The value of an Input now; that of an event, where this call is because of one."""
        keys = expand(dep, invocation.anchor, self._components)
        if dep.optional and not dep.is_pattern and dep.text not in self._components:
            return Slot(dep.key, None)
        slots = [Slot(key, orjson.loads(happened[key]) if key in happened else self.value(key)) for key in keys]
        return slots if dep.is_many else (slots[0] if slots else Slot(dep.key, None))

    def state(self, dep: Dep, invocation: Invocation, cause: Cause) -> Given:
        """The value of a State: as the page that caused it shows it, where it says so and may."""
        keys = expand(dep, invocation.anchor, self._components)
        if dep.is_many:
            told = [key for key in cause.state if key[1] == dep.prop and self._names(dep, key, invocation)]
            keys = told or keys
        said = {} if dep.prop == "id" else cause.state
        slots = [Slot(key, self.value(key) if said.get(key, OWN) is OWN else said[key]) for key in keys]
        return slots if dep.is_many else (slots[0] if slots else Slot(dep.key, None))

    @staticmethod
    def _names(dep: Dep, key: Key, invocation: Invocation) -> bool:
        parts = id_parts(key[0])
        return parts is not None and parts[0] == dep.names and fits(dep, parts[1], dict(invocation.anchor))
