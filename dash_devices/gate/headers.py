"""Headers of every response: what browsers must not do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from .head import Head

Headers = list[tuple[bytes, bytes]]
Csp = Mapping[str, Iterable[str]]

ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    # of a form that is sent under "no-referrer", browsers write "Origin: null"
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
FRAMES = "frame-ancestors"
POLICY: dict[str, tuple[str, ...]] = {
    "default-src": ("'self'",),
    "script-src": ("'self'",),
    "style-src": ("'self'", "'unsafe-inline'"),  # Dash's components write style attributes
    "img-src": ("'self'", "data:", "blob:"),
    "media-src": ("'self'", "data:", "blob:"),
    "font-src": ("'self'", "data:"),
    "worker-src": ("'self'", "blob:"),
    "connect-src": ("'self'",),
    "object-src": ("'none'",),
    "base-uri": ("'none'",),
    "form-action": ("'self'",),
    FRAMES: ("'self'",),
}
"""What pages may load and do; `policy` adds to it."""

_DOCUMENTS = (b"text/html", b"image/svg", b"application/xml", b"text/xml", b"application/xhtml")
_STATE = (b"application/json", b"text/html", b"text/plain")


def policy(*more: Csp) -> str:
    """The Content-Security-Policy: `POLICY` with sources added. ``'none'`` gives way to anything that is added."""
    made = {name: dict.fromkeys(sources) for name, sources in POLICY.items()}
    for name, sources in ((name, sources) for each in more for name, sources in each.items()):
        wanted = [sources] if isinstance(sources, str) else list(sources)
        kept = made.setdefault(name, dict.fromkeys(POLICY["default-src"] if name.endswith("-src") else ()))
        if wanted:
            kept.pop("'none'", None)
        kept.update(dict.fromkeys(wanted))
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in made.items())


class SafeHeaders:
    """Adds the headers. What an author set himself stays.

    Args:
        document_policy: the policy of a page that is asked for; None: none at all.
        is_private: has one to log in? Then no page is kept by the browser's history either.
    """

    def __init__(self, document_policy: Callable[[], str | None], is_private: Callable[[], bool]) -> None:
        self._document_policy = document_policy
        self._is_private = is_private

    def add(self, message: MutableMapping[str, Any], head: Head) -> None:
        """To a response that starts."""
        headers: Headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        has = dict(headers)
        kind = has.get(b"content-type", b"")
        new = [*ALWAYS, *self._caching(kind)]
        document_policy = self._document_policy()
        if document_policy is not None:
            new.append((b"content-security-policy", self._policy(kind, document_policy, head).encode("latin-1")))
        message["headers"] = [*headers, *((name, value) for name, value in new if name not in has)]

    def _caching(self, kind: bytes) -> Headers:
        if not kind.startswith(_STATE):
            return []
        keeps = kind.startswith(b"text/html") and not self._is_private()
        return [(b"cache-control", b"no-cache" if keeps else b"no-store")]

    @staticmethod
    def _policy(kind: bytes, document_policy: str, head: Head) -> str:
        if not kind.startswith(_DOCUMENTS):
            return "; ".join(part for part in document_policy.split("; ") if part.startswith(FRAMES))
        # older browsers do not count the socket of the page's own host as 'self'
        own = f"{'wss' if head.is_secure else 'ws'}://{head.first('host')}"
        return document_policy.replace("connect-src 'self'", f"connect-src 'self' {own}", 1)
