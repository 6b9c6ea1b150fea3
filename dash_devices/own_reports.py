"""What components reported by themselves: a timer, a sensor, a repair of a value that does not fit any more.

Such a change must not undo what was stored after the seq at which the page stood, its base. One that says what the server
has already is no news. Changes that a person or a callback made have no base.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

from .content import Refused
from .engine import Engine
from .protocol import Change, Nack
from .sessions import Session
from .shared import Entry, Key

OUTDATED = "a newer value was stored before this one arrived"
COUNTER = re.compile(r"(^|_)n_")


class OwnReports:
    """Compares what components reported by themselves with what the server has. The caller holds the engine's lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: dict[Key, list[str]] = {}  # page loads with changes that wait for the disk

    def seq_of_same(self, session: Session, change: Change, keys: list[Key]) -> int | None:
        """The seq at which the server holds exactly the reported values; None where one of them is news.

        Values that were stored at different times have no such seq. A counter that two pages count up to the same number
        was counted twice.
        """
        seqs = set()
        for key, (_, _, value) in zip(keys, change.values, strict=True):
            entry = self._engine.shared.get(key)
            held = self._engine.value(key) if entry is None else entry.value
            is_last = key not in self._waiting and not COUNTER.search(key[1])
            if not (is_last and self._is_comparable(session, key) and is_same(held, value)):
                return None
            seqs.add(entry.seq if entry else 0)
        return seqs.pop() if len(seqs) == 1 else None

    def outdated(self, session: Session, change: Change, keys: Iterable[Key]) -> Refused | None:
        """The refusal, if another page or the server has stored one of these properties since the base of the change."""
        base, page = change.base, session.page
        if base is None or not any(
            self._is_newer(self._engine.shared.get(key), base, page)
            for key in keys
            if self._is_comparable(session, key)
        ):
            return None
        return Refused(Nack.OUTDATED, OUTDATED)

    def overtaken(self, session: Session, change: Change, keys: Iterable[Key]) -> Refused | None:
        """The refusal, if a change of another page to one of these properties came first and waits for the disk."""
        is_own = change.base is not None
        others = (other for key in keys for other in self._waiting.get(key, ()) if self._is_comparable(session, key))
        return Refused(Nack.OUTDATED, OUTDATED) if is_own and any(other != session.page for other in others) else None

    def _is_comparable(self, session: Session, key: Key) -> bool:
        """Events have no value, and what a page may not read it can neither confirm nor have seen."""
        return key not in self._engine.events and session.outbox.may_read(key)

    @staticmethod
    def _is_newer(entry: Entry | None, base: int, page: str) -> bool:
        return entry is not None and entry.seq > base and entry.origin != page

    def waits(self, keys: Iterable[Key], page: str) -> None:
        """A change of a page load waits for the disk: it comes before those that arrive after it."""
        for key in keys:
            self._waiting.setdefault(key, []).append(page)

    def settled(self, keys: Iterable[Key], page: str) -> None:
        """It waits no more."""
        for key in keys:
            self._waiting[key].remove(page)
            if not self._waiting[key]:
                del self._waiting[key]


def is_same(held: Any, value: Any) -> bool:
    """The same JSON value? 1 and 1.0 are, true and 1 are not."""
    if type(held) in (int, float) and type(value) in (int, float):
        return bool(held == value)
    return orjson.dumps(held, option=orjson.OPT_SORT_KEYS) == orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
