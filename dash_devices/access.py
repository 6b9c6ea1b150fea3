"""Who may change a shared property, and who may read it. Rules in, verdicts out: no I/O, no asyncio, no Dash.

What stands inside a property that is protected from reading is protected with it, wherever it is shown later.
Clients with the same rights have the same `View`, so that what they are sent is encoded once for all of them.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson

from .clients import Client
from .components import DATA, id_parts, id_text, is_component, is_id, may_hold_components, walk
from .errors import RegistrationError
from .patterns import Dep
from .shared import Entry, Key, SharedMap

logger = logging.getLogger("dash_devices.access")

Rule = str | Collection[str] | Callable[[Client], bool]
"""A role; several roles, of which one is enough (none at all: no client); or a function of the client."""

_FIGURE = frozenset({"extendData", "prependData"})  # points of a figure are as secret as the figure


@dataclasses.dataclass(frozen=True, slots=True)
class Need:
    """What a rule asks of a client."""

    roles: frozenset[str] = frozenset()
    predicate: Callable[[Client], Any] | None = None

    def met_by(self, client: Client) -> bool:
        """Does this client fulfil it? A rule that raises is not fulfilled."""
        try:
            if self.predicate is None:
                return not self.roles.isdisjoint(roles_of(client))
            verdict = self.predicate(client)
            return bool(verdict) and not inspect.isawaitable(verdict)
        except Exception:
            logger.exception("the rule %s failed for client %s: it is taken for a no", self, client)
            return False

    def __str__(self) -> str:
        return getattr(self.predicate, "__qualname__", "") or " or ".join(sorted(self.roles)) or "nobody"


def roles_of(client: Client) -> Collection[str]:
    """The roles of a client: ``client.authentication.roles``, or ``["roles"]``; one as a string, or several."""
    who = client.authentication
    roles = who.get("roles") if isinstance(who, Mapping) else getattr(who, "roles", None)
    return [roles] if isinstance(roles, str) else list(roles or ())


def need(rule: Rule) -> Need:
    """A rule as it was written.

    Raises:
        RegistrationError: it is none.
    """
    if isinstance(rule, str):
        return Need(frozenset({rule}))
    if inspect.iscoroutinefunction(rule):
        raise RegistrationError(f"rule {rule.__qualname__}: expected a plain function, got a coroutine function")
    if callable(rule):
        return Need(predicate=rule)
    if isinstance(rule, Collection) and all(isinstance(role, str) for role in rule):
        return Need(frozenset(rule))
    raise RegistrationError(f"rule: expected a role, several roles, or a function of the client, got {rule!r:.60}")


class _Table:
    """Needs by property: literal ones, and ids with wildcards."""

    def __init__(self) -> None:
        self.needs: dict[Need, None] = {}
        self._literal: dict[Key, list[Need]] = {}
        self._patterns: dict[tuple[tuple[str, ...], str], list[tuple[Dep, Need]]] = {}

    def add(self, dep: Dep, need: Need) -> None:
        self.needs[need] = None
        property = _grouped(dep.prop)
        if dep.is_pattern:
            self._patterns.setdefault((dep.names, property), []).append((dep, need))
        else:
            self._literal.setdefault((dep.text, property), []).append(need)

    def of(self, key: Key) -> Iterator[Need]:
        id, property = key[0], _grouped(key[1])
        yield from self._literal.get((id, property), ())
        if not self._patterns or not id.startswith("{"):
            return
        parts = id_parts(id)
        if parts is not None:
            for dep, need in self._patterns.get((parts[0], property), ()):
                if dep.match(*parts) is not None:
                    yield need


def _grouped(property: str) -> str:
    return "figure" if property in _FIGURE else property


class Access:
    """All rules of an app. The engine's lock covers every method.

    Attributes:
        version: changes when pages that are open may have other rights than before.
    """

    def __init__(self, shared: SharedMap) -> None:
        self.version = 0
        self._shared = shared
        self._change = _Table()
        self._read = _Table()
        self._veils: dict[str, set[Key]] = {}  # id -> the protected properties it has stood in
        self._views: dict[frozenset[Need], View] = {}

    @property
    def hides(self) -> bool:
        """May some clients not read everything?"""
        return bool(self._read.needs)

    def protect(self, dep: Dep, *, read: Rule | None = None, change: Rule | None = None) -> None:
        """Add rules for a property, or a pattern of them. A client has to fulfil all that there are.

        Raises:
            RegistrationError: no rule at all, or one that is none.
        """
        if read is None and change is None:
            raise RegistrationError(f"protect({dep}): expected read=, change= or both, got neither")
        if dep.prop == "id":
            raise RegistrationError(f"protect({dep}): ids are no secret and never change; protect another property")
        for rule, table in ((read, self._read), (change, self._change)):
            if rule is not None:
                table.add(dep, need(rule))
        self._forget_views()

    def _forget_views(self) -> None:
        self.version += 1
        self._views.clear()

    # ---- verdicts ----------------------------------------------------------------------------------------------------
    def may_change(self, client: Client | None, key: Key) -> bool:
        """May this client change that property? Asked anew each time; the server itself (None) may."""
        if client is None or not (self._change.needs or self._veils):
            return True
        within = (need for outer in self._veils.get(key[0], ()) for need in self._read.of(outer))
        return all(need.met_by(client) for needs in (self._change.of(key), within) for need in needs)

    def allows(self, client: Client | None, key: Key) -> bool:
        """Does no rule forbid this client to change that property? It need not be able to read what it stands in."""
        return client is None or not self._change.needs or all(need.met_by(client) for need in self._change.of(key))

    def may_read(self, client: Client, key: Key) -> bool:
        """May this client read that property?"""
        view = self.view(client)
        return view is None or view.may_read(key)

    def view(self, client: Client) -> View | None:
        """What this client may read, as of now; None when that is all."""
        if not self._read.needs:
            return None
        granted = frozenset(need for need in self._read.needs if need.met_by(client))
        if len(granted) == len(self._read.needs):
            return None
        view = self._views.get(granted)
        if view is None:
            view = self._views[granted] = View(self, granted)
        return view

    def needs_to_read(self, key: Key) -> Iterator[Need]:
        """What is asked of whoever reads a property."""
        yield from self._read.of(key)
        for outer in self._veils.get(key[0], ()):
            yield from self._read.of(outer)

    # ---- what stands in what -----------------------------------------------------------------------------------------
    def veil(self, owner: Key | None, tree: Any) -> None:
        """Components came with the layout (None) or a property: those that stand in a protected one are noted."""
        if not self._read.needs:
            return
        outer = frozenset(self._around(owner)) if owner is not None else frozenset()
        stack: list[tuple[Any, frozenset[Key]]] = [(tree, outer)]
        while stack:
            node, veils = stack.pop()
            if type(node) is list:
                stack.extend((part, veils) for part in node)
            elif type(node) is dict and is_component(node):
                id = id_text(node["props"]["id"]) if is_id(node["props"].get("id")) else None
                if id is not None and veils:
                    self._note(id, veils)
                for name, value in node["props"].items():
                    ruled = id is not None and any(True for _ in self._read.of((id, name)))
                    stack.append((value, veils | {(id, name)} if ruled and id is not None else veils))
            elif type(node) is dict:
                stack.extend((part, veils) for part in node.values())

    def _around(self, key: Key) -> Iterator[Key]:
        yield from self._veils.get(key[0], ())
        if any(True for _ in self._read.of(key)):
            yield key

    def forget(self, ids: Iterable[str]) -> None:
        """These components are gone with all their values."""
        for id in ids:
            self._veils.pop(id, None)

    def _note(self, id: str, veils: Iterable[Key]) -> None:
        known = self._veils.setdefault(id, set())
        if not known.issuperset(veils):
            known.update(veils)
            if self._shared.of(id):
                self._forget_views()  # pages may hold what is hidden from them now


class View:
    """What some clients may read: not everything."""

    def __init__(self, access: Access, granted: frozenset[Need]) -> None:
        self._access = access
        self._granted = granted

    def may_read(self, key: Key) -> bool:
        """May they read this property?"""
        return all(need in self._granted for need in self._access.needs_to_read(key))

    def shown(self, entry: Entry) -> Entry | None:
        """The entry as they may have it: itself, a copy without what they may not read inside it, or None."""
        if not self.may_read(entry.key):
            return None
        if not _may_nest(entry):
            return entry
        value = orjson.loads(entry.encoded)
        if not self.strip(value) and not entry.patches:
            return entry
        return Entry(entry.key, entry.seq, value=value, origin=entry.origin)

    def shown_all(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries as they may have them."""
        return [shown for entry in entries if (shown := self.shown(entry)) is not None]

    def strip(self, tree: Any) -> bool:
        """Take what they may not read out of a decoded tree, in place. Was there anything?"""
        found = False
        for props in walk(tree):
            id = id_text(props["id"])
            for name in [name for name in props if name != "id" and not self.may_read((id, name))]:
                del props[name]
                found = True
        return found


def _may_nest(entry: Entry) -> bool:
    """Could there be components in it, or in a patch that leads to it?"""
    if entry.key[1] in DATA:
        return False
    return may_hold_components(entry.key[1], entry.encoded) or any(
        b'"namespace"' in patch for _, patch in entry.patches
    )
