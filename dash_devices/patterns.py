"""Ids with wildcards: what one Input, Output or State of a callback stands for."""

from __future__ import annotations

import dataclasses
import enum
import functools
import itertools
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from .components import Components, id_parts
from .dict_ids import Names
from .shared import Key

logger = logging.getLogger("dash_devices.state")

MAX_MATCHES = (
    10_000  # components that one wildcard stands for: pages may announce more, and each call is given all of them
)


class Wild(enum.Enum):
    """A wildcard in a dict id."""

    ALL = "ALL"
    MATCH = "MATCH"
    ALLSMALLER = "ALLSMALLER"


@dataclasses.dataclass(frozen=True, slots=True)
class Dep:
    """One Input, Output or State.

    Attributes:
        matches: positions of MATCH in ``values``.
        text: the id on the wire; wildcards stand as ``["ALL"]``.
        names, values: of a dict id with wildcards; ``values`` holds `Wild` members. Empty for all others.
        optional: may the component be missing? (``allow_optional``)
    """

    text: str
    prop: str
    names: Names = ()
    values: tuple[Any, ...] = ()
    optional: bool = dataclasses.field(default=False, compare=False)
    matches: tuple[int, ...] = dataclasses.field(init=False, compare=False, default=())

    def __post_init__(self) -> None:
        places = tuple(place for place, value in enumerate(self.values) if value is Wild.MATCH)
        object.__setattr__(self, "matches", places)

    @property
    def key(self) -> Key:
        """The property it names; only of use without wildcards."""
        return self.text, self.prop

    @property
    def is_pattern(self) -> bool:
        """Does the id hold a wildcard?"""
        return bool(self.names)

    @property
    def is_many(self) -> bool:
        """Does it stand for a list of components (ALL, ALLSMALLER)?"""
        return Wild.ALL in self.values or Wild.ALLSMALLER in self.values

    def match(self, names: Names, values: tuple[Any, ...]) -> Anchor | None:
        """The values that MATCH takes if this id fits the pattern, else None."""
        if names != self.names:
            return None
        for wanted, value in zip(self.values, values, strict=True):
            if wanted != value and not isinstance(wanted, Wild):
                return None
        return tuple([(names[place], values[place]) for place in self.matches])

    def stands_for(self, key: Key) -> bool:
        """Is this property the one, or one of those, that it names?"""
        if self.prop != key[1] or not self.is_pattern:
            return self.key == key
        parts = id_parts(key[0])
        return parts is not None and self.match(*parts) is not None

    def __str__(self) -> str:
        return f"{self.text}.{self.prop}"


Anchor = tuple[tuple[str, Any], ...]
"""``(name, value)`` of each MATCH."""


def match_values(dep: Dep, components: Components) -> Iterator[Anchor]:
    """The anchors that the known components give a pattern."""
    for values in components.matching(dep.names):
        anchor = dep.match(dep.names, values)
        if anchor is not None:
            yield anchor


def expand(dep: Dep, anchor: Anchor, components: Components, *, free: bool = False) -> list[Key]:
    """The properties that a Dep stands for once MATCH is known; ``free`` leaves MATCH open."""
    if not dep.is_pattern:
        return [dep.key]
    bound = dict(anchor)
    known = _candidates(dep, bound, components).items()
    found = ((text, dep.prop) for values, text in known if fits(dep, values, bound, free=free))
    keys = list(itertools.islice(found, MAX_MATCHES))
    if len(keys) == MAX_MATCHES:
        _tell_once(str(dep))
    return keys


def _candidates(dep: Dep, bound: Mapping[str, Any], components: Components) -> Mapping[tuple[Any, ...], str]:
    """The known ids that have the values which the pattern and MATCH ask for: few of many."""
    wanted = {}
    for place, (value, name) in enumerate(zip(dep.values, dep.names, strict=True)):
        if value is Wild.MATCH and name in bound:
            wanted[place] = bound[name]
        elif not isinstance(value, Wild):
            wanted[place] = value
    return components.matching(dep.names, tuple(wanted), tuple(wanted.values()))


@functools.cache
def _tell_once(dep: str) -> None:
    logger.warning("%s: stands for %d components or more; no more than that are taken", dep, MAX_MATCHES)


def fits(dep: Dep, values: tuple[Any, ...], bound: Mapping[str, Any], *, free: bool = False) -> bool:
    """Does a pattern stand for the dict id of the same names and these values, once MATCH is ``bound``?"""
    return all(
        _fits(wanted, value, name, bound, free)
        for wanted, value, name in zip(dep.values, values, dep.names, strict=True)
    )


def _fits(wanted: Any, value: Any, name: str, bound: Mapping[str, Any], free: bool) -> bool:
    if wanted is Wild.ALL:
        return True
    if wanted is Wild.MATCH:
        return free or name not in bound or bound[name] == value
    if wanted is Wild.ALLSMALLER:
        return name in bound and _smaller(value, bound[name])
    return bool(wanted == value)


def _smaller(value: Any, limit: Any) -> bool:
    """Dash's order of id values: numbers and booleans before strings."""
    if not isinstance(value, str | int | float):
        return False  # the State of a page may name what no component is called
    if isinstance(value, str) != isinstance(limit, str):
        return isinstance(limit, str)
    return bool(value < limit)
