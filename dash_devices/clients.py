"""Who is there: one `Client` per open page, in a table that any thread may read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, overload

from .log_text import printable


class Client:
    """One open page (one tab). Add any attribute you like; it is kept while the tab may come back (10 minutes).

    Attributes:
        id: public name of the tab.
        connect_time: when it joined, in seconds since the epoch.
        address: IP address of the peer, empty when unknown.
        host: the ``Host`` header.
        origin: the ``Origin`` header, or None.
        user_agent: the ``User-Agent`` header, empty when there is none.
        connected: is its socket up? A short drop does not make it leave.
        authentication: whom the gate let in; else None until your code sets it.
        username: the name of that one; likewise.
    """

    def __init__(
        self, id: str, *, address: str = "", host: str = "", origin: str | None = None, user_agent: str = ""
    ) -> None:
        self.id = id
        self.connect_time = time.time()
        self.address = address
        self.host = host
        self.origin = origin
        self.user_agent = user_agent
        self.connected = False
        self.authentication: Any = None
        self.username: str | None = None

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"client {self.__dict__.get('id', '?')}: no attribute {name!r}; set it before you read it")

    def __str__(self) -> str:
        who = f"{printable(str(self.username))}@" if self.username else ""
        return f"{self.id} ({who}{self.address or 'unknown address'}{'' if self.connected else ', not connected'})"

    def __repr__(self) -> str:
        return f"<Client {self}>"


class Clients:
    """The clients that have joined and not left: ordered by joining, sized, iterable, indexable.

    Readers in any thread see one consistent table: it is replaced, never changed in place.
    """

    def __init__(self) -> None:
        self._table: tuple[Client, ...] = ()

    def add(self, client: Client) -> None:
        """A client joins."""
        self._table = (*(other for other in self._table if other is not client), client)

    def remove(self, client: Client) -> None:
        """A client leaves; nothing happens when it is not there."""
        self._table = tuple(other for other in self._table if other is not client)

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Client]:
        return iter(self._table)

    def __contains__(self, client: object) -> bool:
        return any(client is other or client == other.id for other in self._table)

    @overload
    def __getitem__(self, index: int | str) -> Client: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Client, ...]: ...
    def __getitem__(self, index: int | str | slice) -> Client | tuple[Client, ...]:
        """By place (``clients[0]``), by slice, or by id (``clients["t1"]``)."""
        if isinstance(index, str):
            for client in self._table:
                if client.id == index:
                    return client
            raise KeyError(f"no client {index!r}; there are {len(self._table)}")
        return self._table[index]

    def __str__(self) -> str:
        return "\n".join(map(str, self._table)) or "no clients"
