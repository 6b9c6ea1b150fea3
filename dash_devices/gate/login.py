"""The built-in login: a page with name and password, a signed cookie, tokens for scripts, and logging out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, quote

from werkzeug.http import dump_cookie

from ..identity import AuthRequest, Identity
from ..origins import parse_host
from ..refusals import Refusals
from .checks import Checks, CrowdedError
from .head import Head
from .page import POLICY, again_page, login_page, welcome_page
from .places import Places
from .proxies import network_of
from .rules import FOREIGN
from .throttle import Guesses
from .users import Users

logger = logging.getLogger("dash_devices.gate")

LOGIN, LOGOUT = "_dash-devices/login", "_dash-devices/logout"
MAX_FORM = 8_192  # bytes
FORM_SECONDS = 10.0
WRONG = "The name or the password is wrong."
_LOCAL = re.compile(
    r"/(?!/)[\x21-\x5b\x5d-\x7e]*"
)  # no backslash, no blanks: browsers make slashes of them, or drop them

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Login:
    """Login of one app.

    Args:
        users: who may.
        title: what the page is called; asked for each time.
        routes: prefix of the app's paths at this server.
        links: prefix of the same paths as the browser sees them.
        places: the open sockets.
        refusals: where wrong passwords are told of.
    """

    def __init__(
        self, users: Users, *, title: Callable[[], str], routes: str, links: str, places: Places, refusals: Refusals
    ) -> None:
        self.users = users
        self._title = title
        self._routes = routes
        self._links = links
        self._places = places
        self._refusals = refusals
        self._guesses = Guesses()
        self._checks = Checks()

    # ---- the gate's side -----------------------------------------------------------------------------------------------
    def serves(self, route: str) -> bool:
        """Is this one of the two paths that one reaches without being logged in?"""
        return route in (self._routes + LOGIN, self._routes + LOGOUT)

    def location(self, head: Head) -> str:
        """Where somebody is sent who opens a page without being logged in."""
        page = head.route.removeprefix(self._routes) + (f"?{head.query}" if head.query else "")
        return f"{self._link(head)}{LOGIN}?next={quote(self._link(head) + page, safe='/')}"

    async def authenticate(self, request: AuthRequest) -> Identity | None:
        """Who made the request, by its token or its cookie."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.users.of_token(token.strip())
        cookie = request.cookies.get(cookie_name(request.host, request.scheme))
        return self.users.of_cookie(cookie) if cookie else None

    # ---- its pages -----------------------------------------------------------------------------------------------------
    async def serve(self, head: Head, receive: Receive, send: Send) -> None:
        """Answer a request for one of its paths."""
        if head.method not in ("GET", "HEAD", "POST"):
            await _answer(send, 405, "Use the form.", ("allow", "GET, POST"))
        elif head.route == self._routes + LOGOUT:
            await self._serve_logout(head, send)
        elif head.method == "POST":
            await self._serve_form(head, receive, send)
        else:
            await self._serve_page(head, send)

    async def _serve_page(self, head: Head, send: Send) -> None:
        back = self._back(head, parse_qs(head.query).get("next", [""])[0])
        identity = await self.authenticate(head.request())
        if identity is None and head.first("sec-fetch-site") in FOREIGN:
            await _answer(send, 200, again_page(f"{self._link(head)}{LOGIN}?next={quote(back, safe='/')}"))
        elif identity is None:
            await _answer(send, 200, self._form(head, back))
        elif "next=" in head.query:
            await _answer(send, 303, "", ("location", back))
        else:
            link = self._link(head)
            page = welcome_page(self._title(), identity.username, app=link, logout=link + LOGOUT)
            await _answer(send, 200, page)

    async def _serve_logout(self, head: Head, send: Send) -> None:
        if head.method == "POST":
            identity = await self.authenticate(head.request())
            if identity is not None and identity.session is not None:
                self.users.end(identity.session, identity.username)
                self._places.close("you have logged out", session=identity.session)
            gone = ("set-cookie", self._cookie(head, "", 0))
            await _answer(send, 303, "", ("location", self._link(head) + LOGIN), gone)
        else:
            await _answer(send, 303, "", ("location", self._link(head) + LOGIN))  # its page has the button

    async def _serve_form(self, head: Head, receive: Receive, send: Send) -> None:
        if head.first("content-type").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            await _answer(send, 415, "Use the form.")
            return
        body = await _read(receive)
        if body is None:
            await _answer(send, 413, f"More than {MAX_FORM} bytes, or than {FORM_SECONDS:g} s.")
            return
        fields = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        name, back = fields.get("name", "")[:200], self._back(head, fields.get("next", ""))
        status, message, wait = await self._try(head, name, fields.get("password", ""))
        if status == 303:
            seconds = int(self.users.seconds)
            cookie = ("set-cookie", self._cookie(head, self.users.new_cookie(name), seconds))
            await _answer(send, 303, "", ("location", back), cookie)
        else:
            page = self._form(head, back, name=name, message=message)
            await _answer(send, status, page, *([("retry-after", str(wait))] if wait else []))

    async def _try(self, head: Head, name: str, password: str) -> tuple[int, str, int]:
        """Status, what the page says, and seconds to wait, of one try."""
        pair = (network_of(head.address), name)
        wait = self._guesses.wait(pair)
        if wait > 0:
            self._refusals.note("throttle", "login as %s from %s refused: too many wrong passwords", name, head.address)
            seconds = int(wait) + 1
            return 429, f"Too many wrong passwords. Try again in {seconds} s.", seconds
        before = self._guesses.crowding(pair)
        self._guesses.begin(pair)
        try:
            is_right = await self._checks.run(before, lambda: self.users.check_password(name, password))
        except CrowdedError:
            self._guesses.not_made(pair)
            self._refusals.note("crowd", "login as %s from %s refused: too many log in at once", name, head.address)
            return 503, "Too many people log in just now. Try again in a moment.", 5
        if not is_right:
            self._refusals.note("password", "login as %s from %s refused: wrong name or password", name, head.address)
            return 401, WRONG, 0
        self._guesses.passed(pair)
        return 303, "", 0

    def _form(self, head: Head, back: str, **said: str) -> str:
        return login_page(self._title(), self._link(head) + LOGIN, back=back, **said)

    # ---- links and cookies ---------------------------------------------------------------------------------------------
    def _link(self, head: Head) -> str:
        """Where the app begins, as the browser sees it."""
        return self._links if self._links.startswith(f"{head.root}/") else head.root + self._links

    def _back(self, head: Head, wanted: str) -> str:
        """Where to go after the login: a path here, never another site."""
        return wanted if _LOCAL.fullmatch(wanted) else self._link(head)

    def _cookie(self, head: Head, value: str, seconds: int) -> str:
        name = cookie_name(head.first("host"), head.scheme)
        return dump_cookie(
            name,
            value,
            max_age=seconds,
            path=self._link(head),
            secure=head.is_secure,
            httponly=True,
            samesite="Strict",
        )


def cookie_name(host: str, scheme: str) -> str:
    """Browsers keep cookies by host, whatever the port: two apps on one machine must not overwrite each other's."""
    parsed = parse_host(host)
    port = parsed.port if parsed is not None else None
    return f"dash-devices-{port or (443 if scheme in ('https', 'wss') else 80)}"


async def _read(receive: Receive) -> bytes | None:
    """The body of a form; None if it is too long, or too slow."""
    body = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FORM_SECONDS):
            while len(body) <= MAX_FORM:
                message = await receive()
                body += message.get("body", b"")
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return body if len(body) <= MAX_FORM else None
    return None


async def _answer(send: Send, status: int, text: str, *headers: tuple[str, str]) -> None:
    kind = "text/html" if text.startswith("<!doctype") else "text/plain"
    all_headers = [
        ("content-type", f"{kind}; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", POLICY),
        *headers,
    ]
    body = text.encode()
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in all_headers]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*encoded, (b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})
