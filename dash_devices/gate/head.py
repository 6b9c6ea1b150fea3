"""The head of a request, read once: what the rules look at."""

from __future__ import annotations

from collections.abc import MutableMapping
from types import MappingProxyType
from typing import Any

from werkzeug.http import parse_cookie

from ..identity import AuthRequest

Scope = MutableMapping[str, Any]


class Head:
    """Method, path and headers of an ASGI scope.

    Attributes:
        root: the prefix of a proxy in front, without a slash at its end.
        headers: all values of each lower-case name.
        size: bytes of all headers.
        target: bytes of path and query.
    """

    def __init__(self, scope: Scope) -> None:
        self.is_socket = scope["type"] == "websocket"
        self.method: str = scope.get("method", "GET")
        self.path: str = scope["path"]
        self.root: str = scope.get("root_path", "").rstrip("/")
        self.query: str = scope.get("query_string", b"").decode("latin-1")
        self.scheme: str = scope.get("scheme", "http")
        client = scope.get("client")
        self.address: str = client[0] if client else ""
        self.headers: dict[str, list[str]] = {}
        self.size = 0
        for name, value in scope["headers"]:
            self.size += len(name) + len(value)
            self.headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        self.target = len(scope.get("raw_path") or self.path.encode()) + len(self.query)

    def first(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return self.headers.get(name, ("",))[0]

    @property
    def route(self) -> str:
        """The path without the prefix of a proxy."""
        return self.path.removeprefix(self.root) if self.path.startswith(f"{self.root}/") else self.path

    @property
    def is_secure(self) -> bool:
        """Did the browser come over TLS?"""
        return self.scheme in ("https", "wss")

    @property
    def is_navigation(self) -> bool:
        """Does somebody open a page? By what the browser says, else by what it would like to have."""
        mode = self.first("sec-fetch-mode")
        wants_page = mode == "navigate" if mode else "text/html" in self.first("accept")
        return wants_page and self.method in ("GET", "HEAD") and not self.is_socket

    @property
    def cookies(self) -> dict[str, str]:
        """By name; of two with one name the first."""
        return dict(parse_cookie("; ".join(self.headers.get("cookie", ()))).items())

    def request(self) -> AuthRequest:
        """What an authenticate function is shown."""
        return AuthRequest(
            method=self.method,
            path=self.path,
            query=self.query,
            headers=MappingProxyType({name: ", ".join(values) for name, values in self.headers.items()}),
            cookies=MappingProxyType(self.cookies),
            address=self.address,
            scheme="https" if self.is_secure else "http",
            host=self.first("host"),
            is_socket=self.is_socket,
        )
