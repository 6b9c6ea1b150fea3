"""The gate as the outermost ASGI application, for any server: nothing behind it sees a request that it refused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol

from ..identity import IDENTITY, Refuse
from .gate import PLACE, Gate
from .head import Head, Scope
from .headers import SafeHeaders
from .places import Place

MAX_DRAINED = 2**20  # bytes of a body that are read, and dropped, before a request is refused
DRAIN_SECONDS = 1.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


class Guarded(Protocol):
    """What the door needs of an app."""

    gate: Gate
    safe_headers: SafeHeaders

    @property
    def routes_prefix(self) -> str:
        """Where its routes begin."""


class Door:
    """One for each server, in front of all its apps.

    Args:
        app: what lies behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.apps: list[Guarded] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _of(self, path: str) -> Guarded:
        """Whose gate a path belongs to: the app with the longest prefix. What belongs to none is guarded if any app is."""
        fitting = [app for app in self.apps if path.startswith(app.routes_prefix)]
        if fitting:
            return max(fitting, key=lambda app: len(app.routes_prefix))
        return next((app for app in self.apps if app.gate.is_guarded), self.apps[0])

    # ---- HTTP ----------------------------------------------------------------------------------------------------------
    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        owner = self._of(Head(scope).route)
        gate, scope = owner.gate, owner.gate.unwrap(scope)
        head = Head(scope)

        async def safe_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                owner.safe_headers.add(message, head)
            await send(message)

        refuse = gate.check(head)
        if refuse is None and gate.login is not None and gate.login.serves(head.route):
            await gate.login.serve(head, receive, safe_send)
            return
        if refuse is None and gate.is_guarded:
            refuse = await self._identify(gate, head, scope)
        if refuse is None:
            await self.app(scope, receive, safe_send)
        else:
            await respond(safe_send, refuse, await _unread(scope, receive))

    @staticmethod
    async def _identify(gate: Gate, head: Head, scope: Scope) -> Refuse | None:
        identity = await gate.identify(head)
        if isinstance(identity, Refuse):
            return identity
        scope[IDENTITY] = identity
        return None

    # ---- sockets -------------------------------------------------------------------------------------------------------
    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        gate = self._of(Head(scope).route).gate
        scope = gate.unwrap(scope)
        head = Head(scope)
        refuse = gate.check(head)
        if refuse is None and gate.is_guarded:
            refuse = await self._identify(gate, head, scope)
        refuse = refuse or gate.check_places(head)  # others came while he was asked
        if refuse is not None:
            await refuse_socket(scope, receive, send, refuse)
            return
        place = scope[PLACE] = gate.enter(head, scope[IDENTITY])
        try:
            await self._run(place, scope, receive, send)
        finally:
            gate.places.leave(place)

    async def _run(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a socket until it ends, or until its place is taken away."""
        task = asyncio.ensure_future(self.app(scope, receive, send))
        verdict: list[tuple[int, str]] = []

        def close(code: int, reason: str) -> None:
            verdict.append((code, reason))
            task.cancel()

        place.close = close
        try:
            await task
        except asyncio.CancelledError:
            if not verdict:
                task.cancel()
                raise
            code, reason = verdict[0]
            with contextlib.suppress(RuntimeError, OSError):  # it may have gone by itself just now
                await send({"type": "websocket.close", "code": code, "reason": reason})


def plain(refuse: Refuse) -> tuple[int, list[tuple[str, str]], str]:
    """Status, headers and text of a refusal."""
    if refuse.location is not None:
        return 303, [("location", refuse.location)], "See there.\n"
    challenge = [("www-authenticate", "Bearer")] if refuse.status == 401 else []
    return refuse.status, challenge, f"{refuse.reason or 'Refused.'}\n"


async def _unread(scope: Scope, receive: Receive) -> list[tuple[str, str]]:
    """Headers for a refusal; a short body is read first, as a client that still sends would lose the answer."""
    is_read, left = False, MAX_DRAINED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0 and not is_read:
                message = await receive()
                left -= len(message.get("body", b""))
                is_read = not message.get("more_body", False)
    return [] if is_read or scope.get("http_version") == "2" else [("connection", "close")]


async def respond(
    send: Send, refuse: Refuse, more: Iterable[tuple[str, str]] = (), kind: str = "http.response"
) -> None:
    """Answer with a refusal."""
    status, headers, text = plain(refuse)
    all_headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"), *headers, *more]
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in all_headers]
    body = text.encode()
    await send(
        {"type": f"{kind}.start", "status": status, "headers": [*encoded, (b"content-length", b"%d" % len(body))]}
    )
    await send({"type": f"{kind}.body", "body": body})


async def refuse_socket(scope: Scope, receive: Receive, send: Send, refuse: Refuse) -> None:
    """Refuse a socket before it is accepted: with the status where the server lets us, else with its 403."""
    await receive()  # websocket.connect
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await respond(send, Refuse(refuse.status, None, refuse.reason), kind="websocket.http.response")
    else:
        await send({"type": "websocket.close", "code": 4403, "reason": refuse.reason})
