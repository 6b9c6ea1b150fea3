"""Who asks: what an ``authenticate`` function is given, and what it may answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

IDENTITY = "dash_devices.identity"
"""Key of an ASGI scope under which the gate leaves what the authenticate function answered."""


@dataclasses.dataclass(frozen=True, slots=True)
class AuthRequest:
    """A request that wants in: a page's socket, or anything over HTTP. Nothing of it was acted upon yet.

    Attributes:
        method: ``GET`` for a socket.
        path: without the query.
        query: as it came, without the question mark.
        headers: by lower-case name; several of one name are joined with a comma.
        cookies: by name.
        address: of the client; behind ``trusted_proxies``, the one that they name.
        scheme: ``http`` or ``https``, as the browser sees it.
        host: the ``Host`` header, which is one of the allowed hosts.
        is_socket: does it ask for a WebSocket?
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    address: str
    scheme: str
    host: str
    is_socket: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Refuse:
    """An answer of an authenticate function: not this one.

    Attributes:
        status: of the HTTP answer, 400 to 599; a page's socket is refused with it, too.
        location: where a browser is sent instead (303) when it asks for a page.
        reason: what the answer says, in plain text. Not for secrets.
    """

    status: int = 401
    location: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if not 400 <= self.status < 600:
            raise ValueError(f"Refuse: status: expected 400 to 599, got {self.status}; location= sends elsewhere")


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom the server knows: ``client.authentication`` of his pages.

    Attributes:
        username: also ``client.username``.
        roles: any iterable of names.
        expires: seconds since 1970 at which his sockets are closed; None: never.
        session: which login it was, for logging out.
        proof: changes with the password or token that a login was made with; None: it was made by no login of ours.
    """

    username: str
    roles: Iterable[str] = frozenset()
    expires: float | None = dataclasses.field(default=None, compare=False)
    session: str | None = dataclasses.field(default=None, compare=False, repr=False)
    proof: str | None = dataclasses.field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.roles, str):
            raise TypeError(
                f"Identity {self.username!r}: roles: expected several names, got {self.roles!r}; write a list"
            )
        object.__setattr__(self, "roles", frozenset(self.roles))


def username_of(identity: Any) -> str | None:
    """The name in whatever an authenticate function answered: a string, an attribute ``username``, or an item of it."""
    if identity is None or isinstance(identity, str):
        return identity
    found = identity.get("username") if isinstance(identity, Mapping) else getattr(identity, "username", None)
    return found if isinstance(found, str) else None


def is_same_person(one: Any, other: Any) -> bool:
    """May the tab of ``one`` be taken over by ``other``? By the names, where there are any."""
    name = username_of(one)
    return bool(name == username_of(other)) if name is not None else bool(one == other)
