"""Questions of the server to a page: what is this property in your page now?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import codec, protocol, strict
from .refusals import Refusals
from .sessions import Session

Done = Callable[[dict[str, Any] | None], object]


class Asks:
    """The open questions. On the event loop only."""

    def __init__(self, faults: Refusals) -> None:
        self._faults = faults
        self._open: dict[int, tuple[str, Done]] = {}
        self._last_ref = 0

    def ask(self, session: Session, id: str, properties: list[str], done: Done) -> None:
        """Ask; ``done`` gets the values, or None when the page is gone."""
        if session.link is None or not properties:
            done(None if session.link is None else {})
            return
        self._last_ref += 1
        self._open[self._last_ref] = (session.token, done)
        session.outbox.post(codec.encode(protocol.Ask(self._last_ref, id, properties)))

    def answered(self, session: Session, answer: protocol.Answer) -> None:
        """A page answered; an answer to no question of ours is ignored, one with ``__proto__`` in it is none."""
        owner, done = self._open.get(answer.ref, ("", None))
        if owner != session.token or done is None:
            return
        del self._open[answer.ref]
        is_refused = answer.is_suspect and strict.names_prototype(answer.values)
        if is_refused:
            self._faults.note("prototype", "client %s: an answer names __proto__", session.client)
        done(None if is_refused else answer.values)

    def drop(self, session: Session) -> None:
        """The page is gone: its questions stay without answer."""
        for ref, (owner, done) in list(self._open.items()):
            if owner == session.token:
                del self._open[ref]
                done(None)
