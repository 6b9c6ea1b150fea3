"""Who gets in, as an app's author says it; and what its pages may load.

Leans on (Dash 4.4.1): ``Dash.csp_hashes``, ``Dash._inline_scripts``, ``dash._callback.GLOBAL_INLINE_SCRIPTS``,
``Dash._generate_scripts_html``, ``Dash._generate_css_dist_html``, ``Dash.index_string``, ``dash.dash.DASH_VERSION_URL``.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

import orjson
from dash import Dash as StockDash, _callback
from dash.dash import DASH_VERSION_URL
from quart import Quart, Response, request

from ..endpoint import SocketEndpoint
from ..engine import Engine
from ..errors import ServerError
from ..gate.door import Door
from ..gate.gate import Authenticate, Gate
from ..gate.headers import Csp, SafeHeaders, policy
from ..gate.login import Login
from ..gate.proxies import FORWARDED
from ..gate.users import User, Users
from ..hub import Hub
from ..identity import Identity
from ..protocol import Close
from .json_bodies import count_json

NEWER = DASH_VERSION_URL.rpartition("/")[0]  # where Dash's dev tools ask for newer versions
DOOR = "dash_devices.door"  # in the extensions of a Quart server
LOCAL = ("127.0.0.1", "::1", "<local>")
_INLINE = re.compile(r"<script(?![^>]*\bsrc\s*=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_HOSTS = re.compile(r"""<(?:script|link)\b[^>]*?\b(?:src|href)="((?:https?:)?//[A-Za-z0-9.:_-]+)""")
F = TypeVar("F", bound=Authenticate)


class Gating:
    """Who gets in. A part of `Dash`.

    Attributes:
        gate: decides about every request.
        safe_headers: go on every response.
    """

    _engine: Engine
    _hub: Hub
    config: Any
    title: Any
    index_string: str
    renderer: str
    _inline_scripts: list[str]
    _dev_tools: Any

    def __init__(self, *, csp: Csp | bool | None, **options: Any) -> None:
        self._csp: Csp | None = {} if csp is True else (csp or None)
        self._policy: tuple[Any, str] = (None, "")
        self._loads: dict[str, set[str]] = {
            name: set() for name in ("script-src", "style-src", "font-src", "connect-src")
        }
        self.gate = Gate(self._engine.metrics, **options)
        self.safe_headers = SafeHeaders(self._document_policy, lambda: self.gate.is_guarded)

    def _guard(self, server: Quart) -> None:
        """Put the gate in front of a server, once for all its apps, and our socket behind it."""
        door: Door | None = server.extensions.get(DOOR)
        if door is None:
            door = server.extensions[DOOR] = Door(server.asgi_app)
            server.asgi_app = door  # type: ignore[assignment]
            paths, refusals = self.gate.rules.json_paths, self.gate.refusals
            count_json(server, strict_paths=paths, limits=lambda: cast(Any, self).limits, refusals=refusals)
        door.app = SocketEndpoint(door.app, cast(Any, self))
        door.apps.append(self)
        self.gate.rules.json_paths.add(f"{self.routes_prefix}_dash-update-component")

    @property
    def routes_prefix(self) -> str:
        """Where the app's routes begin at this server."""
        return str(self.config.routes_pathname_prefix)

    # ---- who is it? ----------------------------------------------------------------------------------------------------
    def authenticate(self, function: F) -> F:
        """Decorator: ask this function who makes a request, before a socket is accepted and at every HTTP request.

        It gets an `AuthRequest` and returns who it is (a name, an `Identity`, any object: ``client.authentication``; its
        ``username``, if it has one, is ``client.username``), or `Refuse`, or None for "I do not know him". Sync ones run in
        a thread. Of several, the first that knows decides; if none does, the request is refused with 401, and so it is
        with 500 if one raises, and with 503 after 10 s.
        """
        self.gate.authenticators.append(function)
        return function

    def login(
        self, users: Mapping[str, User | str], *, hours: float = 12.0, secret_key: str | bytes | None = None
    ) -> None:
        """Ask for name and password on a page of our own, and keep a signed cookie; scripts send a token.

        Args:
            users: `User`, or the hash of a password, by name. Read at each request, and once a second for open pages: a
                change of it counts at once.
            hours: how long a login lasts.
            secret_key: signs the cookies; without one all have to log in again after a restart.

        Raises:
            ValueError: a password that is no hash: ``python -m dash_devices hash-password`` makes one.
            ServerError: there is a login already.
        """
        if self.gate.login is not None:
            raise ServerError("login: expected once for an app, got it again; put all users into one dict")
        app = f"{self.config.name} {self.routes_prefix}"
        self.gate.login = Login(
            Users(users, app=app, secret_key=secret_key, seconds=hours * 3_600),
            title=lambda: str(self.title),
            routes=self.routes_prefix,
            links=str(self.config.requests_pathname_prefix),
            places=self.gate.places,
            refusals=self.gate.refusals,
        )
        self._hub.sweeping = self._renew_logins
        self.gate.authenticators.append(self.gate.login.authenticate)

    def _renew_logins(self) -> None:
        """The users may be changed at any time: open pages get the roles of now, or are closed."""
        assert self.gate.login is not None
        for session in list(self._hub.presence.joined.values()):
            was = session.identity
            identity = self.gate.login.users.now(was) if isinstance(was, Identity) else was
            if identity is was:
                continue
            if identity is not None:
                session.identity = identity
                if session.client.authentication is was:  # else the author has put somebody else there
                    session.client.authentication = identity
            elif session.link is not None:
                session.link.close(Close.UNAUTHENTICATED, "your login has ended")

    @property
    def login_url(self) -> str:
        """Path of the login page; who is logged in finds a button there that logs out."""
        return f"{self.config.requests_pathname_prefix}_dash-devices/login"

    @property
    def logout_url(self) -> str:
        """Where a form that logs out is sent: ``html.Form(html.Button("Log out"), action=app.logout_url, method="POST")``."""
        return f"{self.config.requests_pathname_prefix}_dash-devices/logout"

    def revoke(self, username: str) -> None:
        """End all logins of a user, and close the sockets of his pages, at once. From any thread.

        He may log in again, unless he is taken out of the users, or your authenticate function refuses him.
        """
        if self.gate.login is not None:
            self.gate.login.users.revoke(username)
        if self._hub.loop is not None:
            self._hub.loop.call_soon_threadsafe(self.gate.places.revoke, username)

    # ---- what may pages load? ------------------------------------------------------------------------------------------
    def _generate_scripts_html(self) -> str:
        html = str(cast(Any, StockDash)._generate_scripts_html(self))
        self._loads["script-src"].update(_HOSTS.findall(html))
        if self._dev_tools.ui:
            self._loads["connect-src"].add(NEWER)
        return html

    def _generate_css_dist_html(self) -> str:
        html = str(cast(Any, StockDash)._generate_css_dist_html(self))
        for kind in ("style-src", "font-src"):
            self._loads[kind].update(_HOSTS.findall(html))
        return html

    def _document_policy(self) -> str | None:
        if self._csp is None:
            return None
        key = (len(self._inline_scripts), len(_callback.GLOBAL_INLINE_SCRIPTS), *map(len, self._loads.values()))
        if self._policy[0] != key:
            own = [*cast(Any, self).csp_hashes(), *map(_hash, self._index_scripts())]
            loads = {name: sorted(hosts) for name, hosts in self._loads.items()}
            self._policy = key, policy({"script-src": own}, loads, self._csp)
        return self._policy[1]

    def _index_scripts(self) -> Iterable[str]:
        """Scripts that the author wrote into the index; those with placeholders are known only when they are served."""
        return (text for text in _INLINE.findall(self.index_string) if text.strip() and "{%" not in text)

    async def _serve_metrics(self) -> Response:
        if request.remote_addr not in LOCAL or FORWARDED in request.scope:
            return Response("metrics are for this machine only\n", status=403)
        return Response(orjson.dumps(cast(Any, self).metrics), content_type="application/json")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
