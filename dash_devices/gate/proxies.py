"""Who may speak for others: only from trusted proxies do we take a client's address, scheme, host and prefix."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FORWARDED = "dash_devices.forwarded"
"""Set in a scope whose peer speaks for others without being trusted to."""

_PREFIX = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)+")
_OTHERS = (b"x-real-ip", b"forwarded", b"x-script-name", b"remote-addr")


def parse_address(text: str) -> Address | None:
    """An IP address with or without brackets and port; IPv4 inside of IPv6 as IPv4; None for anything else."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(address: str) -> str:
    """What is counted as one: an address, in IPv6 a /64 network, which one subscriber has. Empty for no address."""
    parsed = parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed) if parsed is not None else ""


class TrustedProxies:
    """The proxies in front of this server.

    Args:
        given: addresses and networks (``10.0.0.0/8``); ``unix`` for whoever comes over a Unix socket.

    Raises:
        ValueError: something else.
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        names = [given] if isinstance(given, str) else list(given)
        self._unix = "unix" in names
        self._networks = [ipaddress.ip_network(name, strict=False) for name in names if name != "unix"]

    def trusts(self, address: str) -> bool:
        """Is this peer one of them? ``address``: empty for a Unix socket."""
        if not address or address == "<local>":
            return self._unix
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def unwrap(self, scope: Scope) -> Scope:
        """The scope as the client made it, if the peer is trusted; else without anything that speaks for others."""
        if not any(_speaks(name.lower()) for name, _ in scope["headers"]):
            return scope
        client = scope.get("client")
        if self.trusts(client[0] if client else ""):
            return self._believed(scope)
        headers = [(name, value) for name, value in scope["headers"] if not _speaks(name.lower())]
        return {**scope, "headers": headers, FORWARDED: True}

    def _believed(self, scope: Scope) -> Scope:
        said = _Said(scope)
        told = dict(scope)
        if (address := self._client(said)) is not None:
            told["client"] = (address, 0)
        if (scheme := said.last(b"x-forwarded-proto").lower()) in ("http", "https", "ws", "wss"):
            secure = scheme in ("https", "wss")
            told["scheme"] = (
                ("wss" if secure else "ws") if scope["type"] == "websocket" else ("https" if secure else "http")
            )
        if host := said.last(b"x-forwarded-host"):
            kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
            told["headers"] = [(b"host", host.encode("latin-1")), *kept]
        prefix = said.last(b"x-forwarded-prefix").rstrip("/")
        if _PREFIX.fullmatch(prefix) and not scope["path"].startswith(f"{prefix}/"):
            told |= {"root_path": prefix, "path": prefix + scope["path"], "raw_path": prefix.encode() + _raw(scope)}
        return told

    def _client(self, said: _Said) -> str | None:
        """The rightmost address that is not one of ours: what stands left of it, anybody may have written."""
        found = None
        for text in said.addresses():
            address = parse_address(text)
            if address is None:
                break
            found = str(address)
            if not self.trusts(found):
                break
        return found


class _Said:
    """The forwarded headers of a scope."""

    def __init__(self, scope: Scope) -> None:
        self._headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]

    def last(self, wanted: bytes) -> str:
        """What the proxy next to us said: the last one."""
        values = [value for name, value in self._headers if name == wanted]
        return values[-1].rpartition(",")[2].strip() if values else ""

    def addresses(self) -> Iterator[str]:
        """From the nearest to the farthest."""
        chain = ",".join(value for name, value in self._headers if name == b"x-forwarded-for")
        real = self.last(b"x-real-ip")
        yield from reversed(chain.split(",") if chain else [real] if real else [])


def _speaks(name: bytes) -> bool:
    return name.startswith(b"x-forwarded-") or name in _OTHERS


def _raw(scope: Scope) -> bytes:
    return bytes(scope.get("raw_path") or scope["path"].encode())
