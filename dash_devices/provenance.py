"""Where components and Patches come from: objects of the author's code, pieces of the server's own values, or plain data.

What a page sent is plain dicts and lists. So a plain dict that looks like a component, in a value that goes to other pages,
may be a page's. Knows Dash's objects by ``to_plotly_json`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from . import strict
from .components import id_text, is_component, is_id
from .shared import Key

_COMPONENT, _PATCH = strict.MARKS
SIMPLE = frozenset((str, int, float, bool, type(None)))
_UNKNOWN: Any = object()

Path = list[str | int]


class Piece(dict[str, Any]):
    """A component of the server's own value, as a callback gets it: a dict that may be returned or pushed again.

    Copies made by ``copy`` and ``deepcopy`` are pieces too, as are lists and sums of lists with pieces in them.
    """

    def copy(self) -> Piece:
        """A shallow copy."""
        return Piece(self)

    def __or__(self, other: Any) -> Any:
        merged = super().__or__(other)
        return merged if merged is NotImplemented else Piece(merged)


def own_copy(value: Any, key: Key, is_open: Callable[[Key], bool] | None) -> Any:
    """The server's value of a property, which the author may change freely; its components are pieces.

    ``is_open``: may pages write components into this property? Then what is in it is data. None: into no property at all.
    """
    if type(value) not in (list, dict):
        return value
    encoded = orjson.dumps(value)
    copied = orjson.loads(encoded)
    if strict.MARKS[0] not in encoded or (is_open is not None and is_open(key)):
        return copied
    return _marked(copied, is_open)


def _marked(node: Any, is_open: Callable[[Key], bool] | None, id: str | None = None) -> Any:
    """The tree with a `Piece` in the place of each component, changed in place. ``id``: of the component whose props it is."""
    inner = None
    if type(node) is dict and is_open and is_component(node) and is_id(node["props"].get("id")):
        inner = id_text(node["props"]["id"])
    for place, part in node.items() if type(node) is dict else enumerate(node):
        if type(part) is not dict and type(part) is not list:
            continue
        if id is None or is_open is None or not is_open((id, str(place))):
            node[place] = _marked(part, is_open, inner if place == "props" else None)
    return Piece(node) if type(node) is dict and strict.looks_like_component(node) else node


# ---- what leaves -------------------------------------------------------------------------------------------------------
def marks(encoded: bytes) -> int:
    """How many components and Patches JSON has; never too few. Text in it has its quotes escaped."""
    return encoded.count(_COMPONENT) + encoded.count(_PATCH)


def is_code(value: Any, encoded: bytes) -> bool:
    """Are all components and Patches of some JSON objects, or pieces, of the value it was made of?"""
    return _made_in(value) == marks(encoded)


def _made_in(value: Any) -> int:
    made, stack = 0, [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            made += type(node) is Piece and strict.looks_like_component(node)
            stack.extend([part for part in node.values() if type(part) not in SIMPLE])
        elif isinstance(node, list | tuple):
            stack.extend([part for part in node if type(part) not in SIMPLE])
        elif (inside := _opened(node)) is not None:
            made += isinstance(inside, dict) and strict.is_code(inside)
            stack.extend(inside.values() if isinstance(inside, dict) else inside)
    return made


def data_in(value: Any, encoded: bytes) -> str | None:
    """The path of the first component or Patch that is plain data; None where there is none.

    Args:
        value: what the author gave.
        encoded: its JSON.
    """
    path = next(_foreign(value, orjson.loads(encoded), []), None)
    return None if path is None else "".join(f"[{step}]" if type(step) is int else f".{step}" for step in path)


def _foreign(made: Any, read: Any, path: Path) -> Iterator[Path]:
    """Go down both at once. What cannot be followed counts as data."""
    if type(read) is not dict and type(read) is not list:
        return
    inside = _opened(made)
    is_object = inside is not None and inside is not made
    if type(read) is dict and strict.is_code(read) and not (is_object or isinstance(made, Piece)):
        yield path
    for place, part in read.items() if type(read) is dict else enumerate(read):
        if type(part) is dict or type(part) is list:
            yield from _foreign(_part(inside, place), part, [*path, place])


def _opened(made: Any) -> Any:
    """A dict, list or tuple with what JSON takes from an object; the same one, where it is one; None: it is neither."""
    if isinstance(made, dict | list | tuple):
        return made
    for name in ("to_plotly_json", "tolist"):
        if callable(convert := getattr(made, name, None)):
            found = convert()
            return found if isinstance(found, dict | list | tuple) else None
    return None


def _part(whole: Any, place: str | int) -> Any:
    if isinstance(whole, dict):
        return whole[place] if place in whole else {str(key): part for key, part in whole.items()}.get(str(place))
    if isinstance(whole, list | tuple) and type(place) is int and place < len(whole):
        return whole[place]
    return _UNKNOWN
