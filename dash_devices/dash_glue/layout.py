"""The shared state put into what a page is sent: layouts, and the components in results of regular callbacks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import orjson
from dash._utils import to_json

from .. import provenance
from ..access import View
from ..calls import Cause
from ..components import canonical_id, id_text, walk_components
from ..engine import Engine
from ..sessions import Session
from ..shared import Entry, Key
from ..strict import Code, code_in

logger = logging.getLogger("dash_devices.layout")


class StateInLayouts:
    """Writes the server's values over those that layouts bring."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._warned: set[str] = set()

    def snapshot(self) -> tuple[int, dict[str, list[Entry]]]:
        """The seq of now and all shared values by component id: one consistent cut."""
        by_id: dict[str, list[Entry]] = {}
        with self._engine.lock:
            for entry in self._engine.shared.entries():
                by_id.setdefault(entry.key[0], []).append(entry)
            return self._engine.shared.seq, by_id

    def fill(self, tree: Any, by_id: dict[str, list[Entry]], view: View | None = None) -> dict[str, dict[str, Any]]:
        """Write the values into a decoded tree, in place, and take out what the page may not read (``view``).

        Returns the components by the ids that it holds then.
        """
        found, events = {}, self._engine.events
        with self._engine.lock:
            self._engine.access.veil(None, tree)
            if view is not None:
                view.strip(tree)
        for component in walk_components(tree):
            props = component["props"]
            id = id_text(props["id"])
            known = by_id.get(id, ()) if id not in found else ()  # an old value may hold what it stands in now
            found[id] = component
            entries = [one for one in known if not events.has(component["type"], one.key[1])]
            for entry in entries if view is None else view.shown_all(entries):
                props[entry.key[1]] = orjson.loads(entry.encoded)
            if props.get("persistence"):
                self._drop_persistence(id, props)
        return found

    def _drop_persistence(self, id: str, props: dict[str, Any]) -> None:
        registry = self._engine.registry
        names = props.get("persisted_props") or registry.watched_properties()
        if not any(registry.is_watched((id, name)) for name in names):
            return
        del props["persistence"]
        if id not in self._warned:
            self._warned.add(id)
            logger.warning("%s: persistence= is dropped, its value is shared and kept by the server", id)

    def fill_layout(self, layout: Any, session: Session | None, view: View | None) -> tuple[bytes, int]:
        """A layout of Dash's with the values in it, and the seq it stands at; its page is sent it."""
        given = to_json(layout).encode()
        tree = orjson.loads(given)
        seq, by_id = self.snapshot()
        self.announce(self.fill(tree, by_id, view), session, lambda: provenance.is_code(layout, given))
        return orjson.dumps(tree), seq

    def fill_result(self, encoded: bytes, returned: Any, session: Session | None, view: View | None = None) -> bytes:
        """A regular callback's result: its components filled, without what the page may not read (``view``).

        ``returned``: what the function made of it.
        """
        if view is None and b'"namespace"' not in encoded:
            return encoded
        tree = orjson.loads(encoded)
        if view is not None:
            _strip_outputs(tree, view)
        self.announce(self.fill(tree, self.snapshot()[1], view), session, lambda: provenance.is_code(returned, encoded))
        return orjson.dumps(tree)

    def announce(self, found: dict[str, dict[str, Any]], session: Session | None, is_code: Callable[[], bool]) -> None:
        """A page was sent these components: callbacks that waited for them can run, its changes of them count.

        What they were given is taken where the server has no value, as if the page had mounted it: it may be what the page
        said, so not where it may not change that; and components only if all of them are code's.
        """
        if session is None:
            return
        with self._engine.lock:
            components, registry, events = self._engine.components, self._engine.registry, self._engine.events

            def may_give(key: Key, value: Any) -> bool:
                code = code_in(value) if type(value) in (dict, list) else Code.NOTHING
                return self._engine.access.allows(session.client, key) and (not code or is_code())

            # a callback that these components bring to life may read more of them than what is watched
            for id in components.sent(
                session.token, found, lambda key, value: registry.is_read(key) and may_give(key, value)
            ):
                given = found[id]["props"].items() if components.news.get(id) else ()  # else its mount says it
                for key, value in (((id, property), value) for property, value in given):
                    if registry.is_watched(key) and key not in events and may_give(key, value):
                        self._engine.shared.seed(key, value)
            if components.news:
                self._engine.startup.look(Cause(quiet=True, behalf=session.client))


def _strip_outputs(result: Any, view: View) -> None:
    """Take the outputs of a callback that its page may not read out of what it answers (Dash 4.4.1: ``_callback.py``)."""
    for part in ("response", "sideUpdate"):
        for text, props in (result.get(part) or {}).items():
            id = canonical_id(text)
            for name in [name for name in props if not view.may_read((id, name))]:
                del props[name]
