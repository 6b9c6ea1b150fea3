"""What values of pages may hold: plain data, neither too deep nor with too many parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import codec, strict
from .limits import PageLimits
from .protocol import Nack, Triple
from .registry import Registry
from .shared import Key
from .strict import Code


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
        """What a page writes is data: neither components, nor a Patch, nor other ancestors of objects.

        Raises:
            Refused: it is more than that, and components are not allowed here.
        """
        found = strict.code_in(value) if type(value) in (dict, list) else Code.NOTHING
        if Code.PATCH in found:
            raise Refused(Nack.BAD_VALUE, "a Patch is for the server to send, not to receive")
        if Code.PROTOTYPE in found:
            raise Refused(Nack.BAD_VALUE, strict.PROTOTYPE_TEXT)
        if Code.COMPONENTS in found and not self._registry.takes_components(key):
            raise Refused(Nack.BAD_VALUE, "a page may not write components here")

    def is_data(self, key: Key, value: Any) -> bool:
        """May a page write this?"""
        try:
            self.check(key, value)
        except Refused:
            return False
        return True
