"""Components inside of values: what they bring when they come, what they keep, and the server's copies of them, kept filled.

Components come whole, or in a Patch. Then those that its operations name come new; what it does not name is in every page as
it was, keeps its values and their seqs, and is written into the server's copy, for pages that need the whole value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .again import with_contents
from .clients import Client
from .components import DATA, id_text, is_component, is_id, may_hold_components, walk
from .differences import differences
from .shared import UNSET, Entry, Key

if TYPE_CHECKING:
    from .engine import Engine

MAX_LEVELS = 200  # lists and objects inside of each other in a filled value; JSON is encoded up to 254

Props = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Patched:
    """A value that a Patch, or points, made of the one before.

    Attributes:
        before: what they were applied to.
        value: what came of it.
        operations: those of the Patch; none where points did it.
        named: the ids of the components that the operations bring.
    """

    before: Any
    value: Any
    operations: list[Any] = dataclasses.field(default_factory=list)
    named: frozenset[str] = frozenset()


class Children:
    """The components inside of shared values. The engine's lock covers every method."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._fresh: dict[str, None] = {}

    @property
    def has_fresh(self) -> bool:
        """Have components come new?"""
        return bool(self._fresh)

    def take_fresh(self) -> list[str]:
        """The components that came new since this was last asked, also those that were there already."""
        fresh, self._fresh = self._fresh, {}
        return list(fresh)

    # ---- values out ----------------------------------------------------------------------------------------------------
    def value(self, key: Key, ahead: Mapping[str, Props] | None = None) -> Any:
        """The server's value of a property, else the layout's, else None; filled, see `filled`."""
        id, property = key
        entry, components = self._engine.shared.get(key), self._engine.components
        if ahead and property in ahead.get(id, ()):
            return self.filled(key, ahead[id][property], ahead)
        if entry is None:
            return self.filled(key, components.props(id).get(property), ahead)
        if entry.is_plain:
            return entry.value
        if ahead or key not in components.owners:
            return self.filled(key, entry.value, ahead)
        if entry.filled is UNSET:
            entry.filled = self.filled(key, entry.value)
        return entry.filled

    def filled(self, key: Key, value: Any, ahead: Mapping[str, Props] | None = None) -> Any:
        """The value of a property with the server's values in the components inside of it.

        What changes is copied; where nothing does, it is the same object. ``ahead``: by id, values that are about to be stored.
        """
        if key[1] in DATA or type(value) not in (dict, list):
            return value
        return self._fill(value, (key,), ahead or {}, 0)

    def _fill(self, node: Any, within: tuple[Key, ...], ahead: Mapping[str, Props], level: int) -> Any:
        if level > MAX_LEVELS:
            return node
        if type(node) is dict and is_component(node):
            props = self._fill_component(node, within, ahead, level)
            return node if props is node["props"] else {**node, "props": props}
        copy = node
        for place, part in node.items() if type(node) is dict else enumerate(node):
            if type(part) is dict or type(part) is list:
                copy = _with(node, copy, place, self._fill(part, within, ahead, level + 1))
        return copy

    def _fill_component(
        self, component: Props, within: tuple[Key, ...], ahead: Mapping[str, Props], level: int
    ) -> Props:
        props: Props = component["props"]
        id = id_text(props["id"]) if is_id(props.get("id")) else ""
        known = self._known(id, component["type"], ahead) if id else {}
        copy = props
        for name, value in {**props, **known}.items() if known else props.items():
            key = (id, name)
            if name in known and key in within:
                continue  # an old value may hold what it stands in
            if (type(value) is dict or type(value) is list) and name not in DATA:
                value = self._fill(value, (*within, key) if name in known else within, ahead, level + 2)
            copy = _with(props, copy, name, value)
        return copy

    def _known(self, id: str, type: str, ahead: Mapping[str, Props]) -> Props:
        """The server's values of a component: events have none."""
        events = self._engine.events
        stored = {one.key[1]: one.value for one in self._engine.shared.of(id) if not events.has(type, one.key[1])}
        return {**stored, **ahead[id]} if id in ahead else stored

    def holds_any(self, key: Key, value: Any) -> bool:
        """Are there components in the value of this property?"""
        return key[1] not in DATA and any(True for _ in walk(value))

    # ---- values in -----------------------------------------------------------------------------------------------------
    def bring(self, entry: Entry, changed: dict[Key, bool], patch: Patched | None, author: Client | None) -> None:
        """Components came with a value that was just stored, whole or by a Patch.

        What new ones were given is their newest state; what they were not given, stays, and comes behind. So does what
        ``author``, the page that caused it, may not change.
        """
        components, shared = self._engine.components, self._engine.shared
        old: dict[str, Props] = {}
        if patch is None:
            ids = components.load(entry.key, entry.value)
        else:
            if entry.key not in components.owners:
                components.load(entry.key, patch.before)
            old, new = differences(patch.before, entry.value, components.owners)
            components.reload(entry.key, old, new)
            ids = list(new)
        kept: list[Entry] = []
        for id in ids:
            props = components.props(id)
            was = None if patch is None or id in patch.named else old.get(id)
            if was is None:
                self._fresh[id] = None
            given = self.given(id, props, was)
            if entry.origin is not None:  # a page has a say only in what is watched
                given = [name for name in given if self._engine.registry.is_watched((id, name))]
            refused = [name for name in given if not self._engine.access.allows(author, (id, name))]
            if refused:
                given = [name for name in given if name not in refused]
                self._refuse(id, refused, entry.seq, changed)
            for name in given:
                inner = None if was is None or patch is None else Patched(was.get(name), props[name], named=patch.named)
                self._bring_property(Entry((id, name), entry.seq, value=props[name]), changed, inner, author)
            has = components.props(id)
            gone = [one for one in shared.of(id) if one.key[1] not in (given if was is None else has)]
            kept.extend(one for one in gone if one.key not in self._engine.events)
        self._keep(kept, entry, changed, author)
        if patch is not None and not kept:
            entry.filled = entry.value

    def _refuse(self, id: str, names: list[str], seq: int, changed: dict[Key, bool]) -> None:
        """The cause may not change these: the server's values stay.

        Where it has none, there is none: somebody who may change them must not mount in all innocence what they are shown.
        """
        self._engine.components.withhold(id, names)
        for key in [(id, name) for name in names if (id, name) not in self._engine.shared]:
            self._bring_property(Entry(key, seq, value=None), changed, None, None)

    def given(self, id: str, props: Props, was: Props | None = None) -> list[str]:
        """The names of what a component was given: by a Patch, what differs; else all but what it has not, or has to keep.

        A shared callback that runs by itself knows better what its outputs are.
        """
        names = [name for name in props if name != "id" and (id, name) not in self._engine.events]
        if was is not None:
            return [name for name in names if name not in was or not _is_same(was[name], props[name])]
        writers = self._engine.registry.writing(id)
        own = {key[1] for key, callback, _ in writers if callback.runs_at_startup and key in self._engine.shared}
        return [name for name in names if name not in own and not (name == "children" and props[name] is None)]

    def _bring_property(
        self, entry: Entry, changed: dict[Key, bool], patch: Patched | None, author: Client | None
    ) -> None:
        key, shared, components = entry.key, self._engine.shared, self._engine.components
        before = shared.get(key)
        if before is None and not self._engine.registry.is_watched(key):
            return
        shared.put(entry)
        is_first = before is None and entry.value is not None and not components.news.get(key[0])
        if is_first or (before is not None and before.encoded != entry.encoded):
            changed[key] = True  # a control that is there already got another value: its listeners run
        if key in components.owners or may_hold_components(key[1], entry.encoded):
            self.bring(entry, changed, patch, author)

    def _keep(self, kept: list[Entry], outer: Entry, changed: dict[Key, bool], author: Client | None) -> None:
        """What components were not given comes behind them, with all that is inside of it.

        Unless that has got another place meanwhile: then it is no longer there.
        """
        components = self._engine.components
        left = {one.key for one in kept if any(components.is_elsewhere(id, one.key) for id in self._inside(one))}
        for key in left:
            self._bring_property(Entry(key, outer.seq, value=None), changed, None, author)
        for one in with_contents(self._engine.shared, [one for one in kept if one.key not in left], outer.key):
            self._engine.shared.put(one.moved(outer.seq))
            if one.key not in components.owners and self._inside(one):
                self._fresh.update(dict.fromkeys(components.load(one.key, one.value)))

    def _inside(self, entry: Entry) -> Mapping[str, Props]:
        return self._engine.components.inside(entry.value) if entry.key[1] not in DATA else {}


def _with(whole: Any, copy: Any, place: Any, value: Any) -> Any:
    """The copy with this part; ``copy`` is the whole itself as long as nothing differs."""
    if (type(whole) is list or place in whole) and _is_same(whole[place], value):
        return copy
    if copy is whole:
        copy = dict(whole) if type(whole) is dict else list(whole)
    copy[place] = value
    return copy


def _is_same(a: Any, b: Any) -> bool:
    """The same object, or the same plain value."""
    return a is b or (type(a) is type(b) and type(a) not in (dict, list) and a == b)
