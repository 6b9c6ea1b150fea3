"""Which shared properties are durable. Pure: no Dash, no I/O."""

from __future__ import annotations

from collections.abc import Callable

from .components import id_parts
from .patterns import Dep, fits
from .shared import Key

EVENT_LIKE = frozenset({"clickData", "hoverData", "clickAnnotationData"})


def is_event_like(property: str) -> bool:
    """Does it say that something happened, rather than how something stands?

    Brought back at a start, a count of clicks would press its button: the callback that runs then sees a click. And a
    button that stops something has to work when the disk does not.
    """
    return property in EVENT_LIKE or property.startswith("n_") or property.endswith("_timestamp")


class Selection:
    """The durable properties: all that are shared, until some are named.

    Args:
        is_event: tells the properties that are events; those are never kept.
    """

    def __init__(self, is_event: Callable[[Key], bool]) -> None:
        self._is_event = is_event
        self._named: dict[Key, None] = {}
        self._patterns: list[Dep] = []

    def name(self, dep: Dep) -> None:
        """From now on only what is named is durable."""
        if dep.is_pattern:
            self._patterns.append(dep)
        else:
            self._named[dep.key] = None

    @property
    def is_all(self) -> bool:
        """Was nothing named?"""
        return not self._named and not self._patterns

    def is_named(self, key: Key) -> bool:
        """Was it said of this property that it is durable?"""
        return self._is_named(key) and self.keeps(key)

    def keeps(self, key: Key) -> bool:
        """Is this property durable: on disk, and before a change of it is carried out?"""
        if self._is_event(key):
            return False
        return not is_event_like(key[1]) if self.is_all else self._is_named(key)

    def _is_named(self, key: Key) -> bool:
        return key in self._named or any(_stands_for(dep, key) for dep in self._patterns)


def _stands_for(dep: Dep, key: Key) -> bool:
    parts = id_parts(key[0]) if key[1] == dep.prop else None
    return parts is not None and parts[0] == dep.names and fits(dep, parts[1], {}, free=True)
