"""Component ids, and which components the server knows: those of the layout and of every ``children`` it sent.

Works on decoded JSON (``{"props", "type", "namespace"}``), never on Dash's objects. No I/O, no asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import Any

import orjson

from .absent import Absent
from .dict_ids import DictIds, Names, Places, Values
from .shared import Key

DATA = frozenset({"figure", "data", "extendData", "prependData", "src", "value", "rowData", "contents"})
"""Properties that hold data and never a component, whatever it looks like; as in ``renderer/src/values.ts``."""

MAX_PRIVATE = 10_000  # components that one page may make known
MAX_ALL_PRIVATE = 100_000  # that all pages together may
MAX_REMOVED = 10_000  # ids that the server took out of its own values and remembers

_ID_VALUES = (str, int, float, bool)


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
    return names, tuple([decoded[name] for name in names])


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


def walk(tree: Any, without: Container[Any] = ()) -> Iterator[dict[str, Any]]:
    """The props of every component in a decoded JSON tree that has an id, in page order; see `walk_components`."""
    return (component["props"] for component in walk_components(tree, without))


def walk_components(tree: Any, without: Container[Any] = ()) -> Iterator[dict[str, Any]]:
    """Every component in a decoded JSON tree that has an id, in page order; not those inside of the properties ``without``.

    Children may be replaced while walking: they are looked at after their parent was handed out.
    """
    stack = [tree]
    while stack:
        node = stack.pop()
        if type(node) is list:
            stack.extend(reversed(node))
        elif type(node) is dict:
            id = None
            if is_component(node):
                if is_id(node["props"].get("id")):
                    yield node
                    id = id_text(node["props"]["id"]) if without else None
                node = node["props"]
            inner = [name for name, value in reversed(node.items()) if type(value) is dict or type(value) is list]
            stack.extend(node[name] for name in inner if id is None or (id, name) not in without)


def may_hold_components(property: str, encoded: bytes) -> bool:
    """Could this JSON hold a component? A quick look that never says no wrongly."""
    return b'"namespace"' in encoded and property not in DATA


class Components:
    """The components that are known, by id. Each belongs to the innermost shared property that it stands in, else to the layout;
    those that the server does not show belong to the pages that do.

    ``props(id)`` is what the layout gave a component: the value of last resort of a State.
    ``loaded`` is called with each owner and its tree.
    """

    def __init__(self, loaded: Callable[[Any, Any], None] = lambda owner, tree: None) -> None:
        self._loaded = loaded
        self._props: dict[str, dict[str, Any]] = {}
        self._types: dict[str, str] = {}
        self._owned: dict[Key | None, dict[str, None]] = {}
        self._pages: dict[str, dict[str, None]] = {}
        self._dict_ids = DictIds()
        self._holders: dict[str, int] = {}
        self._homes: dict[str, Key | None] = {}  # of those that the server shows
        self._holding: dict[str, set[str]] = {}  # id -> its properties that hold components
        self._removed: dict[str, None] = {}
        self._news: dict[str, bool] = {}
        self._private, self.absent = 0, Absent()

    def __contains__(self, id: str) -> bool:
        return id in self._holders

    def props(self, id: str) -> dict[str, Any]:
        """The props that the newest layout or children gave a component; empty when it is not known.

        Of a component that a page got by itself: those that some callback reads.
        """
        return self._props.get(id, {})

    def withhold(self, id: str, names: Container[str]) -> None:
        """The component was given these by somebody who may not: they are no values of last resort."""
        self._props[id] = {name: value for name, value in self._props[id].items() if name not in names}

    def type(self, id: str) -> str:
        """The type of a component, as ``Download``; empty when it is not known."""
        return self._types.get(id, "")

    @property
    def owners(self) -> Container[Any]:
        """The shared properties that hold components, or did."""
        return self._owned

    def around(self, id: str) -> list[Key]:
        """The shared properties that a component stands in, from the inside out."""
        found: list[Key] = []
        home = self._homes.get(id)
        while home is not None and home not in found:
            found.append(home)
            home = self._homes.get(home[0])
        return found

    def is_elsewhere(self, id: str, key: Key) -> bool:
        """Does a component stand somewhere else than in this property?"""
        return self._homes.get(id, key) != key

    def inside(self, value: Any) -> dict[str, dict[str, Any]]:
        """The props, by id, of the components in a value; not of those that belong to a shared property inside of it."""
        return {id_text(props["id"]): props for props in walk(value, self._owned)}

    def matching(self, names: Names, places: Places = (), values: Values = ()) -> Mapping[Values, str]:
        """The dict ids with exactly these names, and these values at these places: values to id, as they became known."""
        return self._dict_ids.with_values(names, places, values)

    def take_news(self) -> tuple[list[str], list[str]]:
        """The ids that are known now, and those that are no longer known, since this was last asked."""
        news, self._news = self._news, {}
        return [id for id in news if news[id]], [id for id in news if not news[id]]

    @property
    def news(self) -> Mapping[str, bool]:
        """The ids that have become known (True) or got lost since `take_news`."""
        return self._news

    def load(self, owner: Key | None, tree: Any) -> list[str]:
        """What ``owner`` (None: the layout; a key: its children) holds now. Returns the ids in page order."""
        self._loaded(owner, tree)
        before = list(self._owned_by(owner))
        found = {id_text(component["props"]["id"]): component for component in walk_components(tree, self._owned)}
        self._replace(owner, before, found)
        return list(found)

    def reload(self, owner: Key, old: Collection[str], new: Mapping[str, dict[str, Any]]) -> None:
        """Like `load`, of a part: the ids of the components that changed or went, and those that changed or came."""
        self._loaded(owner, list(new.values()))
        self._owned_by(owner)
        self._replace(owner, old, new)

    def _replace(self, owner: Key | None, before: Collection[str], found: Mapping[str, dict[str, Any]]) -> None:
        owned = self._owned[owner]
        for id, component in found.items():
            if id not in owned:
                owned[id] = None
                self._leave_pages(id)
                self._hold(id)
                self.absent.sent(id)
            self._homes[id] = owner
            self._props[id], self._types[id] = component["props"], component["type"]
        for id in before:
            if id not in found and id in owned:
                del owned[id]
                self._release(id)

    def _owned_by(self, owner: Key | None) -> dict[str, None]:
        if owner not in self._owned:
            self._owned[owner] = self._take_over(owner)
        return self._owned[owner]

    def _take_over(self, owner: Key | None) -> dict[str, None]:
        """A property is shared from now on: what stands in it belongs to it, and no longer to what is around."""
        if owner is None:
            return {}
        id, property = owner
        self._holding.setdefault(id, set()).add(property)
        around = self._owned[self._homes[id]] if id in self._homes else {}
        taken = {one: None for one in self.inside(self.props(id).get(property)) if one in around}
        for one in taken:
            del around[one]
            self._homes[one] = owner
        return taken

    def add_private(self, tab: str, ids: Iterable[str]) -> list[str]:
        """Components that a page says it shows, up to `MAX_PRIVATE`. Returns those that only pages show, and it did not before.

        What the server took away is no news: the page may not have heard of it yet.
        """
        owned = self._pages.setdefault(tab, {})
        unknown = (id for id in dict.fromkeys(ids) if not (id in owned or id in self._homes or id in self._removed))
        new = [id for id in unknown if is_id(decoded_id(id))]
        room = min(MAX_PRIVATE - len(owned), MAX_ALL_PRIVATE - self._private)
        fresh = new[: max(0, room)]
        self._private += len(fresh)
        for id in fresh:
            self._hold(id)
        owned.update(dict.fromkeys(fresh))
        return fresh

    def sent(self, tab: str, found: Mapping[str, dict[str, Any]], keeps: Callable[[Key, Any], bool]) -> list[str]:
        """Components, by id, that the server sent to one page alone; ``keeps`` says which values. Returns as `add_private`."""
        for id in found:
            self._removed.pop(id, None)
            self.absent.sent(id)
        fresh = self.add_private(tab, found)
        for id in (id for id in found if id in self._pages[tab]):
            props, self._types[id] = found[id]["props"], found[id]["type"]
            self._props[id] = {name: props[name] for name in props if keeps((id, name), props[name])}
        return fresh

    def forget_private(self, tab: str) -> list[str]:
        """The page is gone, or starts again with the layout. Returns what it had made known."""
        owned = self._pages.pop(tab, {})
        self._private -= len(owned)
        for id in owned:
            self._release(id)
        return list(owned)

    def _hold(self, id: str) -> None:
        self._holders[id] = self._holders.get(id, 0) + 1
        if self._holders[id] > 1:
            return
        self.absent.came(id)
        self._note(id, True)
        self._removed.pop(id, None)
        parts = id_parts(id)
        if parts:
            self._dict_ids.add(id, *parts)

    def _release(self, id: str) -> None:
        self._holders[id] -= 1
        if self._holders[id]:
            if id in self._homes and id not in self._owned.get(self._homes[id], ()):
                self._homes[id] = next(owner for owner, ids in self._owned.items() if id in ids)
            return
        del self._holders[id]
        self._note(id, False)
        self._props.pop(id, None)
        self._types.pop(id, None)
        self.absent.left(id)
        if id in self._homes:
            del self._homes[id]
            self._removed[id] = None
            if len(self._removed) > MAX_REMOVED:
                del self._removed[next(iter(self._removed))]
        parts = id_parts(id)
        if parts:
            self._dict_ids.remove(id, *parts)
        for property in self._holding.pop(id, ()):
            for nested in self._owned.pop((id, property)):
                self._release(nested)

    def _leave_pages(self, id: str) -> None:
        """The server shows it from now on: it goes when the server takes it away, whatever pages said."""
        if id not in self._holders or id in self._homes:
            return
        for owned in [owned for owned in self._pages.values() if id in owned]:
            del owned[id]
            self._private -= 1
        self._holders[id] = 0

    def _note(self, id: str, is_there: bool) -> None:
        """Back before anybody asked is no news."""
        if self._news.pop(id, None) is None:
            self._news[id] = is_there
