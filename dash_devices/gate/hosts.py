"""By which names this server may be called.

A page of ``evil.example`` can have its own name point here after it was loaded (DNS rebinding): then its requests are of one
origin with us, and only the name in the Host header tells. An address cannot be pointed elsewhere, and our own names are not his.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from ..origins import Host, ascii_name, parse_host, parse_origin
from ..supervision import Watch


class HostList:
    """The names that are answered to.

    Args:
        allowed: further names, with or without a port; ``*.lab.example`` for all below it; ``*`` for any.
        origins: allowed origins; their hosts are allowed, too.
    """

    def __init__(self, allowed: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._any = False
        self._below: list[str] = [".localhost"]
        self._exact: set[tuple[str, int | None]] = {("localhost", None)}
        for name in allowed:
            self._add(name)
        for origin in origins:
            parsed = parse_origin(origin)
            if parsed is not None:
                self._exact.add((parsed[1].rstrip("."), None))
        self._add_own(socket.gethostname())

    def look_up(self, watch: Watch) -> None:
        """Find this machine's full name, in a thread of its own: the resolver may take seconds."""
        watch.thread("the name of this machine", self._full_name, "dash-devices-name").start()

    def __contains__(self, host: object) -> bool:
        if not isinstance(host, Host):
            return False
        name = host.name.rstrip(".")
        if self._any or host.is_address or {(name, None), (name, host.port)} & self._exact:
            return True
        return any(name.endswith(end) for end in self._below)

    def _add(self, text: str) -> None:
        if text == "*":
            self._any = True
            return
        name = text.removeprefix("*")
        host = parse_host(ascii_name(name.removeprefix(".")))
        if host is None:
            raise ValueError(
                f"allowed_hosts: expected a name as 'lab.example', '*.lab.example' or 'lab.example:8443', got {text!r}"
            )
        if name.startswith("."):
            self._below.append(f".{host.name.rstrip('.')}")
        else:
            self._exact.add((host.name.rstrip("."), host.port))

    def _add_own(self, name: str) -> None:
        host = parse_host(name)
        if host is not None:
            self._exact |= {(host.name, None), (f"{host.name.partition('.')[0]}.local", None)}

    def _full_name(self) -> None:
        own = socket.gethostname()
        name = socket.getfqdn(own)
        if name.lower().startswith(f"{own.lower().partition('.')[0]}."):
            self._add_own(name)
