"""Who is there: clients join and leave, and the app's connect callbacks are told, in order for each client."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable
from typing import Any

from .calls import Cause
from .clients import Client, Clients
from .engine import Engine
from .lanes import run_as_call
from .sessions import Session, Sessions
from .shared import Key
from .threads import in_thread

logger = logging.getLogger("dash_devices.clients")

ConnectCallback = Callable[[Client, bool], Any]


class Presence:
    """The clients that have joined and not left.

    Attributes:
        clients: the table that authors see.
        joined: their sessions, by token; changed under the engine's lock.
        connect_callbacks: called with a client and True or False, after the table changed.
        forgotten: called with the sessions of tabs that will not come back.
        is_durable: is this property named as durable, so that its value stays though no page shows it?
        push_to_page: what a truthy return value of a connect callback is handed to.
    """

    def __init__(self, engine: Engine, sessions: Sessions, leave_after: float) -> None:
        self.clients = Clients()
        self.joined: dict[str, Session] = {}
        self.connect_callbacks: list[ConnectCallback] = []
        self.push_to_page: Callable[[Any, Client], Any] = lambda mods, client: None
        self.forgotten: Callable[[list[Session]], object] = lambda sessions: None
        self._engine = engine
        self._sessions = sessions
        self._leave_after = leave_after
        self.is_durable: Callable[[Key], bool] = lambda key: False
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    def join(self, session: Session) -> None:
        """The socket of a tab is up: it joins, unless it only came back in time."""
        timer = self._leaving.pop(session.token, None)
        if timer is not None:
            timer.cancel()
        client = session.client
        client.connected = True
        if session.joined:
            return
        session.joined = True
        with self._engine.lock:
            self.joined[session.token] = session
        client.connect_time = time.time()
        self.clients.add(client)
        self._tell_connect(client, True)

    def leave_later(self, session: Session, loop: asyncio.AbstractEventLoop) -> None:
        """The socket was lost: the client leaves unless it is back in time."""
        self._leaving[session.token] = loop.call_later(self._leave_after, self.leave, session)

    def leave(self, session: Session) -> None:
        """The client leaves now."""
        self._leaving.pop(session.token, None)
        with self._engine.lock:
            self.joined.pop(session.token, None)
            session.known = self._engine.components.forget_private(session.token)
            self._engine.startup.look(Cause(quiet=True, behalf=session.client))
            session.outbox.clear()  # it is not read any more
        if session.joined:
            session.joined = False
            self.clients.remove(session.client)
            self._tell_connect(session.client, False)
        self.forgotten(self._sessions.left(session, time.monotonic()))

    def forget_absent(self) -> None:
        """Drop the values of dict ids that no page shows any more, as far as they are not kept; see `absent`."""
        engine = self._engine
        with engine.lock:
            gone = engine.components.absent.settle(engine.shared, engine.components.__contains__, self.is_durable)
            if not gone:
                return
            engine.shared.forget(gone)
            engine.access.forget(gone)
            engine.metrics["ids_forgotten"] += len(gone)
        engine.changed()

    def post(self, message: bytes, to: Callable[[Session], bool] = lambda session: True) -> None:
        """A message for every page that is there; or for some of them."""
        with self._engine.lock:
            for session in filter(to, self.joined.values()):
                session.outbox.post(message)
        self._engine.changed()

    def clear(self) -> None:
        """The server stops: nobody is there any more, and nobody is told."""
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()
        for session in self.joined.values():
            session.joined = False
            self.clients.remove(session.client)
        self.joined.clear()

    def _tell_connect(self, client: Client, connect: bool) -> None:
        if not self.connect_callbacks:
            return
        call, future = run_as_call(lambda: self._run_connect(client, connect), f"connect callbacks of {client.id}")
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._engine.lanes.submit(f"connect {client.id}", call)

    async def _run_connect(self, client: Client, connect: bool) -> None:
        for function in list(self.connect_callbacks):
            try:
                if inspect.iscoroutinefunction(function):
                    mods = await function(client, connect)
                else:
                    mods = await in_thread(self._engine.lanes.threads, lambda f=function: f(client, connect))  # type: ignore[misc]
                if connect and mods:
                    self.push_to_page(mods, client)
            except Exception:
                logger.exception("connect callback %s failed for client %s", function.__qualname__, client.id)
