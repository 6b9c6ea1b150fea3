"""What values of pages may hold: plain data, neither too deep nor with too many parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from . import codec, strict
from .components import may_hold_components
from .limits import PageLimits
from .protocol import Nack, Triple
from .registry import Registry
from .shared import Key


class Refused(Exception):
    """A change that is not taken; carries the nack's code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Contents:
    """Checks the values that pages write."""

    def __init__(self, registry: Registry, limits: PageLimits) -> None:
        self._registry = registry
        self._limits = limits

    def is_too_complex(self, values: Iterable[Triple]) -> bool:
        """Are they nested deeper, or have they more parts, than a page may write?"""
        nested = [value for _, _, value in values if type(value) in (dict, list)]
        if not nested:
            return False
        depth, nodes = codec.complexity(nested, self._limits.depth, self._limits.nodes)
        return depth > self._limits.depth or nodes > self._limits.nodes

    def check(self, key: Key, value: Any) -> None:
        """What a page writes is data: it must not turn into components, or into other ancestors of objects, elsewhere.

        Raises:
            Refused: it could.
        """
        if type(value) not in (dict, list):
            return
        encoded = orjson.dumps(value)
        if strict.pollutes(encoded):
            raise Refused(Nack.BAD_VALUE, "no value may name __proto__")
        holds_any = may_hold_components(key[1], encoded) and strict.holds_components(value)
        if holds_any and not self._registry.takes_components(key):
            raise Refused(Nack.BAD_VALUE, "a page may not write components here")
