"""What pages say of shared properties: checked, then stored and run, or refused with the server's value."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from . import codec
from .calls import OWN, Cause, Item
from .content import Contents, Refused
from .engine import Engine
from .errors import ModsError, ProtocolError, TooComplexError
from .limits import PageLimits
from .naming import keys_of
from .own_reports import OwnReports
from .patches import is_patch
from .protocol import Change, Mount, Nack, Triple
from .registry import SharedCallback
from .sessions import Session
from .shared import Key

if TYPE_CHECKING:
    from .journal import Journal

logger = logging.getLogger("dash_devices.clients")

MAX_ANSWER_BYTES = 4_096  # of values in a refusal
TOO_COMPLEX = "the value is nested too deeply or has too many parts"


@dataclasses.dataclass(frozen=True, slots=True)
class Arrived:
    """A change that was checked.

    Attributes:
        page: the page load that it came from.
        refused: what is wrong with it.
        has_results: do callbacks with outputs listen to it?
        same: the seq at which the server holds these values already; None: it is to be stored.
    """

    session: Session
    page: str
    change: Change
    keys: list[Key]
    items: list[Item]
    refused: Refused | None
    has_results: bool = False
    same: int | None = None


class Intake:
    """Takes or refuses what pages report.

    Attributes:
        max_change_age: seconds after which a change that arrives for the first time is refused; None: never.
        journal: the durable state, if there is one.
    """

    def __init__(
        self, engine: Engine, age: Callable[[Session, float], float], limits: PageLimits = PageLimits()
    ) -> None:
        """``age``: seconds since a page made a change, from its session and its own clock in milliseconds."""
        self.engine = engine
        self.limits = limits
        self.max_change_age: float | None = 5.0
        self.journal: Journal | None = None
        self._age = age
        self._contents = Contents(engine.registry, limits)
        self._own_reports = OwnReports(engine)

    def start(self) -> None:
        """The server runs: no change waits for the disk yet."""
        self._own_reports = OwnReports(self.engine)

    def change(self, session: Session, change: Change, size: int) -> None:
        """Watched properties got new values in a page. ``size``: bytes of the frame."""
        if self._is_new(session, change.n):
            with self.engine.lock:
                self._enter(self._arrived(session, change, size))

    def refuse_unread(self, session: Session, error: TooComplexError) -> None:
        """A change or a request was too complex to be decoded: nobody knows what it was about, so the page is told all again."""
        if error.kind == "request":
            text = orjson.dumps(str(error))
            session.outbox.post(codec.reply(error.number, 413, {"content-type": "text/plain"}, text))
        elif self._is_new(session, error.number):
            change = Change(error.number, [], [], 0.0)
            with self.engine.lock:
                refused = Refused(Nack.TOO_COMPLEX, TOO_COMPLEX)
                self._enter(Arrived(session, session.page, change, [], [], refused))

    def _is_new(self, session: Session, n: int) -> bool:
        """Is it the next number? What was handled before is answered as it was then."""
        expected = session.taken + 1
        if n > max(expected, session.unsure + 1):
            raise ProtocolError(f"change.n: expected {expected}, got {n}; number changes one by one")
        if n > session.taken:
            return True
        with self.engine.lock:
            session.answer_again(n)  # one that waits for the disk has no answer yet
        return False

    def _enter(self, arrived: Arrived) -> None:
        """A change takes its number: it is settled now, or when it is on disk, and always behind those before it."""
        session = arrived.session
        session.taken = arrived.change.n
        is_news = not arrived.refused and arrived.same is None
        waits = self.journal is not None and is_news and self.journal.waits(arrived.keys)
        if self.journal is None or not (waits or session.waiting):
            self._settle(arrived)
            return
        session.waiting += 1
        self._own_reports.waits(arrived.keys, arrived.page)
        items = arrived.items if waits else ()
        self.journal.write(session, session.taken, items, partial(self._written, arrived, waits))

    def _arrived(self, session: Session, change: Change, size: int) -> Arrived:
        keys = keys_of(change.values)
        items, refused, has_results = [], None, False
        try:
            listeners = self._check(session, keys, change, size)
            if change.base is not None and (same := self._own_reports.seq_of_same(session, change, keys)) is not None:
                return Arrived(session, session.page, change, keys, [], None, same=same)
            self._check_lanes(listeners)
            reports = self._own_reports
            if outdated := reports.overtaken(session, change, keys) or reports.outdated(session, change, keys):
                raise outdated
            has_results = any(callback.outputs for callback in listeners)
            self._check_storage(session, change.n, keys)
            self._check_age(session, change.at)
            items = [Item(key, orjson.dumps(value)) for key, (_, _, value) in zip(keys, change.values, strict=True)]
            if not all(self.engine.components.absent.takes(item.key, len(item.encoded)) for item in items):
                raise Refused(Nack.TOO_BIG, "the components that only pages have announced hold too much")
        except Refused as reason:
            refused = reason.with_traceback(None)  # it would hold on to the frame of bytes until the collector comes
        return Arrived(session, session.page, change, keys, items, refused, has_results)

    def _written(self, arrived: Arrived, waits: bool, trouble: str) -> None:
        """A change is on disk, or cannot get there; or was only behind such a one."""
        arrived.session.waiting -= 1
        self._own_reports.settled(arrived.keys, arrived.page)
        if trouble and waits:
            arrived = dataclasses.replace(arrived, refused=_not_kept(trouble))
        with self.engine.lock:
            self._settle(arrived)
        self.engine.changed()  # an answer is to be sent, also where nothing was stored

    def _settle(self, arrived: Arrived) -> None:
        refused = arrived.refused or self._take(arrived)
        if refused is not None:
            self._refuse(arrived, refused)

    def _take(self, arrived: Arrived) -> Refused | None:
        session, change = arrived.session, arrived.change
        seq = arrived.same
        if seq is None:
            # asked again: it may have waited for the disk
            if outdated := self._own_reports.outdated(session, change, arrived.keys):
                return outdated
            cause = Cause(client=session.client, state=self._state(session, change.state, change.is_suspect))
            try:
                seq = self.engine.store(arrived.items, cause, origin=arrived.page)
            except ModsError as error:  # points that fit no figure: found before anything was stored
                return Refused(Nack.BAD_VALUE, str(error))
        self.engine.metrics["changes"] += 1
        if session.page != arrived.page:
            return None  # it was loaded anew meanwhile
        # the lock is held: nothing that the change caused can be posted before its answer
        session.acknowledge(change.n, codec.ack(change.n, seq), patient=arrived.has_results)
        unsent = [key for key in arrived.keys if key in self.engine.events or not session.outbox.may_read(key)]
        session.outbox.reported.update(dict.fromkeys(unsent, seq))
        return None

    def _state(self, session: Session, said: Iterable[Triple], is_suspect: bool) -> dict[Key, Any]:
        """What the page says it shows. Of what it may not say the server knows better."""
        said = list(said)
        state = {key: value for key, (_, _, value) in zip(keys_of(said), said, strict=True)}
        return {key: state[key] if self._may_say(session, key, state[key], is_suspect) else OWN for key in state}

    def _may_say(self, session: Session, key: Key, value: Any, is_suspect: bool) -> bool:
        """Is it data, of what the page may change and read?"""
        is_data = not is_suspect or self._contents.is_data(key, value)
        return is_data and self.engine.access.may_change(session.client, key) and session.outbox.may_read(key)

    def _refuse(self, arrived: Arrived, refused: Refused) -> None:
        session, n = arrived.session, arrived.change.n
        self.engine.metrics["changes_outdated" if refused.code == Nack.OUTDATED else "changes_refused"] += 1
        found = [entry for key in arrived.keys if (entry := self.engine.shared.get(key)) is not None]
        entries = session.outbox.shown(found)
        values = [entry.triple for entry in entries]
        is_quiet = refused.code == Nack.OUTDATED  # this happens in daily use, and the newer value is on its way
        if is_quiet or sum(map(len, values)) > MAX_ANSWER_BYTES:  # the mods tell them in any case, see Session.refuse
            values = []
        encode = partial(codec.refusal, n, self.engine.shared.seq, refused.code, str(refused))
        if session.page == arrived.page:
            kept = encode([])
            session.refuse(n, encode(values) if values else kept, [entry.key for entry in entries], kept)
            if refused.code == Nack.TOO_COMPLEX and not arrived.keys:
                session.outbox.start_over()  # behind the answer: before it, the page may hold back what it is sent
        second = int(time.monotonic())
        if session.complained != second and not is_quiet:  # one line a second: the log must not fill the disk
            session.complained = second
            logger.warning("client %s: change refused (%s): %r", session.client, refused.code, str(refused))

    def _check(self, session: Session, keys: list[Key], change: Change, size: int) -> list[SharedCallback]:
        """Raises Refused for a change that is not taken; returns the callbacks that listen."""
        for key in (different := dict.fromkeys(keys)):
            if not self.is_there(key) or not self.engine.access.may_change(session.client, key):
                raise Refused(Nack.NOT_FOUND, f"{key[0][:200]}.{key[1][:200]} is not a shared control")
        values = change.values
        listeners = [invocation.callback for invocation in self.engine.registry.invocations(different)]
        if size > self.limits.change_bytes and len(orjson.dumps(values)) > (limit := self._change_limit(listeners)):
            raise Refused(Nack.TOO_BIG, f"the value is larger than {limit} bytes")
        if self._contents.is_too_complex(values):
            raise Refused(Nack.TOO_COMPLEX, TOO_COMPLEX)
        if change.is_suspect:
            for key, (_, _, value) in zip(keys, values, strict=True):
                self._contents.check(key, value)
        return listeners

    def _check_lanes(self, listeners: Iterable[SharedCallback]) -> None:
        if (full := self.engine.full_lane(listeners)) is not None:
            raise Refused(Nack.BUSY, self._busy_text(full))

    def _check_storage(self, session: Session, n: int, keys: list[Key]) -> None:
        waits = self.journal is not None and self.journal.waits(keys)
        if self.journal is not None and waits and self.journal.trouble:
            raise _not_kept(self.journal.trouble)
        if not waits and n <= session.unsure:
            raise Refused(Nack.UNCONFIRMED, "the server restarted before it confirmed this change; make it again")

    def _check_age(self, session: Session, at: float) -> None:
        if self.max_change_age is None or (age := self._age(session, at)) <= self.max_change_age:
            return
        self.engine.metrics["too_old"] += 1
        raise Refused(Nack.TOO_OLD, f"this change is {age:.0f} s old; it was not carried out")

    def _busy_text(self, callback: SharedCallback) -> str:
        waiting = self.engine.lanes.lane(callback.lane).waiting
        return f"{callback.name} has {waiting} calls waiting; most_recent=True would keep only the newest"

    def _change_limit(self, listeners: Iterable[SharedCallback]) -> int:
        limits = [callback.max_change for callback in listeners]
        return max([self.limits.change_bytes, *(limit for limit in limits if limit is not None)])

    def _may_adopt(self, session: Session, key: Key, value: Any, size: int, is_suspect: bool) -> bool:
        listeners = (one.callback for one in self.engine.registry.invocations([key]))
        if size > self.limits.change_bytes and size > self._change_limit(listeners):
            return False
        return self._may_say(session, key, value, is_suspect) and self.engine.components.absent.takes(key, size)

    def is_there(self, key: Key) -> bool:
        """Is it watched, and - for a dict id - does the server or a page show such a component?"""
        return self.engine.registry.is_watched(key) and self._is_shown(key[0])

    def _is_shown(self, id: str) -> bool:
        return not id.startswith("{") or id in self.engine.components

    def mount(self, session: Session, mount: Mount) -> None:
        """Watched properties appeared in a page: adopted where the server has no value, else the page gets the server's."""
        if self._contents.is_too_complex(mount.values) or any(is_patch(value) for _, _, value in mount.values):
            raise ProtocolError(
                "mount.values: expected plain values, got a Patch, or one nested too deeply or too large"
            )
        with self.engine.lock:
            values = [(key, value) for key, (_, _, value) in zip(keys_of(mount.values), mount.values, strict=True)]
            watched = [(key, value) for key, value in values if self.engine.registry.is_watched(key)]
            # components of others are made known by those who may use them: it makes their callbacks run
            mine = [key[0] for key, _ in watched if self.engine.access.allows(session.client, key)]
            self.engine.components.add_private(session.token, mine)
            state = self._state(session, mount.state or (), mount.is_suspect)
            cause = Cause(client=session.client, state=state, quiet=True)
            adopted = []
            for key, value in watched:
                if not self._is_shown(key[0]) or key in self.engine.events or not session.outbox.may_read(key):
                    continue  # more than a page may make known; no state; not for this page
                entry = self.engine.shared.get(key)
                encoded = orjson.dumps(value)
                size, is_suspect = len(encoded), mount.is_suspect
                if entry is None and value is not None and self._may_adopt(session, key, value, size, is_suspect):
                    adopted.append(Item(key, encoded))
                elif entry is not None and entry.encoded != encoded:
                    session.outbox.again.whole.add(key)
            if adopted:
                # no page is its origin: this one gets it too, and with it the seq, which no ack tells
                self.engine.store(adopted, cause)
            # such a run has no client: where clients are asked about, it takes nothing that one of them said
            told = {} if self.engine.authorize else cause.state
            self.engine.startup.look(cause=Cause(state=told, quiet=True, behalf=session.client))


def _not_kept(trouble: str) -> Refused:
    return Refused(Nack.STORAGE, f"it cannot be kept ({trouble}); nothing was changed")
