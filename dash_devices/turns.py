"""The runs that the components of one page ask for begin a few at a time, in order, with everybody else's work in between.

A page may show, or say that it shows, thousands of components at once. Each may ask for a run of a shared callback that no
change triggered. All of them begin; those that wait begin as others end, with the values of then. Lanes wait for no other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from .calls import Cause, SharedCall
from .clients import Client
from .patterns import Anchor, Wild, expand
from .registry import Invocation, SharedCallback

if TYPE_CHECKING:
    from .engine import Engine

AT_ONCE = (
    16  # of one page in one lane (or without one): a thread that wants the interpreter lock delays the loop by 5 ms
)

Page = tuple[Client, str]
"""A page, and a lane."""

Place = tuple[SharedCallback, Anchor, bool]
"""What a run is of, and whether a value triggered it."""


class _Page:
    """The runs of one page. ``begun``: those under way, by callback and what MATCH stands for."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[Place, tuple[Invocation, Cause]] = (
            OrderedDict()
        )  # a dict is slow at its emptied front
        self.begun: set[tuple[SharedCallback, Anchor]] = set()
        self.is_releasing = False

    def next(self) -> Place | None:
        """The first that may begin: one after the other where they are the same, so that one with newer values ends last."""
        if len(self.begun) >= AT_ONCE:
            return None
        return next((place for place in self.waiting if place[:2] not in self.begun), None)


class Turns:
    """Begins the runs of all pages. The engine's lock covers every method.

    ``dropped`` is called with each run that does not begin any more, as its components have gone.
    """

    def __init__(self, engine: Engine, dropped: Callable[[Invocation], object]) -> None:
        self._engine = engine
        self._dropped = dropped
        self._pages: dict[Page, _Page] = {}

    def is_waiting(self, invocation: Invocation, cause: Cause) -> bool:
        """Does the same run wait already for this page?"""
        page = self._pages.get((cause.author, invocation.callback.lane)) if cause.author is not None else None
        return page is not None and _place(invocation) in page.waiting

    def ask(self, invocation: Invocation, cause: Cause) -> None:
        """A run is due. One that waits already stands for this one, too. Those of the server itself do not wait.

        Neither do those that a waiting push counts: it may come from one of the runs under way.
        """
        author = cause.author
        if author is None or cause.chain is not None:
            self._engine.queue(invocation, cause)
            return
        owner = (author, invocation.callback.lane)
        page = self._pages.setdefault(owner, _Page())
        place = _place(invocation)
        if place in page.waiting:
            earlier = page.waiting[place][0].triggered
            triggered = tuple(dict.fromkeys((*earlier, *invocation.triggered)))
            invocation = Invocation(invocation.callback, invocation.anchor, triggered)
        page.waiting[place] = (invocation, cause)
        self._release(owner, page)

    def ended(self, call: SharedCall) -> None:
        """A call is over: those that wait may begin."""
        for owner in call.turns_of:
            page = self._pages[owner]
            page.begun.discard((call.callback, call.anchor))
            self._release(owner, page)

    def _release(self, owner: Page, page: _Page) -> None:
        """Begin what may begin. A call that a full lane skips ends meanwhile, and asks for this again."""
        if page.is_releasing:
            return
        page.is_releasing = True
        try:
            while (place := page.next()) is not None:
                self._begin(owner, page, *page.waiting.pop(place))
        finally:
            page.is_releasing = False
        if not page.begun:
            self._pages.pop(owner, None)

    def _begin(self, owner: Page, page: _Page, invocation: Invocation, cause: Cause) -> None:
        if self._is_there(invocation):
            page.begun.add((invocation.callback, invocation.anchor))
            self._engine.queue(invocation, cause, turns_of=(owner,))
        else:
            self._dropped(invocation)

    def _is_there(self, invocation: Invocation) -> bool:
        """Does the server run, with one of the components that MATCH stands for?"""
        callback, components = invocation.callback, self._engine.components
        matched = [dep for dep in (*callback.outputs, *callback.inputs) if Wild.MATCH in dep.values]
        is_there = not matched or any(expand(dep, invocation.anchor, components) for dep in matched)
        return is_there and self._engine.running


def _place(invocation: Invocation) -> Place:
    return invocation.callback, invocation.anchor, bool(invocation.triggered)
