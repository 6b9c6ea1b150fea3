"""Questions of the server to a page: what is this property in your page now?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import codec, protocol
from .sessions import Session

Done = Callable[[dict[str, Any] | None], object]


class Asks:
    """The open questions. On the event loop only."""

    def __init__(self) -> None:
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

    def answered(self, session: Session, ref: int, values: dict[str, Any]) -> None:
        """A page answered; an answer that nobody asked this page for is ignored."""
        owner, done = self._open.get(ref, ("", None))
        if owner == session.token and done is not None:
            del self._open[ref]
            done(values)

    def drop(self, session: Session) -> None:
        """The page is gone: its questions stay without answer."""
        for ref, (owner, done) in list(self._open.items()):
            if owner == session.token:
                del self._open[ref]
                done(None)
