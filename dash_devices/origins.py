"""Which web pages may talk to this server: those that came from it, and those it was told of."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Collection

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTP_OF = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")  # a host whose last label is one is an IPv4 address, or nothing
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@/?#\\\s]+)(?::([1-9]\d{0,4}))?")


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """``name[:port]`` of a Host header or a URL, in the one form that browsers give it.

    Attributes:
        name: lower case; an IPv6 address without brackets, in its short form; a dot at the end stays.
        port: None where none was given.
    """

    name: str
    port: int | None

    @property
    def is_address(self) -> bool:
        """Is it an IP address?"""
        return ":" in self.name or self.name.rpartition(".")[2].isdigit()


def parse_host(text: str) -> Host | None:
    """The parts of ``name[:port]``; None for what no browser sends: userinfo, paths, blanks, odd forms of addresses."""
    found = _AUTHORITY.fullmatch(text.lower()) if text.isascii() else None
    if found is None or len(text) > 260:
        return None
    name, port = _canonical(found[1]), int(found[2]) if found[2] else None
    if name is None or (port or 1) > 65_535:
        return None
    return Host(name, port)


def _canonical(name: str) -> str | None:
    try:
        if name.startswith("["):
            return ipaddress.IPv6Address(name[1:-1]).compressed
        if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
            return ipaddress.IPv4Address(name).compressed
    except ValueError:
        return None
    return name if _NAME.fullmatch(name) else None


def parse_origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an ``Origin`` header; None for ``null`` and for anything that is not just that."""
    scheme, separator, rest = text.partition("://")
    host = parse_host(rest)
    if not separator or scheme.lower() not in _DEFAULT_PORTS or host is None:
        return None
    return scheme.lower(), host.name, host.port or _DEFAULT_PORTS[scheme.lower()]


def written_origin(text: str) -> str:
    """An origin that an author names, as browsers write it. Those of other schemes (``capacitor://..``) stay as they are.

    Raises:
        ValueError: no origin, but a URL, a bare name or the like.
    """
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() not in _DEFAULT_PORTS:
        return text
    name, colon, port = rest.rpartition(":") if re.search(r":\d+$", rest) else (rest, "", "")
    parsed = parse_origin(f"{scheme}://{ascii_name(name)}{colon}{port}")
    if parsed is None:
        raise ValueError(
            f"allowed_origins: expected an origin as 'https://lab.example' or 'http://lab:8050', got {text!r}"
        )
    host = f"[{parsed[1]}]" if ":" in parsed[1] else parsed[1]
    return f"{parsed[0]}://{host}" + (f":{parsed[2]}" if parsed[2] != _DEFAULT_PORTS[parsed[0]] else "")


def ascii_name(name: str) -> str:
    """As browsers send it: names in other scripts become punycode."""
    return name if name.isascii() else name.encode("idna").decode()


def origin_allowed(
    origin: str | None, *, scheme: str, host: str | None, cookies: bool, allowed: Collection[str] = ()
) -> bool:
    """May a page of this origin open a socket, or change something?

    Args:
        origin: the ``Origin`` header; a browser always sends one.
        scheme: ``ws``, ``wss``, ``http`` or ``https``, as this server was reached.
        host: the ``Host`` header.
        cookies: did the request carry a cookie? Without an Origin that is refused: it is no script's own.
        allowed: further origins, exactly as browsers write them.
    """
    if origin is None:
        return not cookies
    if origin in allowed:
        return True
    theirs = parse_origin(origin)
    ours = parse_origin(f"{_HTTP_OF.get(scheme, scheme)}://{host}") if host else None
    return theirs is not None and theirs == ours
