"""The state and what follows from it: values in, their place in the one order, the calls they ask for, and the results.

Every method may be called from any thread. One short lock covers "take the seq, store, queue the calls", so that the order
of seq is the order in the lanes and on the wire; values are encoded before it is taken.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from .access import Access
from .calls import MAX_STEPS, Cause, Chain, Item, SharedCall, Waits, loop_text, output_ids
from .children import Children, Patched
from .clients import Client
from .components import Components, may_hold_components
from .drafts import Draft
from .encoder import Encoded, Encoder
from .errors import DashDevicesError
from .events import EventProperties, is_building
from .lanes import Lanes
from .outbox import EXTENDING
from .patterns import Anchor, Dep, expand
from .reading import NOTHING, Reading
from .registry import Invocation, Registry, SharedCallback
from .services import Services
from .shared import Entry, Key, SharedMap
from .startup import Startup
from .turns import Turns

logger = logging.getLogger("dash_devices.state")
callback_logger = logging.getLogger("dash_devices.callbacks")


class Engine:
    """The shared map, the callbacks and their lanes.

    Attributes:
        item: encodes a value.
        lock: taken around every look at or change of ``shared``, ``components`` and ``registry``.
        running: does the server run? Before, values only set the initial state; afterwards, they are for nobody.
        changed: called, outside the lock, when there is something to send.
        post_event: called under the lock for every event, with its key and its triple.
        early: called before the first value that builds on the layout's is stored while the server does not run yet.
        private: called with a client and values for its page alone.
        report_error: called with a message and a traceback, for pages in debug mode.
    """

    def __init__(self, encode: Callable[[Any], Encoded], event_properties: Iterable[str] = ()) -> None:
        self.lock = threading.RLock()
        self.shared = SharedMap()
        self.access = Access(self.shared)
        self.components = Components(self.access.veil)
        self.shared.around = self.components.around
        self.registry = Registry(self.components)
        self.metrics: Counter[str] = Counter()
        self.lanes = Lanes(metrics=self.metrics)
        self.startup = Startup(self)
        self.turns = Turns(self, self.startup.dropped)
        self.waits = Waits()
        self.running = False
        self.authorize: Callable[[Client, str], bool] | None = None
        self.changed: Callable[[], None] = lambda: None
        self.post_event: Callable[[Key, bytes], None] = lambda key, triple: None
        self.early: Callable[[], None] = lambda: None
        self.private: Callable[[Client, list[Item]], object] = lambda client, items: None
        self.report_error: Callable[[str, str], None] = lambda message, detail: None
        self.events = EventProperties(event_properties, self.components)
        self.children = Children(self)
        self.reading = Reading(self.children, self.components, self.registry)
        self.item = Encoder(encode, self.metrics)

    # ---- values in --------------------------------------------------------------------------------------------------
    def store(self, items: Iterable[Item], cause: Cause, *, origin: str | None = None) -> int:
        """Store values under one seq and queue the calls that listen to them. Returns the seq.

        Events that nobody caused are left out.
        """
        items = list(items)
        with self.lock:
            items = self.events.caused(items, cause)
            built = self._build(items)
            seq = self.shared.next_seq()
            changed: dict[Key, bool] = {}
            happened = {item.key: item.encoded for item in items if item.key in self.events}
            for place, item in enumerate(items):
                entry, folded = Entry(item.key, seq, encoded=item.encoded, origin=origin), built.get(place)
                self._put(item, entry, changed, folded, cause.author)
            if self.running:
                self._follow(changed, cause, happened)
        self.changed()
        return seq

    def complete(self, call: SharedCall, items: list[Item]) -> None:
        """The results of a call: one atomic mod, then those who listen to it."""
        if items and call.callback.service & Services.SHARE_WITH_OTHER_CLIENTS:
            self.store(items, call.child)
        elif items and call.cause.client is not None:
            self.private(call.cause.client, self.events.caused(items, call.cause))

    def _build(self, items: list[Item]) -> dict[int, Patched]:
        """What Patches and points make of the values before, by place: all of it before anything of a mod is stored."""
        if not self.running and any(is_building(item) or self.events.depends_on_type(item.key) for item in items):
            early, self.early = self.early, lambda: None  # a layout function may push too
            try:
                early()
            finally:
                self.early = early
        return Draft(self.children, self.components, self.shared).build(items) if any(map(is_building, items)) else {}

    def _put(
        self, item: Item, entry: Entry, changed: dict[Key, bool], built: Patched | None, author: Client | None
    ) -> None:
        key = item.key
        before = self.shared.get(key)
        if key in self.events:
            self._put_event(item, built)
            changed[key] = True
        elif built is not None:
            base = before or Entry(key, 0, value=self.components.props(key[0]).get(key[1]))
            changed[key] = True  # comparing would encode both values whole
            entry = base.patched(entry.seq, orjson.dumps(built.operations)[1:-1], built.value)
            self._put_value(entry, before, item, changed, built, author)
        else:
            changed[key] = before is None or before.encoded != item.encoded
            self._put_value(entry, before, item, changed, None, author)

    def _put_value(
        self,
        entry: Entry,
        before: Entry | None,
        item: Item,
        changed: dict[Key, bool],
        built: Patched | None,
        author: Client | None,
    ) -> None:
        self.shared.put(entry)
        key, components = entry.key, self.components
        replaced = None  # what may have had components in it
        if before is None or not before.is_plain:
            replaced = components.props(key[0]).get(key[1]) if built is None else built.before
        is_holding = key in components.owners or may_hold_components(key[1], item.encoded)
        if is_holding or self.children.holds_any(key, replaced):
            self.children.bring(entry, changed, built, author)
        else:
            entry.is_plain = True

    def _put_event(self, item: Item, folded: Patched | None) -> None:
        id, property = item.key
        self.post_event(item.key, Entry(item.key, self.shared.seq, encoded=item.encoded).triple)
        if property not in EXTENDING or folded is None:
            return
        figure = (id, "figure")
        self.shared.seed(figure, self.components.props(id).get("figure"))
        if (entry := self.shared.get(figure)) is not None:
            self.shared.fold(entry, folded.value)

    # ---- what follows -----------------------------------------------------------------------------------------------
    def _follow(self, changed: Mapping[Key, bool], cause: Cause, happened: Mapping[Key, bytes]) -> None:
        """Queue the calls that listen, then those that run because components came or went. ``happened``: events."""
        queued = self._dispatch(changed, cause, happened)
        if self.components.news or self.children.has_fresh:
            self.startup.look(cause, queued)

    def _dispatch(
        self, changed: Mapping[Key, bool], cause: Cause, happened: Mapping[Key, bytes]
    ) -> set[tuple[SharedCallback, Anchor]]:
        queued = set()
        for invocation in self.registry.invocations(changed):
            callback = invocation.callback
            is_initial = cause.quiet and not cause.ancestors
            if (cause.quiet and not callback.outputs) or (is_initial and callback.prevent_initial_call):
                continue
            if self.startup.will_run(callback):
                continue
            if (callback, invocation.anchor) in cause.ancestors and not any(changed[k] for k in invocation.triggered):
                continue
            if len(cause.ancestors) >= MAX_STEPS:
                callback_logger.error(
                    "callbacks go round without end, cut after %d steps: %s", MAX_STEPS, loop_text(cause)
                )
                continue
            if is_initial and not happened:
                self.turns.ask(invocation, cause)
            else:
                self.queue(invocation, cause, happened)
            queued.add((callback, invocation.anchor))
        return queued

    def queue(
        self,
        invocation: Invocation,
        cause: Cause,
        happened: Mapping[Key, bytes] = NOTHING,
        turns_of: tuple[tuple[Client, str], ...] = (),
    ) -> None:
        """Queue one call with the values of now, and of the events that cause it. The caller holds the lock."""
        callback = invocation.callback
        inputs = [self.reading.input(dep, invocation, happened) for dep in callback.inputs]
        state = [self.reading.state(dep, invocation, cause) for dep in callback.state]
        call = SharedCall(self, invocation, inputs, state, cause, turns_of)
        self.lanes.submit(callback.lane or f"call {id(call)}", call)

    def full_lane(self, listeners: Iterable[SharedCallback]) -> SharedCallback | None:
        """The first listener whose lane has no place for one more call."""
        for callback in listeners:
            if callback.lane and not callback.most_recent and self.lanes.is_full(callback.lane):
                return callback
        return None

    def value(self, key: Key) -> Any:
        """The server's value of a property; see `Reading`."""
        return self.reading.value(key)

    def own(self, key: Key) -> Any:
        """The server's value for the author. From any thread."""
        with self.lock:
            return self.reading.given(key, self.value(key))

    # ---- around a call ----------------------------------------------------------------------------------------------
    def authorized(self, call: SharedCall) -> bool:
        """May the page that caused the call have it? Asked for each output."""
        client = call.cause.client
        if self.authorize is None or client is None:
            return True
        for output in output_ids(call.callback):
            if not self.authorize(client, output):
                callback_logger.warning("%s: client %s is not authorized for %s", call.name, client, output)
                self.metrics["calls_unauthorized"] += 1
                return False
        return True

    def call_ended(self, call: SharedCall) -> None:
        """The call is over, whatever came of it."""
        if call.starts or call.turns_of:
            with self.lock:
                self.startup.ended(call)
                self.turns.ended(call)
        self.changed()

    def report(self, call: SharedCall, error: BaseException) -> None:
        """A callback raised: the log gets the traceback, pages in debug mode get it too. Everything else goes on."""
        self.metrics["call_errors"] += 1
        known = isinstance(error, DashDevicesError)
        callback_logger.error("%s failed: %s", call.name, error, exc_info=None if known else error)
        self.report_error(f"Shared callback {call.name}: {error}", "".join(traceback.format_exception(error)))

    # ---- for authors ------------------------------------------------------------------------------------------------
    def push_and_wait(self, items: list[Item], cause: Cause, done: Callable[[], object]) -> int:
        """Like `store`; ``done`` is called from some thread when all that followed has run."""
        chain = Chain(done)
        try:
            return self.store(items, dataclasses.replace(cause, chain=chain))
        finally:
            chain.leave()

    def register(self, callback: SharedCallback) -> None:
        """Take a shared callback; it runs once when its components are known."""
        with self.lock:
            self.registry.add(callback)
            self._seed(callback.inputs)
            self.startup.add(callback)
            self.startup.look()
        self.changed()

    def share(self, dep: Dep) -> None:
        """Watch a property that no callback listens to."""
        with self.lock:
            self.registry.share(dep)
            self._seed((dep,))
        self.changed()

    def _seed(self, deps: Iterable[Dep]) -> None:
        for dep in deps:
            for id, property in expand(dep, (), self.components, free=True):
                given = self.components.props(id)
                if property in given:
                    self.shared.seed((id, property), given[property])

    def load_layout(self, tree: Any) -> None:
        """Take the components of the layout; what they were given counts where the server has no value yet."""
        with self.lock:
            for id in self.components.load(None, tree):
                for property, value in self.components.props(id).items():
                    if self.registry.is_watched((id, property)):
                        self.shared.seed((id, property), value)
