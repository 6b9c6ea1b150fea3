"""The dict ids that are known, found by some of their values: by what a pattern says, and what MATCH stands for.

One run of a callback with MATCH asks for the components of one row. Looking at all rows for that would make a table of n rows
cost n * n steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Names = tuple[str, ...]
Values = tuple[Any, ...]
Places = tuple[int, ...]
"""Positions in the names of an id, in ascending order."""

_NONE: Mapping[Values, str] = {}


class DictIds:
    """Dict ids on the wire, by their names and values. Everything is in the order in which the ids became known."""

    def __init__(self) -> None:
        self._known: dict[Names, dict[Values, str]] = {}
        self._groups: dict[Names, dict[Places, dict[Values, dict[Values, str]]]] = {}

    def add(self, id: str, names: Names, values: Values) -> None:
        """A component became known."""
        self._known.setdefault(names, {})[values] = id
        for places, groups in self._groups.get(names, {}).items():
            groups.setdefault(_at(places, values), {})[values] = id

    def remove(self, id: str, names: Names, values: Values) -> None:
        """A component is no longer known. The values of another id may equal its own: ``1`` and ``true`` do in Python."""
        known = self._known.get(names, {})
        if known.get(values) != id:
            return
        del known[values]
        for places, groups in self._groups.get(names, {}).items():
            group = groups[_at(places, values)]
            del group[values]
            if not group:
                del groups[_at(places, values)]

    def of(self, names: Names) -> Mapping[Values, str]:
        """The ids with exactly these names: values to id."""
        return self._known.get(names, _NONE)

    def with_values(self, names: Names, places: Places, values: Values) -> Mapping[Values, str]:
        """Those of them that have these values at these places. The first time that places are asked for takes longest."""
        if not places:
            return self.of(names)
        by_places = self._groups.setdefault(names, {})
        groups = by_places.get(places)
        if groups is None:
            groups = by_places[places] = {}
            for known, id in self.of(names).items():
                groups.setdefault(_at(places, known), {})[known] = id
        return groups.get(values, _NONE)


def _at(places: Places, values: Values) -> Values:
    return tuple(values[place] for place in places)
