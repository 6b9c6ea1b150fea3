"""Which shared callbacks run by themselves, and when: once, as soon as their components are known, in dependency order."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .calls import Cause, SharedCall
from .patterns import Anchor
from .registry import Invocation, SharedCallback

if TYPE_CHECKING:
    from .engine import Engine

QUIET = Cause(quiet=True)


class Startup:
    """Keeps the callbacks that still have to run by themselves. The engine's lock covers every method.

    Attributes:
        idle: set while none of those that could run is waiting or running.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pending: list[SharedCallback] = []
        self._blocked: dict[int, tuple[SharedCallback, set[int], Cause]] = {}
        self._running: dict[int, int] = {}
        self._open = False
        self.idle = threading.Event()
        self.idle.set()

    def add(self, callback: SharedCallback) -> None:
        """A callback was registered."""
        if callback.runs_at_startup:
            self._pending.append(callback)

    def open(self) -> None:
        """The server runs: begin with those whose components are known."""
        with self._engine.lock:
            self._open = True
            self.look()

    def will_run(self, callback: SharedCallback) -> bool:
        """Does it wait for its turn, so that a new input need not queue it once more?"""
        if id(callback) in self._blocked:
            return True
        return (
            callback in self._pending and self._open and self._engine.registry.ready(callback, self._engine.components)
        )

    def look(self, appeared: Iterable[str] = (), cause: Cause = QUIET) -> None:
        """New components or callbacks: let those begin that can now, and those again whose wildcards fit more now.

        ``cause``: what made them known, with the State of its page.
        """
        if not self._open:
            return
        self._again(appeared, cause)
        if not self._pending:
            return
        registry, components = self._engine.registry, self._engine.components
        ready = [callback for callback in self._pending if registry.ready(callback, components)]
        if not ready:
            return
        self._pending = [callback for callback in self._pending if callback not in ready]
        self.idle.clear()
        self._plan(ready, cause)
        self._release()

    def _again(self, appeared: Iterable[str], cause: Cause) -> None:
        """As in Dash: a callback that has run runs once more when components appear that its wildcards fit."""
        due: dict[tuple[SharedCallback, Anchor], None] = {}
        for component in appeared:
            for callback, anchor in self._engine.registry.fitting(component):
                if callback.runs_at_startup and callback not in self._pending and not self.will_run(callback):
                    due[callback, anchor] = None
        for callback, anchor in due:
            self._running[id(callback)] = self._running.get(id(callback), 0) + 1
            self._engine.queue(Invocation(callback, anchor, ()), cause)

    def _plan(self, ready: list[SharedCallback], cause: Cause) -> None:
        """Each waits for those before it that write its inputs; a loop is broken where the order says so."""
        registry = self._engine.registry
        order = registry.startup_order(ready)
        place = {id(callback): number for number, callback in enumerate(order)}
        before = registry.predecessors(ready)
        for callback in order:
            earlier = {id(other) for other in before[id(callback)] if place[id(other)] < place[id(callback)]}
            self._blocked[id(callback)] = (callback, earlier, cause)

    def _release(self) -> None:
        free = [(callback, cause) for callback, earlier, cause in self._blocked.values() if not earlier]
        for callback, cause in free:
            del self._blocked[id(callback)]
            anchors = self._engine.registry.anchors(callback, self._engine.components)
            self._running[id(callback)] = len(anchors)
            for anchor in anchors:
                self._engine.queue(Invocation(callback, anchor, ()), cause)
            if not anchors:
                self._done(callback)

    def ended(self, call: SharedCall) -> None:
        """A call is over: was it the last one of a callback that others wait for?"""
        if not call.starts:
            return
        with self._engine.lock:
            left = self._running[id(call.callback)] - call.starts
            if left > 0:
                self._running[id(call.callback)] = left
            else:
                self._done(call.callback)
                self._release()

    def _done(self, callback: SharedCallback) -> None:
        self._running.pop(id(callback), None)
        for _, earlier, _ in self._blocked.values():
            earlier.discard(id(callback))
        if not self._blocked and not self._running:
            self.idle.set()
