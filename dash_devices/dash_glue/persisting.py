"""What of an app's state outlives it. A part of `Dash`."""

from __future__ import annotations

import asyncio
from os import PathLike
from typing import TYPE_CHECKING, Any

from dash.dependencies import DashDependency

from .. import codec
from ..engine import Engine
from ..errors import RegistrationError
from ..hub import Hub
from ..patterns import Dep
from ..protocol import Notice
from ..selection import Selection
from ..threads import in_thread
from .registration import to_dep

if TYPE_CHECKING:
    from ..journal import Journal

DEFAULT_FILE = "state.db"


class Persisting:
    """The durable state of an app. A part of `Dash`."""

    _engine: Engine
    _hub: Hub

    def __init__(self, state: str | PathLike[str] | None) -> None:
        self._state = state
        self._durable = Selection(self._engine.events.__contains__)
        self._journal: Journal | None = None

    def persist(self, *properties: Any, state: str | PathLike[str] | None = None) -> None:
        """Keep some shared properties over restarts and crashes, and no others. Call it before the app runs.

        Args:
            *properties: ``"id.property"``, or an ``Input``, ``Output`` or ``State``, whose id may hold wildcards.
            state: the file, where ``Dash(state=...)`` names none: ``state.db`` in the current folder.

        Raises:
            RegistrationError: something else, or the app runs already.
        """
        if self._journal is not None or self._hub.loop is not None:
            raise RegistrationError("persist: the app runs already; call it before app.run()")
        for dep in [_dep(property) for property in properties]:
            self._durable.name(dep)
        self._state = self._state or state or DEFAULT_FILE

    def _open_state(self) -> None:
        """Take the values of an earlier life. Raises ServerError where that is not possible."""
        if self._state is None:
            return
        # only here: whoever keeps no state does not pay for loading a database
        from ..generations import Generations
        from ..journal import Journal

        generations = Generations(self._state)
        try:
            journal = Journal(self._engine, self._durable, generations)
        except BaseException:
            generations.release()
            raise
        self._journal = self._hub.intake.journal = journal
        self._hub.greeted, self._hub.closing = journal.remember, journal.halt
        self._hub.sessions.recall = journal.recall
        self._hub.presence.forgotten, self._hub.presence.is_durable = journal.forget, self._durable.is_named
        self._engine.changed = self._changed
        journal.tell = self._tell

    def _begin_state(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._journal is not None:
            self._journal.start(loop)

    async def _close_state(self) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.end()
            await in_thread(self._engine.lanes.threads, journal.join)

    def _changed(self) -> None:
        self._hub.wake()
        if self._journal is not None:
            self._journal.stored()

    def _tell(self, text: str) -> None:
        """Every page shows it, also those that come later."""
        self._hub.greeter.notice = text
        self._hub.presence.post(codec.encode(Notice(text)))


def _dep(property: Any) -> Dep:
    if isinstance(property, DashDependency):
        return to_dep(property)
    id, dot, name = property.rpartition(".") if isinstance(property, str) else ("", "", "")
    if not (id and dot and name):
        raise RegistrationError(f"persist: expected 'id.property' or an Input, got {property!r:.60}")
    return Dep(id, name)
