"""Values that the author's own code sends, reads, and to whom."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from dash._callback_context import context_value

from ..calls import SERVER, Cause, Item, current_call
from ..clients import Client, Clients
from ..components import id_text
from ..engine import Engine
from ..errors import ModsError
from ..hub import Hub
from ..lanes import current_lane
from ..mods import parse_mods
from ..sessions import Session


class Pushing:
    """What an app's code pushes and reads. A part of `Dash`."""

    _engine: Engine
    _hub: Hub

    def push_mods(self, mods: Any, client: Client | str | None = None, *, components: bool = False) -> int:
        """Send new property values to all pages, or to one. From any thread, any coroutine, any callback, any time.

        Args:
            mods: ``{id: {property: value}}``, an ``Output`` with a value, a list of those, or a list of
                ``{"id", "property", "value"}``.
            client: a client or its id: only its page gets them, and they are not kept.
            components: may there be components in them that are plain dicts? Not where a page may have written these.

        Threads that push without a pause would keep the event loop from its turn: when what was pushed is not sent after 5 ms,
        this waits until it is, 20 ms at most.

        Returns:
            The seq at which they stand.

        Raises:
            ModsError: another shape.
            UnserializableError: a value without a JSON form; nothing was sent.
            TooLargeError: a value with a JSON form longer than ``max_value=``; nothing was sent.
            ComponentsError: a component, or a Patch, that is a plain dict; nothing was sent.
        """
        items = self._items(mods, components)
        if client is None:
            seq = self._engine.store(items, self._cause()) if items else self._engine.shared.seq
        else:
            seq = self._hub.push_to(self._session(client), items, behalf=self._cause().author)
        self._hub.waker.give_way()
        return seq

    async def push_mods_coro(self, mods: Any, client: Client | str | None = None, *, components: bool = False) -> int:
        """Like `push_mods`; returns when all callbacks that it caused have run."""
        items = self._items(mods, components)
        if client is not None:
            return self._hub.push_to(self._session(client), items, behalf=self._cause().author)
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def ended() -> None:
            if not loop.is_closed():  # else nobody waits any more
                with contextlib.suppress(RuntimeError):  # it may be closed just now
                    loop.call_soon_threadsafe(done.set)

        seq = self._engine.push_and_wait(items, self._cause(waits=True), ended)
        if self._hub.loop is not None:
            await done.wait()
        return seq

    def _items(self, mods: Any, components: bool) -> list[Item]:
        return [self._engine.item(key, value, components=components) for key, value in parse_mods(mods)]

    @staticmethod
    def _cause(*, waits: bool = False) -> Cause:
        """A push from inside a callback belongs to its chain, but to no client; it is made on behalf of one."""
        call, own = current_call.get(), current_lane.get()
        if call is None:
            behalf = getattr(context_value.get(None), "client", None)  # of a regular callback
            held = frozenset({own}) if waits and own else frozenset[str]()
            return Cause(held=held, behalf=behalf) if held or behalf else SERVER
        held = call.cause.held | {call.callback.lane} - {""} if waits else call.cause.held
        return Cause(ancestors=call.child.ancestors, held=held, chain=call.cause.chain, behalf=call.cause.author)

    def _session(self, client: Client | str) -> Session:
        session = self._hub.session_of(client)
        if session is None:
            raise ModsError(
                f"client: expected one of app.clients or its id, got {client!r:.60}; it may be gone for good"
            )
        return session

    def get(self, id: Any, property: str) -> Any:
        """The server's value of a property, else what the layout gave it, else None. From any thread."""
        return self._engine.own((id_text(id), property))

    @property
    def clients(self) -> Clients:
        """The pages that are open."""
        return self._hub.clients

    @property
    def metrics(self) -> dict[str, int]:
        """Counters since the start, and the size of things now."""
        shared = self._engine.shared
        return {
            **self._engine.metrics,
            "clients": len(self.clients),
            "seq": shared.seq,
            "shared_properties": len(shared),
        }
