"""The one gate: every request, over HTTP or for a socket, is refused here or let in with an identity. Deny by default."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..identity import IDENTITY, AuthRequest, Refuse, username_of
from ..origins import written_origin
from ..refusals import Refusals
from ..supervision import Watch
from ..threads import Threads, carried, in_thread, is_cancelling
from .head import Head, Scope
from .hosts import HostList
from .places import Place, Places
from .proxies import FORWARDED, TrustedProxies, parse_address
from .rules import Rules

if TYPE_CHECKING:
    from .login import Login

logger = logging.getLogger("dash_devices.gate")

AUTHENTICATE_SECONDS = 10.0
THREADS = (
    32  # for sync authenticate functions: not those of the callbacks, which a slow directory server would take away
)

Authenticate = Callable[[AuthRequest], Any]
OPEN = (
    "everybody who does can see it and move what it moves: add app.login({name: hash}), made with "
    "python -m dash_devices hash-password, or listen on 127.0.0.1 alone"
)
PLACE = "dash_devices.place"
"""Key of a socket's scope under which its `Place` stands."""


class Gate:
    """Decides about requests of one app. On the event loop only.

    Args:
        metrics: where refusals are counted.
        origins: further origins whose pages may come here.
        hosts: further names of this server.
        proxies: who may speak for others.
        most: sockets in all.
        most_each: sockets of one address.

    Attributes:
        told_open: was it said that everybody gets in?
    """

    def __init__(
        self,
        metrics: Counter[str],
        *,
        origins: Iterable[str] = (),
        hosts: Iterable[str] = (),
        proxies: Iterable[str] = (),
        most: int = 2_000,
        most_each: int = 64,
    ) -> None:
        self._metrics = metrics
        self.proxies = TrustedProxies(proxies)
        allowed = frozenset(map(written_origin, origins))
        self.hosts = HostList(hosts, allowed)
        self.rules = Rules(self.hosts, allowed)
        self.places = Places(most, most_each, self.proxies)
        self.refusals = Refusals(metrics)
        self.authenticators: list[Authenticate] = []
        self.login: Login | None = None
        self.watch = Watch(metrics)
        self._threads = Threads(THREADS, self.watch)
        self._told_forwarded = False
        self.told_open = False

    @property
    def is_guarded(self) -> bool:
        """Has a request to say who made it?"""
        return bool(self.authenticators)

    def unwrap(self, scope: Scope) -> Scope:
        """The scope as the client made it; see `TrustedProxies.unwrap`."""
        told = {**self.proxies.unwrap(scope), IDENTITY: None}  # nobody but us says who it is
        if FORWARDED in told and not self._told_forwarded:
            self._told_forwarded = True
            client = scope.get("client")
            logger.warning(
                "%s speaks for others (X-Forwarded-...), and is ignored: if it is your proxy, name it in trusted_proxies=",
                client[0] if client else "the peer",
            )
        self._warn_open(told)
        return told

    def _warn_open(self, scope: Scope) -> None:
        """Somebody else's server may listen anywhere: the first one who comes from afar tells."""
        client = scope.get("client")
        address = parse_address(client[0]) if client else None
        if self.told_open or self.is_guarded or address is None or address.is_loopback:
            return
        self.told_open = True
        logger.warning("%s reached this app, and %s", address, OPEN)

    def check(self, head: Head) -> Refuse | None:
        """Name, origin and form of a request, and whether there is room for a socket."""
        found = self.rules.refusal(head)
        if found is not None:
            return self._refused(*found, head)
        return self.check_places(head) if head.is_socket else None

    def check_places(self, head: Head) -> Refuse | None:
        """Is there room for one more socket?"""
        full = self.places.full(head.address)
        return None if full is None else self._refused("places", full, head)

    async def identify(self, head: Head) -> Any:
        """Ask who it is: what the first authenticate function that knows him answered, or a `Refuse`.

        A None of all of them refuses: a function that forgets to return must not open the door.
        """
        request, began = head.request(), self.places.revocations
        try:
            async with asyncio.timeout(AUTHENTICATE_SECONDS) as limit:
                answer = await self._ask_all(request)
        except Exception as error:
            slow = isinstance(error, TimeoutError) and limit.expired()
            if self.refusals.has_line():
                logger.error(
                    "authenticate: %s", "no answer in time" if slow else "failed", exc_info=None if slow else error
                )
            refuse = Refuse(503, reason="Nobody could tell in time who you are.") if slow else Refuse(500)
            return self._refused("error", refuse, head)
        if answer is None or self.places.was_revoked(username_of(answer), since=began):
            answer = self._unknown(head)
        return self._refused("login", answer, head) if isinstance(answer, Refuse) else answer

    async def _ask_all(self, request: AuthRequest) -> Any:
        for function in self.authenticators:
            answer = await self._ask(function, request)
            if isinstance(answer, bool) or (answer is not None and not answer):
                raise TypeError(f"{function!r}: expected None, who it is, or Refuse(...), got {answer!r}")
            if answer is not None:
                return answer
        return None

    async def _ask(self, function: Authenticate, request: AuthRequest) -> Any:
        if not inspect.iscoroutinefunction(function):
            answer = await in_thread(self._threads, lambda: function(request))
            return await self._awaited(answer) if inspect.isawaitable(answer) else answer
        return await self._awaited(function(request))

    @staticmethod
    async def _awaited(answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except BaseException as error:
            if is_cancelling(error):
                raise
            raise carried(error) from error.__cause__  # sys.exit() in there would end the server

    def _unknown(self, head: Head) -> Refuse:
        location = self.login.location(head) if self.login is not None and head.is_navigation else None
        return Refuse(401, location, "Please log in.")

    def _refused(self, why: str, refuse: Refuse, head: Head) -> Refuse:
        kind = "socket" if head.is_socket else head.method
        self._metrics["sockets_refused" if head.is_socket else "requests_refused"] += 1
        self.refusals.note(
            why,
            f"{kind} %s refused ({why}, {refuse.status}): host %s, origin %s, from %s",
            *(head.path, head.first("host"), head.headers.get("origin"), head.address),
        )
        return refuse

    def enter(self, head: Head, identity: Any) -> Place:
        """A socket is let in."""
        return self.places.take(head.address, identity)
