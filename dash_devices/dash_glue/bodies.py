"""What the body of a request for a callback may look like: checked before Dash reads it.

Leans on (Dash 4.4.1): ``Dash._initialize_context`` and ``Dash._prepare_callback``, which take some 10 microseconds for each
component, and look each of them up in the list ``changedPropIds``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..strict import MAX_ID

MAX_PARTS = 10_000  # components of the Inputs, the State and the Outputs of one call, and changed properties
LARGE = 500  # from here on Dash's preparations run in a thread
MAX_NAMES = 32  # of a dict id


class BadBodyError(Exception):
    """A body that is not answered. ``status``: 400 or 413."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def checked(body: Any, known: Collection[str]) -> dict[str, Any]:
    """The body, with ``changedPropIds`` as a set that keeps its order.

    Args:
        body: as it was decoded.
        known: the outputs of all callbacks.

    Raises:
        BadBodyError: it is no request for a callback of this app, or names too many components.
    """
    if type(body) is not dict:
        raise BadBodyError("body: expected an object")
    changed = _listed(body, "changedPropIds")
    if _size(body) > MAX_PARTS:
        raise BadBodyError(f"body: expected at most {MAX_PARTS} components", 413)
    if type(body.get("output")) is not str or body["output"] not in known:
        raise BadBodyError("output: expected that of a callback")
    if not all(type(name) is str for name in changed):
        raise BadBodyError("changedPropIds: expected strings")
    outputs = body.get("outputs") or []
    for name, slots in (("inputs", _listed(body, "inputs")), ("state", _listed(body, "state")), ("outputs", outputs)):
        if not all(_is_slot(slot) for slot in _flat(slots if type(slots) is list else [slots])):
            raise BadBodyError(f"{name}: expected components, each with id and property")
    return {**body, "changedPropIds": dict.fromkeys(changed)}


def is_large(body: dict[str, Any]) -> bool:
    """Do Dash's preparations take long?"""
    return _size(body) > LARGE


def _listed(body: dict[str, Any], name: str) -> list[Any]:
    found = body.get(name, [])
    if type(found) is not list:
        raise BadBodyError(f"{name}: expected a list")
    return found


def _size(body: dict[str, Any]) -> int:
    outputs = body.get("outputs")
    groups = [body.get("inputs", []), body.get("state", []), outputs if type(outputs) is list else []]
    nested = sum(len(slot) if type(slot) is list else 1 for group in groups for slot in group)
    return nested + len(body.get("changedPropIds", []))


def _flat(slots: list[Any]) -> list[Any]:
    return [one for slot in slots for one in (slot if type(slot) is list else [slot])]


def _is_slot(slot: Any) -> bool:
    if type(slot) is not dict:
        return False
    id, property = slot.get("id"), slot.get("property")
    if type(property) is not str or len(property) > MAX_ID:
        return False
    if type(id) is dict:
        return len(id) <= MAX_NAMES and all(len(name) <= MAX_ID and _is_short(value) for name, value in id.items())
    return type(id) is str and len(id) <= MAX_ID


def _is_short(value: Any) -> bool:
    return type(value) is not str or len(value) <= MAX_ID
