"""Values of the author on their way into the shared map: JSON, not too much of it, and with no component that data brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from . import provenance
from .calls import Item
from .errors import ComponentsError, TooLargeError, UnserializableError
from .shared import Key

MAX_VALUE = 32 * 2**20  # bytes of one property; every page that joins is sent it, and holds it


class Encoded(NamedTuple):
    """JSON, and how many components and Patches in it were objects as it was made; 0, where that was not counted."""

    json: bytes
    objects: int


class Encoder:
    """Makes items.

    Attributes:
        most: bytes that one value may have as JSON.
    """

    def __init__(self, encode: Callable[[Any], Encoded], metrics: Counter[str]) -> None:
        self.most = MAX_VALUE
        self._metrics = metrics
        self._encode = encode

    def __call__(self, key: Key, value: Any, *, components: bool = False) -> Item:
        """A value, encoded. ``components``: may there be components, or a Patch, in it that are plain data?

        Raises:
            ComponentsError: there are.
            UnserializableError: it has no JSON form.
            TooLargeError: it has a longer one than ``most`` bytes.
        """
        try:
            encoded, objects = self._encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UnserializableError(
                f"{key[0]}.{key[1]}: expected a value with a JSON form, got {type(value).__name__} ({error}); "
                "convert it first, nothing was sent"
            ) from error
        if len(encoded) > self.most:
            raise TooLargeError(
                f"{key[0]}.{key[1]}: expected at most {self.most:,} bytes as JSON, got a {type(value).__name__} of "
                f"{len(encoded):,}; send fewer points or rows, serve it as a file, or raise Dash(max_value=...); "
                "nothing was sent"
            )
        if not components and type(value) not in provenance.SIMPLE and provenance.marks(encoded) > objects:
            self._check(key, value, encoded)
        return Item(key, encoded)

    def _check(self, key: Key, value: Any, encoded: bytes) -> None:
        path = None if provenance.is_code(value, encoded) else provenance.data_in(value, encoded)
        if path is not None:
            self._metrics["components_refused"] += 1
            raise ComponentsError(
                f"{key[0]}.{key[1]}{path}: expected components that your code makes, or that a shared callback or app.get "
                "gave it, got a plain dict that looks like a component or a Patch: it may come from a page; "
                "write html.Div(...), or say components=True; nothing was sent"
            )
