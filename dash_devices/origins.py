"""Which web pages may open a socket here: those that came from this very server, and those it was told of."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTP_OF = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


def parse_origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an ``Origin`` header; None for ``null`` and for anything that is not just that."""
    try:
        parts = urlsplit(text)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    if parts.path or parts.query or parts.fragment:
        return None
    return parts.scheme, parts.hostname, port


def origin_allowed(
    origin: str | None, *, scheme: str, host: str | None, cookies: bool, allowed: Collection[str] = ()
) -> bool:
    """May this origin open a socket?

    Args:
        origin: the ``Origin`` header; a browser always sends one.
        scheme: ``ws`` or ``wss``, as this server was reached.
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
