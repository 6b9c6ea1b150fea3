"""Values to JSON, as Dash does it, but without its detour for what is JSON already."""

from __future__ import annotations

from typing import Any

import orjson
from dash._utils import to_json


def encode(value: Any) -> bytes:
    """A value as JSON: components, figures, numpy, pandas and Patch as Dash writes them; NaN and infinities as null.

    Raises:
        TypeError, ValueError: the value has no JSON form.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        encoded: str = to_json(value)
        return encoded.encode()
