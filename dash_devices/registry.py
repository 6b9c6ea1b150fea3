"""Shared callbacks: what each listens to, writes and reads, and which calls a set of new values asks for.

Pure: no Dash, no I/O, no asyncio. ``dash_glue`` turns Dash's dependency objects into `Dep`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .components import Components, id_parts
from .dict_ids import Names
from .errors import RegistrationError
from .patterns import Anchor, Dep, Wild, expand, fits, match_values
from .protocol import Watch
from .services import Services
from .shared import Key


@dataclasses.dataclass(eq=False, slots=True)
class SharedCallback:
    """A function that runs at the server.

    ``function`` is the user's; ``glue`` is Dash's part (context, grouping, results), set by ``dash_glue``. ``components``: may
    pages write components into its Inputs, and may its results hold such as plain data? ``matched``: the dependency whose ids
    say what MATCH stands for; None without MATCH.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[Dep, ...]
    state: tuple[Dep, ...]
    outputs: tuple[Dep, ...]
    service: int = Services.SHARED
    lane: str = ""
    most_recent: bool = False
    max_age: float | None = None
    max_change: int | None = None
    prevent_initial_call: bool = False
    none_output: int | None = None
    allow_duplicate: tuple[bool, ...] = ()
    running: tuple[tuple[Dep, Any, Any], ...] = ()
    on_error: Callable[[Exception], Any] | None = None
    is_async: bool = False
    components: bool = False
    glue: Any = None
    started: bool = False
    matched: Dep | None = dataclasses.field(init=False, default=None)

    def __post_init__(self) -> None:
        self.matched = next((dep for dep in (*self.outputs, *self.inputs) if Wild.MATCH in dep.values), None)

    @property
    def runs_at_startup(self) -> bool:
        """Does it run by itself once its components are known?"""
        wanted = self.service & Services.SERVER_INITIAL_CALLBACK and not self.prevent_initial_call
        return bool(wanted and self.outputs)


@dataclasses.dataclass(frozen=True, slots=True)
class Invocation:
    """One call that is due: the callback, the values of MATCH, and which properties triggered it (none at startup)."""

    callback: SharedCallback
    anchor: Anchor
    triggered: tuple[Key, ...]


class Registry:
    """Every shared callback and shared property, found by what they listen to. ``components``: those that are known.

    ``for_components``: into these properties pages may write components.
    """

    def __init__(self, components: Components) -> None:
        self._components = components
        self.callbacks: list[SharedCallback] = []
        self.version = 0
        self._literal: dict[Key, list[SharedCallback]] = {}
        self._patterns: dict[tuple[Names, str], list[tuple[Dep, SharedCallback | None]]] = {}
        self._pattern_properties: dict[str, None] = {}
        self._shares: dict[Key, None] = {}
        self._outputs: dict[str, SharedCallback] = {}
        self._written: dict[str | Names, list[tuple[Dep, SharedCallback]]] = {}
        self._writes_patterns = False
        self._optional: dict[str, list[SharedCallback]] = {}
        self.for_components: list[Dep] = []
        self._states: dict[Dep, None] = {}
        self._watch_version = -1
        self._watch: list[Watch] = []

    # ---- registration -----------------------------------------------------------------------------------------------
    def add(self, callback: SharedCallback) -> None:
        """Take a callback.

        Raises:
            RegistrationError: no Input, or another shared callback writes one of its outputs.
        """
        if not callback.inputs:
            raise RegistrationError(
                f"{callback.name}: expected at least one Input, got none; give it what to listen to"
            )
        for output, may in zip(callback.outputs, callback.allow_duplicate, strict=True):
            other = self._outputs.get(str(output))
            if other is not None and not may:
                raise RegistrationError(
                    f"{callback.name}: {output} is already an Output of {other.name}; "
                    "write Output(..., allow_duplicate=True) in the later one, or another property"
                )
            self._outputs.setdefault(str(output), callback)
            self._written.setdefault(output.names or output.text, []).append((output, callback))
            self._writes_patterns |= output.is_pattern
        for dep in dict.fromkeys(callback.inputs):
            self._listen(dep, callback)
        self.callbacks.append(callback)
        self._states.update(dict.fromkeys(callback.state))
        self.version += 1

    def share(self, dep: Dep) -> None:
        """Make a property two-way without a callback."""
        if dep.is_pattern:
            self._add_pattern(dep, None)
        else:
            self._shares[dep.key] = None
        self.version += 1

    def accept_components(self, deps: Iterable[Dep]) -> None:
        """Pages may write components into these."""
        self.for_components.extend(deps)

    def takes_components(self, key: Key) -> bool:
        """May pages write components into this property?"""
        return any(dep.stands_for(key) for dep in self.for_components)

    def _listen(self, dep: Dep, callback: SharedCallback) -> None:
        if dep.is_pattern:
            self._add_pattern(dep, callback)
        else:
            self._literal.setdefault(dep.key, []).append(callback)
            if dep.optional:
                self._optional.setdefault(dep.text, []).append(callback)

    def _add_pattern(self, dep: Dep, callback: SharedCallback | None) -> None:
        self._patterns.setdefault((dep.names, dep.prop), []).append((dep, callback))
        self._pattern_properties[dep.prop] = None

    def writer(self, output: str) -> SharedCallback | None:
        """The shared callback that declares this output (``id.property``)."""
        return self._outputs.get(output)

    # ---- questions --------------------------------------------------------------------------------------------------
    def is_watched(self, key: Key) -> bool:
        """Do pages report changes of this property?"""
        if key in self._literal or key in self._shares:
            return True
        if key[1] not in self._pattern_properties or not key[0].startswith("{"):
            return False
        names, values = id_parts(key[0]) or ((), ())
        return any(dep.match(names, values) is not None for dep, _ in self._patterns.get((names, key[1]), ()))

    def is_read(self, key: Key) -> bool:
        """Is this property the State of some callback?"""
        return any(dep.stands_for(key) for dep in self._states)

    def watched_properties(self) -> dict[str, None]:
        """The names of all properties that are watched on some component."""
        literal = (key[1] for key in (*self._literal, *self._shares))
        return dict.fromkeys((*literal, *self._pattern_properties))

    def _fitting(self, key: Key) -> Iterator[tuple[Dep, Anchor, SharedCallback | None]]:
        if key[1] not in self._pattern_properties or not key[0].startswith("{"):
            return
        parts = id_parts(key[0])
        if parts is None:
            return
        for dep, callback in self._patterns.get((parts[0], key[1]), ()):
            anchor = dep.match(*parts)
            if anchor is not None:
                yield from ((dep, full, callback) for full in self._full(anchor, callback, dep, parts[1]))

    def _full(self, anchor: Anchor, callback: SharedCallback | None, dep: Dep, values: tuple[Any, ...]) -> list[Anchor]:
        """The values of MATCH with which a callback is due because of one component: several, where that does not say all."""
        matched = None if callback is None else callback.matched
        if callback is None or matched is None or len(anchor) == matched.values.count(Wild.MATCH):
            return [anchor]
        return [one for one in self.anchors(callback, self._components) if fits(dep, values, dict(one))]

    def appearing(self, id: str) -> Iterator[tuple[SharedCallback, Anchor]]:
        """The callbacks to which a component is news: they listen to it by a wildcard, or can do without it."""
        for callback in self._optional.get(id, ()):
            yield from ((callback, anchor) for anchor in self.anchors(callback, self._components))
        yield from ((callback, anchor) for _, anchor, callback in self._listening(id))

    def missing(self, id: str) -> Iterator[tuple[SharedCallback, Anchor]]:
        """The callbacks that listened to a component that is gone by ALL or ALLSMALLER, where they still have an output."""
        for dep, anchor, callback in self._listening(id):
            shown = (key[0] for out in callback.outputs for key in expand(out, anchor, self._components))
            if dep.is_many and any(id in self._components for id in shown):
                yield callback, anchor

    def _listening(self, id: str) -> Iterator[tuple[Dep, Anchor, SharedCallback]]:
        if id.startswith("{"):
            for property in self._pattern_properties:
                found = self._fitting((id, property))
                yield from ((dep, anchor, callback) for dep, anchor, callback in found if callback is not None)

    def writing(self, id: str) -> Iterator[tuple[Key, SharedCallback, Anchor]]:
        """The properties of a component that shared callbacks write, and those callbacks."""
        yield from (((id, dep.prop), callback, ()) for dep, callback in self._written.get(id, ()))
        names, values = (self._writes_patterns and id_parts(id)) or ((), ())
        for dep, callback in self._written.get(names, ()):
            anchor = dep.match(names, values)
            if anchor is not None:
                yield from (((id, dep.prop), callback, full) for full in self._full(anchor, callback, dep, values))

    def invocations(self, keys: Iterable[Key]) -> list[Invocation]:
        """The calls that new values of these properties ask for, each once, in order of registration."""
        due: dict[tuple[int, Anchor], tuple[SharedCallback, dict[Key, None]]] = {}
        for key in keys:
            listeners: list[tuple[Anchor, SharedCallback | None]] = [((), cb) for cb in self._literal.get(key, ())]
            listeners.extend((anchor, callback) for _, anchor, callback in self._fitting(key))
            for anchor, callback in listeners:
                if callback is not None:
                    due.setdefault((id(callback), anchor), (callback, {}))[1][key] = None
        return [Invocation(cb, anchor, tuple(keys)) for (_, anchor), (cb, keys) in due.items()]

    def written_ids(self) -> list[str]:
        """The ids, or patterns of them, of the components that shared callbacks write."""
        return list(dict.fromkeys(dep.text for callback in self.callbacks for dep in callback.outputs))

    def covers(self, id: str) -> bool:
        """Does a pattern of what is watched or written stand for this dict id?"""
        names, values = id_parts(id) or ((), ())
        is_written = any(fits(dep, values, {}, free=True) for dep, _ in self._written.get(names, ()))
        return is_written or any(self.is_watched((id, property)) for property in self.watched_properties())

    def watch_list(self) -> list[Watch]:
        """What pages have to watch, each with the State that its chain may read."""
        if self._watch_version != self.version:
            self._watch_version, self._watch = self.version, self._make_watch_list()
        return self._watch

    def _make_watch_list(self) -> list[Watch]:
        found: dict[tuple[str, str], dict[tuple[str, str], None]] = {key: {} for key in self._shares}
        for (_, property), listeners in self._patterns.items():
            found.update({(dep.text, property): {} for dep, callback in listeners if callback is None})
        for callback in self.callbacks:
            state = self._chain_state(callback)
            for dep in callback.inputs:
                found.setdefault((dep.text, dep.prop), {}).update(state)
        return [Watch(text, property, list(state)) for (text, property), state in found.items()]

    def _chain_state(self, first: SharedCallback) -> dict[tuple[str, str], None]:
        """The State of a callback and of all that may follow it: a page sends it along with the change."""
        state: dict[tuple[str, str], None] = {}
        seen, queue = {id(first)}, [first]
        while queue:
            callback = queue.pop()
            state.update({(dep.text, dep.prop): None for dep in callback.state})
            for following in self._followers(callback):
                if id(following) not in seen:
                    seen.add(id(following))
                    queue.append(following)
        return state

    def _followers(self, callback: SharedCallback) -> Iterator[SharedCallback]:
        for output in callback.outputs:
            yield from self._literal.get(output.key, ())
            for (names, property), listeners in self._patterns.items():
                if property == output.prop and (names == output.names or output.text.startswith("{")):
                    yield from (listener for _, listener in listeners if listener is not None)

    # ---- startup ----------------------------------------------------------------------------------------------------
    def ready(self, callback: SharedCallback, components: Components) -> bool:
        """Are the literal ids of its inputs (but optional ones) and outputs known, with one match of each single pattern?"""
        return all(
            any(True for _ in expand(dep, (), components, free=True)) or dep.is_many
            if dep.is_pattern
            else dep.text in components
            for dep in (*callback.inputs, *callback.outputs)
            if not dep.optional
        )

    def startup_order(self, callbacks: list[SharedCallback]) -> list[SharedCallback]:
        """The callbacks so that each comes after those that write its inputs; loops keep the order of registration."""
        before = self.predecessors(callbacks)
        order: list[SharedCallback] = []
        seen: set[int] = set()
        for root in callbacks:
            stack = [(root, False)]
            while stack:
                callback, done = stack.pop()
                if done:
                    order.append(callback)
                elif id(callback) not in seen:
                    seen.add(id(callback))
                    stack.append((callback, True))
                    stack.extend((earlier, False) for earlier in reversed(before[id(callback)]))
        return order

    def predecessors(self, callbacks: list[SharedCallback]) -> dict[int, list[SharedCallback]]:
        """By ``id(callback)``: those of the callbacks that write one of its inputs."""
        before: dict[int, list[SharedCallback]] = {id(callback): [] for callback in callbacks}
        for callback in callbacks:
            for following in self._followers(callback):
                if id(following) in before and following is not callback:
                    before[id(following)].append(callback)
        return before

    def anchors(self, callback: SharedCallback, components: Components) -> list[Anchor]:
        """The values that MATCH takes in the known components; one empty anchor for a callback without MATCH."""
        dep = callback.matched
        return [()] if dep is None else list(dict.fromkeys(match_values(dep, components)))
