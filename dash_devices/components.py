"""Component ids, and which components the server knows: those of the layout and of every ``children`` it sent.

Works on decoded JSON (``{"props", "type", "namespace"}``), never on Dash's objects. No I/O, no asyncio.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from .shared import Entry, Key, SharedMap

DATA = frozenset({"figure", "data", "extendData", "prependData", "src", "value", "rowData", "contents"})
"""Properties that hold data and never a component, whatever it looks like; as in ``renderer/src/values.ts``."""

DEEPEST = 64  # levels of components inside of components, where shared values put them there

MAX_PRIVATE = 10_000  # components that one page may make known
MAX_ALL_PRIVATE = 100_000  # that all pages together may

_ID_VALUES = (str, int, float, bool)

Names = tuple[str, ...]


def id_text(id: str | Mapping[str, Any]) -> str:
    """A component id as the wire writes it: a string, or sorted, space-free JSON of a dict id."""
    return id if isinstance(id, str) else orjson.dumps(dict(id), option=orjson.OPT_SORT_KEYS).decode()


def id_parts(text: str) -> tuple[Names, tuple[Any, ...]] | None:
    """Sorted names and their values of a dict id on the wire; None for a string id.

    Raises:
        ValueError: text that starts like a dict id and is none.
    """
    if not text.startswith("{"):
        return None
    decoded = orjson.loads(text)
    names = tuple(sorted(decoded))
    return names, tuple(decoded[name] for name in names)


def canonical_id(text: str) -> str:
    """The one spelling of an id that a page wrote; raises ValueError like `id_parts`."""
    return id_text(orjson.loads(text)) if text.startswith("{") else text


def decoded_id(text: str) -> Any:
    """An id of the wire as Dash has it: a string, or a dict."""
    return orjson.loads(text) if text.startswith("{") else text


def is_id(value: Any) -> bool:
    """Can a component have this id?"""
    return type(value) is str or (type(value) is dict and all(type(v) in _ID_VALUES for v in value.values()))


def is_component(value: Any) -> bool:
    """Is this decoded JSON value a component?"""
    return type(value) is dict and "namespace" in value and "type" in value and type(value.get("props")) is dict


def walk(tree: Any) -> Iterator[dict[str, Any]]:
    """The props of every component in a decoded JSON tree that has an id, in page order; see `walk_components`."""
    return (component["props"] for component in walk_components(tree))


def walk_components(tree: Any) -> Iterator[dict[str, Any]]:
    """Every component in a decoded JSON tree that has an id, in page order.

    Children may be replaced while walking: they are looked at after their parent was handed out.
    """
    stack = [tree]
    while stack:
        node = stack.pop()
        if type(node) is list:
            stack.extend(reversed(node))
        elif type(node) is dict:
            if is_component(node):
                if is_id(node["props"].get("id")):
                    yield node
                node = node["props"]
            stack.extend(reversed([value for value in node.values() if type(value) is dict or type(value) is list]))


def may_hold_components(property: str, encoded: bytes) -> bool:
    """Could this JSON hold a component? A quick look that never says no wrongly."""
    return b'"namespace"' in encoded and property not in DATA


def with_contents(shared: SharedMap, entries: Iterable[Entry], outer: Key | None = None) -> list[Entry]:
    """The entries and, behind each, the newest of what is inside of the components in it: in a page, the entry replaces that.

    ``outer`` is where the entries stand: an old value may say that it stands in one of them.
    """
    queue = [(entry, 0) for entry in entries]
    depth = {entry.key: level for entry, level in queue}
    for entry, level in queue:
        if depth[entry.key] > level or level == DEEPEST or not may_hold_components(entry.key[1], entry.encoded):
            continue
        inner = (one for props in walk(entry.value) for one in shared.of(id_text(props["id"])))
        deeper = [one for one in inner if depth.get(one.key, -1) <= level and one.key != outer]
        depth.update({one.key: level + 1 for one in deeper})
        queue.extend((one, level + 1) for one in deeper)
    found = {entry.key: entry for entry, _ in queue}
    return sorted(found.values(), key=lambda entry: depth[entry.key])


@dataclasses.dataclass(frozen=True, slots=True)
class _Page:
    tab: str


class Components:
    """The components that are known, by id; each belongs to the layout, to a shared ``children``, or to one page.

    ``props(id)`` is what the layout gave a component: the value of last resort of a State.
    ``loaded`` is called with each owner and its tree.
    """

    def __init__(self, loaded: Callable[[Any, Any], None] = lambda owner, tree: None) -> None:
        self._loaded = loaded
        self._props: dict[str, dict[str, Any]] = {}
        self._types: dict[str, str] = {}
        self._owned: dict[Any, list[str]] = {}
        self._by_names: dict[Names, dict[tuple[Any, ...], str]] = {}
        self._holders: dict[str, int] = {}
        self._private = 0

    def __contains__(self, id: str) -> bool:
        return id in self._holders

    def props(self, id: str) -> dict[str, Any]:
        """The props that the newest layout or children gave a component; empty when it is not known.

        Of a component that a page got by itself: those that some callback reads.
        """
        return self._props.get(id, {})

    def type(self, id: str) -> str:
        """The type of a component, as ``Download``; empty when it is not known."""
        return self._types.get(id, "")

    def known(self) -> set[str]:
        """The ids of now."""
        return set(self._holders)

    def owns(self, key: Key) -> bool:
        """Did the value of this property hold components?"""
        return key in self._owned

    def matching(self, names: Names) -> dict[tuple[Any, ...], str]:
        """The dict ids with exactly these names: values to id, in the order they became known."""
        return self._by_names.get(names, {})

    def load(self, owner: Any, tree: Any) -> list[str]:
        """What ``owner`` (None: the layout; a key: its children) holds now. Returns the ids in page order."""
        self._loaded(owner, tree)
        found = {id_text(component["props"]["id"]): component for component in walk_components(tree)}
        before = self._owned.pop(owner, [])
        self._owned[owner] = list(found)
        for id, component in found.items():
            self._hold(id)
            self._props[id], self._types[id] = component["props"], component["type"]
        for id in before:
            self._release(id)
        return list(found)

    def add_private(
        self, tab: str, ids: list[str], props: Callable[[str], dict[str, Any]] = lambda id: {}
    ) -> list[str]:
        """Components that only one page shows, up to `MAX_PRIVATE`. Returns those that were not its own before.

        ``props``: what the page was sent of a component, as far as it is to be kept.
        """
        owned = self._owned.setdefault(_Page(tab), [])
        known = set(owned)
        new = [id for id in dict.fromkeys(ids) if id not in known and is_id(decoded_id(id))]
        room = min(MAX_PRIVATE - len(owned), MAX_ALL_PRIVATE - self._private)
        fresh = new[: max(0, room)]
        self._private += len(fresh)
        for id in fresh:
            self._hold(id)
            if given := props(id):
                self._props.setdefault(id, given)
        owned.extend(fresh)
        return fresh

    def forget_private(self, tab: str) -> list[str]:
        """The page is gone, or starts again with the layout. Returns what it had made known."""
        owned = self._owned.pop(_Page(tab), [])
        self._private -= len(owned)
        for id in owned:
            self._release(id)
        return owned

    def _hold(self, id: str) -> None:
        count = self._holders.get(id, 0)
        self._holders[id] = count + 1
        parts = None if count else id_parts(id)
        if parts:
            self._by_names.setdefault(parts[0], {})[parts[1]] = id

    def _release(self, id: str) -> None:
        self._holders[id] -= 1
        if self._holders[id]:
            return
        del self._holders[id]
        self._props.pop(id, None)
        self._types.pop(id, None)
        parts = id_parts(id)
        if parts:
            del self._by_names[parts[0]][parts[1]]
        for owner in [owner for owner in self._owned if type(owner) is tuple and owner[0] == id]:
            for nested in self._owned.pop(owner):
                self._release(nested)
