"""Values of the author on their way into the shared map: JSON, and not too much of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .calls import Item
from .errors import TooLargeError, UnserializableError
from .shared import Key

MAX_VALUE = 32 * 2**20  # bytes of one property; every page that joins is sent it, and holds it


class Encoder:
    """Makes items.

    Attributes:
        most: bytes that one value may have as JSON.
    """

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        self.most = MAX_VALUE
        self._encode = encode

    def __call__(self, key: Key, value: Any) -> Item:
        """A value, encoded.

        Raises:
            UnserializableError: it has no JSON form.
            TooLargeError: it has a longer one than ``most`` bytes.
        """
        try:
            encoded = self._encode(value)
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
        return Item(key, encoded)
