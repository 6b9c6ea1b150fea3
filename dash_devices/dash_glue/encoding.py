"""Values to JSON, as Dash does it, but without its detour for what is JSON already, or holds nothing else but components."""

from __future__ import annotations

from typing import Any

import orjson
from dash import Patch
from dash._utils import to_json
from dash.development.base_component import Component

from ..encoder import Encoded


class _Objects:
    """Gives orjson what components and Patches are made of, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, Component | Patch):
            raise TypeError(type(value))
        self.count += 1
        return value.to_plotly_json()  # type: ignore[no-untyped-call]


def encode(value: Any) -> Encoded:
    """A value as JSON: components, figures, numpy, pandas and Patch as Dash writes them; NaN and infinities as null.

    Raises:
        TypeError, ValueError: the value has no JSON form.
    """
    try:
        return Encoded(orjson.dumps(value), 0)
    except TypeError:
        return _encode_objects(value)


def _encode_objects(value: Any) -> Encoded:
    objects = _Objects()
    try:
        return Encoded(orjson.dumps(value, default=objects), objects.count)
    except TypeError:
        encoded: str = to_json(value)
        return Encoded(encoded.encode(), 0)
