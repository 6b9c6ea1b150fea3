"""Which components differ between a value and one made of it by copying what changed, as Patches do."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from .components import id_text, is_component, is_id, walk_components
from .shared import Key

Found = dict[str, dict[str, Any]]


def differences(before: Any, after: Any, without: Container[Key]) -> tuple[dict[str, dict[str, Any]], Found]:
    """By id: the props, before, of the components that changed or went, and the components that changed or came.

    What is the same object in both is not looked at. Neither is what stands inside of the properties ``without``.
    """
    old: Found = {}
    new: Found = {}
    pairs = [(before, after)]
    while pairs:
        was, now = pairs.pop()
        if was is now:
            continue
        if type(was) is list and type(now) is list:
            was, now = _others(was, now), _others(now, was)
            if len(was) == len(now) == 1:
                was, now = was[0], now[0]
        if type(was) is dict and type(now) is dict and _is_same_part(was, now):
            pairs.extend(_parts(was, now, old, new, without))
        else:
            _collect(was, old, without)
            _collect(now, new, without)
    return {id: component["props"] for id, component in old.items()}, new


def _others(parts: list[Any], than: list[Any]) -> list[Any]:
    known = set(map(id, than))
    return [part for part in parts if id(part) not in known]


def _is_same_part(was: dict[str, Any], now: dict[str, Any]) -> bool:
    """Are they both plain, or the same component?"""
    if is_component(was) and is_component(now):
        return bool(was["props"].get("id") == now["props"].get("id"))
    return not is_component(was) and not is_component(now)


def _parts(
    was: dict[str, Any], now: dict[str, Any], old: Found, new: Found, without: Container[Key]
) -> list[tuple[Any, Any]]:
    name: str | None = None
    if is_component(now):
        if is_id(now["props"].get("id")):
            name = id_text(now["props"]["id"])
            old[name], new[name] = was, now
        was, now = was["props"], now["props"]
    keys = [key for key in {**was, **now} if name is None or (name, key) not in without]
    return [(was.get(key), now.get(key)) for key in keys]


def _collect(value: Any, found: Found, without: Container[Key]) -> None:
    found.update((id_text(component["props"]["id"]), component) for component in walk_components(value, without))
