"""What an app says about who may read and change what. A part of `Dash`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import orjson
from dash._utils import to_json
from dash.dependencies import DashDependency

from ..access import Rule
from ..components import decoded_id
from ..engine import Engine
from ..errors import RegistrationError
from ..patterns import Dep, expand
from . import registration
from .requests import page_view

if TYPE_CHECKING:
    from ..app import Dash


class Protecting:
    """Rules of an app. A part of `Dash`."""

    _engine: Engine

    def protect(self, target: Any, *, read: Rule | None = None, change: Rule | None = None) -> None:
        """Say who may read and who may change a property, whether a callback has to do with it or not.

        A rule is a role (``client.authentication.roles`` has to hold it), several roles of which one is enough, or a function
        ``(client) -> bool``; ``()`` is nobody but the server. One that raises is a no. Several rules have to be fulfilled all.

        Args:
            target: ``"id.property"``, or an Input, Output or State; its id may hold wildcards.
            read: who gets the value. For all others it is in nothing that their pages are sent, nor is what stands inside it.
            change: whose changes are taken. Those of others are refused, as if the property were not there.

        Raises:
            RegistrationError: no rule, or one that is none; a target that is no property.
        """
        self._protect(_dep(target), read=read, change=change)

    def _protect(self, dep: Dep, *, read: Rule | None, change: Rule | None) -> None:
        engine = self._engine
        with engine.lock:
            engine.access.protect(dep, read=read, change=change)
            for key in expand(dep, (), engine.components, free=True):
                engine.access.veil(key, engine.value(key))  # what stands in it already
        engine.changed()

    def _without_secrets(self, config: dict[str, Any]) -> dict[str, Any]:
        """Dash puts the layouts of all pages into the index, to check callbacks against (4.4.1: ``Dash._config``)."""
        app = cast("Dash", self)
        layout, view = config.get("validation_layout"), page_view(app)
        if layout is None or view is None:
            return config
        tree = orjson.loads(to_json(layout))
        app._state_in_layouts.fill(tree, {}, view)
        return {**config, "validation_layout": tree}


def _dep(target: Any) -> Dep:
    if isinstance(target, DashDependency):
        return registration.to_dep(target)
    id, _, property = target.rpartition(".") if isinstance(target, str) else ("", "", "")
    if not (id and property):
        raise RegistrationError(f"protect: expected 'id.property', or an Input or Output, got {target!r:.60}")
    return registration.to_dep(DashDependency(decoded_id(id), property))
