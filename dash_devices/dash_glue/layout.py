"""The shared state put into what a page is sent: layouts, and the components in results of regular callbacks."""

from __future__ import annotations

import logging
from typing import Any

import orjson

from ..components import id_text, walk
from ..engine import Engine
from ..sessions import Session
from ..shared import Entry

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

    def fill(self, tree: Any, by_id: dict[str, list[Entry]]) -> dict[str, dict[str, Any]]:
        """Write the values into a decoded tree, in place. Returns the props by the ids that it holds then."""
        found = {}
        for props in walk(tree):
            id = id_text(props["id"])
            found[id] = props
            for entry in by_id.get(id, ()):
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

    def fill_result(self, encoded: bytes, session: Session | None) -> bytes:
        """The components in a regular callback's result, filled; other results go through as they are."""
        if b'"namespace"' not in encoded:
            return encoded
        tree = orjson.loads(encoded)
        self.announce(self.fill(tree, self.snapshot()[1]), session)
        return orjson.dumps(tree)

    def announce(self, found: dict[str, dict[str, Any]], session: Session | None) -> None:
        """A page was sent these components: callbacks that waited for them can run, its changes of them count.

        What they were given is taken where the server has no value.
        """
        if session is None:
            return
        with self._engine.lock:
            components, registry = self._engine.components, self._engine.registry
            fresh = components.add_private(session.token, [id for id in found if id not in components])
            for key in ((id, property) for id in fresh for property in found[id]):
                if registry.is_watched(key):
                    self._engine.shared.seed(key, found[key[0]][key[1]])
            if fresh:
                self._engine.startup.look(fresh)
