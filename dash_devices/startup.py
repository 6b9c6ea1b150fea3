"""Which shared callbacks run by themselves, and when: once, as soon as their components are known, in dependency order.

And again, with nothing that triggered them: when a component appears that fits one of their wildcards, when one is gone that
was in their ALL or ALLSMALLER, and when one comes again that they write and have not written yet.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from .calls import Cause, SharedCall
from .patterns import Anchor
from .registry import Invocation, SharedCallback

if TYPE_CHECKING:
    from .engine import Engine

QUIET = Cause(quiet=True)

Due = tuple[SharedCallback, Anchor]


class Startup:
    """Keeps the callbacks that still have to run by themselves. The engine's lock covers every method.

    Attributes:
        idle: set while none of those that could run is waiting or running.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pending: list[SharedCallback] = []
        self._blocked: dict[int, tuple[SharedCallback, set[int], Cause]] = {}
        self._running: dict[SharedCallback, Counter[Anchor]] = {}
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

    def look(self, cause: Cause = QUIET, queued: Collection[Due] = ()) -> None:
        """Components may have come or gone: let those callbacks begin that can now, and those run again that have to.

        Args:
            cause: what made them known, or took them away; what it leads to here is initial in any case.
            queued: the calls that it has queued already, with the values of now.
        """
        fresh = self._engine.children.take_fresh()
        if not (self._open and self._engine.running):
            return
        appeared, lost = self._engine.components.take_news()
        self._engine.events.forget(self._engine.shared, appeared)
        self._again(self._due(appeared, lost, fresh), cause.initial, queued)
        if self._pending:
            self._begin(cause.initial)

    def _begin(self, cause: Cause) -> None:
        registry, components = self._engine.registry, self._engine.components
        ready = [callback for callback in self._pending if registry.ready(callback, components)]
        if not ready:
            return
        self._pending = [callback for callback in self._pending if callback not in ready]
        self.idle.clear()
        self._plan(ready, cause)
        self._release()

    def _due(self, appeared: list[str], lost: list[str], fresh: list[str]) -> Iterator[Due]:
        """The calls that these components ask for: as in Dash, also for those that went."""
        registry, shared, events = self._engine.registry, self._engine.shared, self._engine.events
        for component in appeared:
            yield from registry.appearing(component)
        for component in lost:
            yield from registry.missing(component)
        for component in fresh:
            for key, callback, anchor in registry.writing(component):
                has_none = key not in shared and key not in events
                if has_none and anchor not in self._running.get(callback, ()):
                    yield callback, anchor

    def _again(self, due: Iterator[Due], cause: Cause, queued: Collection[Due]) -> None:
        """As in Dash, no callback runs because of what itself brought about."""
        for callback, anchor in dict.fromkeys(due):
            waits = callback in self._pending or id(callback) in self._blocked
            known = (callback, anchor) in queued or (callback, anchor) in cause.ancestors
            if callback.runs_at_startup and not waits and not known:
                self._queue(callback, anchor, cause)

    def _queue(self, callback: SharedCallback, anchor: Anchor, cause: Cause) -> None:
        invocation = Invocation(callback, anchor, ())
        if not self._engine.turns.is_waiting(invocation, cause):
            self._running.setdefault(callback, Counter())[anchor] += 1
        self._engine.turns.ask(invocation, cause)

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
            for anchor in anchors:
                self._queue(callback, anchor, cause)
            if not anchors:
                self._done(callback)

    def ended(self, call: SharedCall) -> None:
        """A call is over: was it the last one of a callback that others wait for?"""
        if call.starts:
            self._over(call.callback, call.anchor, call.starts)

    def dropped(self, invocation: Invocation) -> None:
        """A run will not begin any more."""
        if not invocation.triggered:
            self._over(invocation.callback, invocation.anchor, 1)

    def _over(self, callback: SharedCallback, anchor: Anchor, runs: int) -> None:
        running = self._running[callback]
        running[anchor] -= runs
        if not running[anchor]:
            del running[anchor]
        if not running:
            self._done(callback)
            self._release()

    def _done(self, callback: SharedCallback) -> None:
        self._running.pop(callback, None)
        for _, earlier, _ in self._blocked.values():
            earlier.discard(id(callback))
        if not self._blocked and not self._running:
            self.idle.set()
