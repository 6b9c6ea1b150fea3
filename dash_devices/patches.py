"""Dash's Patch and the Graph's extendData, applied to the server's copy of a value.

Both copy what they change and nothing else: older versions stay as they are. The operations are those of Dash 4.4.1
(``dash/_patch.py``); how a page applies them stands in its renderer (``actions/patch.ts``).
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable
from typing import Any

from .errors import ModsError
from .strict import PATCH_MARK, PROTOTYPE, is_code, looks_like_component

MAX_GAP = 10_000  # places that one operation may leave empty in a list: an index may come from a page


def is_patch(value: Any) -> bool:
    """Is this decoded JSON value a Patch?"""
    return type(value) is dict and PATCH_MARK in value


def apply_patch(value: Any, operations: list[dict[str, Any]]) -> Any:
    """The value with the operations applied, in order.

    Raises:
        ModsError: an operation that the value has no place for.
    """
    for operation in operations:
        try:
            value = _apply(value, operation["location"], operation)
        except (LookupError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
            where = "".join(f"[{key!r}]" for key in operation.get("location", []))
            raise ModsError(
                f"Patch{where}: cannot {operation.get('operation')} on the server's value ({error}); "
                "set the whole value first"
            ) from error
    return value


def without_removals(value: Any, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The operations with each Remove as Deletes of the same places, so that pages that differ in what is private lose the same.

    Raises:
        ModsError: as `apply_patch`.
    """
    found: list[dict[str, Any]] = []
    for operation in operations:
        after = apply_patch(value, [operation])
        if operation["operation"] == "Remove":
            location, wanted = operation["location"], operation["params"]["value"]
            places = [place for place, item in enumerate(_at(value, location)) if _is_same(item, wanted)]
            found.extend({"operation": "Delete", "location": [*location, at], "params": {}} for at in places[::-1])
        else:
            found.append(operation)
        value = after
    return found


def _at(value: Any, location: list[Any]) -> Any:
    for key in location:
        value = _child(value, key)
    return value


def _apply(value: Any, location: list[Any], operation: dict[str, Any]) -> Any:
    name, params = operation["operation"], operation["params"]
    if name == "Delete":
        return _delete(value, location)
    if not location:
        return _WHOLE[name](value, params)
    key, *rest = location
    if name == "Assign" and not rest:
        return _put(value, key, params["value"])
    inner = _child(value, key)
    if rest and type(inner) not in (dict, list):
        inner = [] if type(rest[0]) is int else {}  # as in the page: what is missing on the way is made
    return _put(value, key, _apply(inner, rest, operation))


def _child(parent: Any, key: Any) -> Any:
    if type(parent) is dict:
        return parent.get(str(key))
    return parent[key] if type(parent) is list and -len(parent) <= key < len(parent) else None


def _multiplied(value: Any, factor: Any) -> Any:
    """Of numbers, as in the page; Python would repeat a text any number of times."""
    if not isinstance(value, int | float) or not isinstance(factor, int | float):
        raise TypeError(f"expected two numbers, got {type(value).__name__} and {type(factor).__name__}")
    return _number(value * factor)


def _put(parent: Any, key: Any, value: Any) -> Any:
    if type(parent) is dict:
        return _merged(parent, {str(key): value})
    if type(parent) is not list or type(key) is not int:
        raise TypeError(f"expected an object, or a list and an index, got {type(parent).__name__} and {key!r:.40}")
    if key - len(parent) > MAX_GAP:
        raise IndexError(f"expected an index near the {len(parent)} that there are, got {key}")
    copied = [*parent, *[None] * (key + 1 - len(parent))]
    copied[key] = value
    return copied


def _merged(parent: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    """The object with more in it. Keys and values may come from pages: they put no component and no Patch together."""
    merged = {**parent, **news}
    is_made = is_code(merged) and not is_code(parent)
    is_renamed = looks_like_component(parent) and any(merged[name] != parent[name] for name in ("namespace", "type"))
    if is_made or is_renamed or PROTOTYPE in merged:
        raise TypeError(
            "components and Patches are made by code, and nothing names __proto__; assign the whole component"
        )
    return merged


def _delete(value: Any, location: list[Any]) -> Any:
    """In the page, too, what is not there is no error."""
    key, *rest = location
    if type(value) is dict and str(key) in value:
        copied, key = dict(value), str(key)
    elif type(value) is list and type(key) is int and -len(value) <= key < len(value):
        copied = list(value)  # type: ignore[assignment]
    else:
        return value
    if rest:
        copied[key] = _delete(copied[key], rest)
    else:
        del copied[key]
    return copied


def _insert(value: Any, params: dict[str, Any]) -> Any:
    index = params["index"] + (len(value) if params["index"] < 0 else 0)
    place = index if 0 <= index < len(value) else len(value)
    return [*value[:place], params["value"], *value[place:]]


def _remove(value: Any, params: dict[str, Any]) -> Any:
    return [item for item in value if not _is_same(item, params["value"])]


def _is_same(item: Any, wanted: Any) -> bool:
    return bool(item == wanted) and (type(item) is bool) == (type(wanted) is bool)


def _number(value: Any) -> Any:
    """In the page all numbers are floats; a larger int has no place in the JSON of this package either."""
    return float(value) if type(value) is int and abs(value) >= 2**63 else value


_EMPTY: dict[type, Any] = {list: [], str: "", dict: {}}
_WHOLE: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "Merge": lambda value, params: _merged(value or {}, params["value"]),
    "Append": lambda value, params: [*(value or []), params["value"]],
    "Prepend": lambda value, params: [params["value"], *(value or [])],
    "Extend": lambda value, params: [*value, *params["value"]],
    "Insert": _insert,
    "Remove": _remove,
    "Clear": lambda value, params: _EMPTY.get(type(value), {}),
    "Reverse": lambda value, params: value[::-1],
    "Add": lambda value, params: _number(value + params["value"]),
    "Sub": lambda value, params: _number(value - params["value"]),
    "Mul": lambda value, params: _multiplied(value, params["value"]),
    "Div": lambda value, params: value / params["value"],
}

# ---- extendData / prependData ----------------------------------------------------------------------------------------
_STEP = re.compile(r"[^.\[\]]+")
_DTYPES = {"f8": "d", "f4": "f", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}


def plain_list(data: Any) -> list[Any]:
    """A trace's data as a list: plotly writes numpy arrays as base64 (``{"dtype", "bdata"}``), 1-d ones without shape."""
    if type(data) is dict and "bdata" in data:
        if "," in str(data.get("shape", "")):
            raise ValueError("an array of several dimensions; send lists")
        raw = base64.b64decode(data["bdata"])
        code = _DTYPES[data["dtype"]]
        return list(struct.unpack(f"<{len(raw) // struct.calcsize(code)}{code}", raw))
    return list(data or [])


def fold_extend(figure: Any, data: Any, *, prepend: bool = False) -> Any:
    """The figure with ``extendData`` (or ``prependData``) folded in, as a page draws it.

    Args:
        figure: a figure as JSON decodes it, or None.
        data: what the property takes: ``{"x": [[..]], ..}``, or ``[that, trace indices, max points]``.
        prepend: new points go in front, and max points cuts at the end.

    Raises:
        ModsError: ``data`` of another shape, or traces the figure has not.
    """
    traces = list((figure or {}).get("data") or [])
    try:
        update, indices, limits = _extend_parts(data)
        for attribute, columns in update.items():
            for place, index in enumerate(indices):
                limit = limits[attribute][place] if type(limits) is dict else limits
                traces[index] = _extend_trace(traces[index], _STEP.findall(attribute), columns[place], limit, prepend)
    except (LookupError, TypeError, ValueError, struct.error) as error:
        raise ModsError(
            f"extendData: expected one list per trace of the figure, got {str(data)[:80]} ({error!r})"
        ) from error
    return {**(figure or {}), "data": traces}


def _extend_parts(data: Any) -> tuple[dict[str, Any], list[int], Any]:
    update, indices, limits = [*data, None, None][:3] if type(data) is list else (data, None, None)
    if type(update) is not dict or not update:
        raise TypeError("neither {attribute: [[points], ..]} nor [that, traces, max]")
    if indices is None:
        columns: list[Any] = next(iter(update.values()), [])
        indices = list(range(len(columns)))
    if any(type(index) is bool for index in indices) or type(limits) is bool:
        raise TypeError("true and false are no numbers")
    return update, indices, limits


def _extend_trace(trace: Any, path: list[str], points: Any, limit: Any, prepend: bool) -> Any:
    """A copy of the trace, or of the part of it where the path begins; ``dimensions[0].values`` leads through a list."""
    step: Any = int(path[0]) if type(trace) is list else path[0]
    if type(step) is int and step < 0:
        raise LookupError(f"no part {step}")
    before = trace[step] if type(trace) is list else trace.get(step)
    if len(path) > 1:
        part = _extend_trace({} if before is None else before, path[1:], points, limit, prepend)
        return _with(trace, step, part)
    old, new = plain_list(before), plain_list(points)
    joined = new + old if prepend else old + new
    if limit is not None and limit >= 0:
        joined = joined[: int(limit)] if prepend else joined[max(0, len(joined) - int(limit)) :]
    return _with(trace, step, joined)


def _with(trace: Any, step: Any, part: Any) -> Any:
    return _merged(trace, {step: part}) if type(trace) is dict else [*trace[:step], part, *trace[step + 1 :]]
