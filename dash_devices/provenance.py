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


def own_copy(value: Any, key: Key, is_open: Callable[[Key], bool]) -> Any:
    """The server's value of a property, for the author to do with as he likes; its components are pieces.

    ``is_open``: may pages write components into this property? Then what is in it is data.
    """
    if type(value) not in (list, dict):
        return value
    encoded = orjson.dumps(value)
    copied = orjson.loads(encoded)
    return _marked(copied, is_open) if strict.MARKS[0] in encoded and not is_open(key) else copied


def _marked(node: Any, is_open: Callable[[Key], bool]) -> Any:
    """The tree with a `Piece` in the place of each component; changed in place."""
    if type(node) is list:
        node[:] = [_marked(part, is_open) if type(part) in (list, dict) else part for part in node]
        return node
    is_piece = strict.looks_like_component(node)
    id = node["props"].get("id") if is_component(node) else None
    for name, part in node.items():
        if type(part) in (list, dict):
            node[name] = _props(part, id, is_open) if is_piece and name == "props" else _marked(part, is_open)
    return Piece(node) if is_piece else node


def _props(props: Any, id: Any, is_open: Callable[[Key], bool]) -> Any:
    if type(props) is not dict or not is_id(id):
        return _marked(props, is_open)
    for name, part in props.items():
        if type(part) in (list, dict) and not is_open((id_text(id), name)):
            props[name] = _marked(part, is_open)
    return props


# ---- what leaves -------------------------------------------------------------------------------------------------------
def marks(encoded: bytes) -> int:
    """How many components and Patches JSON has; never too few. Text in it has its quotes escaped."""
    return sum(map(encoded.count, strict.MARKS))


def made_in(value: Any) -> int:
    """How many components and Patches a value has that are objects or pieces."""
    made, stack = 0, [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            made += isinstance(node, Piece) and strict.looks_like_component(node)
            stack.extend(node.values())
        elif isinstance(node, list | tuple):
            stack.extend(node)
        elif (inside := _opened(node)) is not None:
            made += type(inside) is dict and strict.is_code(inside)
            stack.extend(inside.values() if type(inside) is dict else inside)
    return made


def made_by_code(value: Any, encoded: bytes) -> bool:
    """Are all components and Patches of some JSON objects, or pieces, of the value it was made of?"""
    return made_in(value) == marks(encoded)


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
