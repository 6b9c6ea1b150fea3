"""The forms that ``push_mods`` takes, as keys and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .components import id_text
from .errors import ModsError
from .shared import Key

FORMS = "{id: {property: value}}, an Output with a value, a list of those, or a list of {'id', 'property', 'value'}"


def parse_mods(mods: Any) -> list[tuple[Key, Any]]:
    """Keys and values, in order.

    Raises:
        ModsError: another shape; names the part that is wrong.
    """
    return list(_pairs(mods))


def _pairs(mods: Any) -> Iterator[tuple[Key, Any]]:
    if hasattr(mods, "component_value"):
        yield _of_output(mods)
    elif isinstance(mods, Mapping) and set(mods) == {"id", "property", "value"} and isinstance(mods["property"], str):
        yield _key(mods["id"], mods["property"]), mods["value"]
    elif isinstance(mods, Mapping):
        for id, values in mods.items():
            if not isinstance(values, Mapping):
                raise ModsError(
                    f"mods[{id!r}]: expected {{property: value}}, got {type(values).__name__}; write {FORMS}"
                )
            for property, value in values.items():
                yield _key(id, property), value
    elif isinstance(mods, list | tuple):
        for mod in mods:
            yield from _pairs(mod)
    else:
        raise ModsError(f"mods: expected {FORMS}, got {type(mods).__name__}")


def _of_output(output: Any) -> tuple[Key, Any]:
    if not output.has_value:
        raise ModsError(f"mods: {output} carries no value; write Output(id, property, value)")
    return _key(output.component_id, output.component_property), output.component_value


def _key(id: Any, property: Any) -> Key:
    if not isinstance(id, str | Mapping):
        raise ModsError(f"mods: expected a component id (a string or a dict), got {type(id).__name__} {id!r:.60}")
    if not isinstance(property, str) or not property:
        raise ModsError(f"mods[{id!r}]: expected a property name, got {property!r:.60}")
    return id_text(id), property
