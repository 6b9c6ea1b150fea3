"""One call of a shared callback: what caused it, what it is given, and what becomes of its result."""

from __future__ import annotations

import contextvars
import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from .clients import Client
from .errors import DashDevicesError
from .patterns import Anchor
from .registry import Invocation, SharedCallback
from .shared import Key
from .threads import is_cancelling

if TYPE_CHECKING:
    from .engine import Engine

logger = logging.getLogger("dash_devices.callbacks")

MAX_STEPS = 100  # callbacks in one causal chain

OWN: Any = object()
"""In what a page shows, a property of which the server's value counts, whatever the page says."""

current_call: contextvars.ContextVar[SharedCall | None] = contextvars.ContextVar("current_call", default=None)


class Chain:
    """Counts the calls that one push caused, for whoever waits for all of them."""

    def __init__(self, done: Callable[[], object]) -> None:
        self._open = 1
        self._lock = threading.Lock()
        self._done = done

    def enter(self) -> None:
        """One more call is due."""
        with self._lock:
            self._open += 1

    def leave(self) -> None:
        """One call has ended, or will not run."""
        with self._lock:
            self._open -= 1
            ended = self._open == 0
        if ended:
            self._done()


class Waits:
    """Which lanes wait for which, so that nobody waits for a call that waits for him. The engine's lock covers it."""

    def __init__(self) -> None:
        self._awaited: dict[tuple[str, str], int] = {}

    def may_wait(self, held: frozenset[str], lane: str) -> bool:
        """Does what is queued in ``lane`` come to its end while these lanes wait for it?"""
        reached, seen = [lane], {lane}
        while reached:
            current = reached.pop()
            if current in held:
                return False
            following = [to for start, to in self._awaited if start == current and to not in seen]
            reached.extend(following)
            seen.update(following)
        return True

    def count(self, held: frozenset[str], lane: str, by: int) -> None:
        """A call in ``lane`` that these lanes wait for was queued (1), or has ended (-1)."""
        for edge in ((start, lane) for start in held):
            self._awaited[edge] = self._awaited.get(edge, 0) + by
            if not self._awaited[edge]:
                del self._awaited[edge]


@dataclasses.dataclass(frozen=True, slots=True)
class Cause:
    """Why something happens.

    Attributes:
        client: the page that caused it; None for the server itself.
        behalf: the page because of which the server does it, where that is not ``client``: a run that components ask for
            which it made appear, or a push of a callback.
        state: what the page showed then, for State; `OWN` for the server's value.
        ancestors: the calls that led here, oldest first.
        quiet: caused by a startup or by mounting: callbacks with a None output do not run.
        chain: counts what follows, for whoever waits.
        held: lanes of calls that wait for this chain; what is queued behind those cannot be waited for.
    """

    client: Client | None = None
    state: Mapping[Key, Any] = dataclasses.field(default_factory=dict)
    ancestors: tuple[tuple[SharedCallback, Anchor], ...] = ()
    quiet: bool = False
    chain: Chain | None = None
    held: frozenset[str] = frozenset()
    behalf: Client | None = None

    @property
    def author(self) -> Client | None:
        """The page whose rights count for what stands inside of values: it brought them about."""
        return self.behalf or self.client

    @property
    def initial(self) -> Cause:
        """The cause of the runs that components, which this made appear or go, ask for: nobody triggered them."""
        state = self.state if self.quiet else {}
        return dataclasses.replace(self, client=None, behalf=self.author, state=state, quiet=True)


SERVER = Cause()


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One new value on its way into the shared map: JSON already."""

    key: Key
    encoded: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """One property with its value at the time of the event."""

    key: Key
    value: Any


Given = Slot | list[Slot]
"""What one Input or State gets: one property, or those that ALL or ALLSMALLER stand for."""


class Glue(Protocol):
    """Dash's part of a shared callback."""

    def invoke(self, call: SharedCall) -> Any:
        """Call the user's function in Dash's callback context; a coroutine function gives its coroutine."""

    def results(self, call: SharedCall, value: Any) -> list[Item]:
        """What the return value means: nothing, the declared outputs, or alternative ones. Encoded."""

    def failed(self, call: SharedCall, error: BaseException) -> Any:
        """The function raised: what ``on_error`` makes of it, or the same error again."""


class SharedCall:
    """A call in its lane. Keeps the values it was queued with: later changes do not reach into it."""

    def __init__(
        self,
        engine: Engine,
        invocation: Invocation,
        inputs: list[Given],
        state: list[Given],
        cause: Cause,
        turns_of: tuple[tuple[Client, str], ...] = (),
    ) -> None:
        callback = invocation.callback
        self.engine = engine
        self.callback = callback
        self.anchor = invocation.anchor
        self.triggered = invocation.triggered
        self.inputs = inputs
        self.state = state
        self.cause = cause
        self.name = callback.name
        self.identity: object = (id(callback), invocation.anchor)
        self.is_async = callback.is_async
        self.most_recent = callback.most_recent
        self.max_age = callback.max_age
        self.size = 0 if cause.client is None else engine.shared.size_of(invocation.triggered)
        self.starts = int(cause.quiet and not invocation.triggered)  # runs of Startup that this call stands for
        self.turns_of = turns_of  # pages of whose `Turns` this call takes one, each
        self.waiting_on: list[tuple[Chain, frozenset[str]]] = []
        if cause.chain and engine.waits.may_wait(cause.held, callback.lane):
            cause.chain.enter()
            engine.waits.count(cause.held, callback.lane, 1)
            self.waiting_on.append((cause.chain, cause.held))

    @property
    def child(self) -> Cause:
        """The cause of what this call brings about."""
        return dataclasses.replace(self.cause, ancestors=(*self.cause.ancestors, (self.callback, self.anchor)))

    def item(self, key: Key, value: Any) -> Item:
        """A value that the function gave, encoded; raises as `Encoder`."""
        return self.engine.item(key, value, components=self.callback.components)

    def merge(self, older: SharedCall) -> None:
        """Stand for an older waiting call too: all that triggered either, and whoever waits for it."""
        self.triggered = tuple(dict.fromkeys((*older.triggered, *self.triggered)))
        self.waiting_on.extend(older.waiting_on)
        self.starts += older.starts
        self.turns_of += older.turns_of

    def skipped(self, reason: str) -> None:
        """It will not run."""
        self.engine.metrics["calls_skipped"] += 1
        self._ended()

    def run(self) -> None:
        """The whole call in a thread."""
        try:
            if self._begin():
                self._finish(self.callback.glue.invoke(self))
        except BaseException as error:  # the author's code: any error is theirs to see, and sys.exit() ends no lane
            self._failed(error)
        finally:
            self._ended()

    async def run_async(self) -> None:
        """The whole call on the loop."""
        try:
            if self._begin():
                self._finish(await self.callback.glue.invoke(self))
        except BaseException as error:  # the author's code, as in `run`
            if is_cancelling(error):
                raise
            self._failed(error)
        finally:
            self._ended()

    def _begin(self) -> bool:
        self.engine.metrics["calls"] += 1
        current_call.set(self)
        if not self.engine.authorized(self):
            return False
        self._show_running(1)
        return True

    def _finish(self, value: Any) -> None:
        items = self.callback.glue.results(self, value)
        self.engine.complete(self, [*items, *self._running(2)])

    def _failed(self, error: BaseException) -> None:
        try:
            value = self.callback.glue.failed(self, error)
            self._finish(value)
        except BaseException as unhandled:
            self._end_running()
            self.engine.report(self, unhandled)

    def _running(self, which: int) -> list[Item]:
        return [self.item(row[0].key, row[which]) for row in self.callback.running]

    def _show_running(self, which: int) -> None:
        items = self._running(which)
        if items:
            self.engine.store(items, self.child)

    def _end_running(self) -> None:
        try:
            self._show_running(2)
        except DashDevicesError as error:
            logger.error("%s: running= %s", self.name, error)

    def _ended(self) -> None:
        self.engine.call_ended(self)
        for chain, held in self.waiting_on:
            with self.engine.lock:
                self.engine.waits.count(held, self.callback.lane, -1)
            chain.leave()
        self.waiting_on = []


def loop_text(cause: Cause) -> str:
    """The names of the callbacks that went round, for the log."""
    names = [callback.name for callback, _ in cause.ancestors]
    start = len(names) - 1 - names[-2::-1].index(names[-1]) - 1 if names[-1] in names[:-1] else 0
    return " -> ".join(names[max(start, len(names) - 8) :])


def output_ids(callback: SharedCallback) -> list[str]:
    """The outputs as ``callback_authorize_output`` is asked about them."""
    if callback.none_output is not None:
        return [f"_none.{callback.none_output}"]
    return [str(output) for output in callback.outputs]
