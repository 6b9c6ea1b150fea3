"""Dash's own requests - layout, dependencies, callbacks - over the socket of their page.

Each is a real Quart request with the headers of the page's handshake: hooks, sessions, error pages and cookies work as over
HTTP. Leans on (Quart 0.22): ``Quart.handle_request`` and the arguments of ``quart.wrappers.Request``.
"""

from __future__ import annotations

import inspect
import logging
from collections import Counter
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import orjson
from quart import Response, request
from werkzeug.datastructures import Headers

from .. import codec
from ..access import View
from ..clients import Client
from ..connection import Handshake
from ..identity import IDENTITY, is_same_person
from ..protocol import SEQ_HEADER, TAB_HEADER, Request
from ..sessions import Session
from .cookies import WaitingCookies
from .failures import failure_text

if TYPE_CHECKING:
    from ..app import Dash

logger = logging.getLogger("dash_devices.requests")

COOKIE_HEADER = "x-dash-devices-cookie"
ROUTES = {
    "layout": ("GET", "_dash-layout"),
    "dependencies": ("GET", "_dash-dependencies"),
    "callback": ("POST", "_dash-update-component"),
}
MAX_UNDER_WAY = 1_024  # requests of one tab: each is a task, and maybe a thread
# of the handshake, and wrong for a request that travels over it
_HANDSHAKE_ONLY = (b"connection", b"upgrade", b"content-length", b"content-type", b"accept-encoding")

current_session: ContextVar[Session | None] = ContextVar("current_session", default=None)


def page_session(app: Dash) -> Session | None:
    """The tab that a request belongs to: it came over its socket, or carries its token."""
    session = current_session.get()
    if session is not None:
        return session
    named = app._hub.sessions.get(request.headers.get(TAB_HEADER))
    return named if named is not None and is_same_person(named.identity, request.scope.get(IDENTITY)) else None


def page_view(app: Dash) -> View | None:
    """What the page that a request belongs to may read, as of now."""
    if not app._engine.access.hides:
        return None
    session = page_session(app)
    with app._engine.lock:
        return app._engine.access.view(_asker() if session is None else session.client)


def _asker() -> Client:
    """Who asks over HTTP alone."""
    headers, scope = request.headers, request.scope
    address, host = request.remote_addr or "", headers.get("Host", "")
    client = Client("", address=address, host=host, user_agent=headers.get("User-Agent", ""))
    client.authentication = scope.get("dash_devices.identity")
    return client


class SocketRequests:
    """Answers the requests that travel over a page's socket, each in a task, with Quart."""

    def __init__(self, app: Dash) -> None:
        self._app = app
        self._cookies = WaitingCookies()
        self._under_way: Counter[str] = Counter()

    def handle(self, session: Session, handshake: Handshake, asked: Request) -> None:
        """Begin to answer; the reply is posted when it is there. No request stays unanswered."""
        if self._under_way[session.token] >= MAX_UNDER_WAY:
            text = orjson.dumps("too many requests at once")
            session.outbox.post(codec.reply(asked.ref, 429, {"content-type": "text/plain"}, text))
            self._app._hub.wake()
            return
        self._under_way[session.token] += 1
        task = self._app._hub.spawn(self._answer(session, handshake, asked), f"{asked.route} {asked.ref}")
        task.add_done_callback(lambda _: self._ended(session.token))

    def _ended(self, token: str) -> None:
        self._under_way[token] -= 1
        if not self._under_way[token]:
            del self._under_way[token]

    async def _answer(self, session: Session, handshake: Handshake, asked: Request) -> None:
        page, line = session.page, session.link
        try:
            status, headers, body = await self._exchange(session, handshake, asked)
        except Exception:
            logger.exception("request %s of client %s failed", asked.route, session.client)
            text = failure_text(f"request {asked.route} failed")
            status, headers, body = 500, {"content-type": "text/plain"}, orjson.dumps(text)
        if session.page != page:
            return  # the tab has loaded a new page, which did not ask
        with self._app._engine.lock:
            self._app._hub.flush_session(session)  # what was pushed before this reply goes before it
            place = headers.get(SEQ_HEADER)
            if place and asked.route == "layout":
                # one answer to each request, on the line that asked last: a page with two would stand at two places
                if session.link is not line or session.layout_ref == asked.ref:
                    return
                session.layout_ref = asked.ref
                self._app._hub.laid_out(session, int(place.rpartition(":")[2]))
            if asked.route == "callback" and status == 200:
                # only now: a mod that the page has already would be undone by values of before
                view = session.outbox.view
                body = self._app._state_in_layouts.fill_result(body, session, view)
            session.outbox.post(codec.reply(asked.ref, status, headers, body))
        self._app._hub.wake()

    async def _exchange(
        self, session: Session, handshake: Handshake, asked: Request
    ) -> tuple[int, dict[str, str], bytes]:
        if asked.route not in ROUTES:
            return 404, {"content-type": "text/plain"}, orjson.dumps(f"no route {asked.route[:40]}")
        current_session.set(session)
        response: Any = await self._app.server.handle_request(self._request(handshake, asked))
        data = response.get_data(as_text=False)
        if inspect.isawaitable(data):  # error pages are Werkzeug's own, with bytes at once
            data = await data
        headers = {name.lower(): value for name, value in response.headers if name.lower() != "set-cookie"}
        cookies = response.headers.getlist("set-cookie")
        if cookies:
            headers[COOKIE_HEADER] = self._keep_cookies(cookies)
        is_json = "json" in headers.get("content-type", "") and response.status_code != 204
        return (
            response.status_code,
            headers,
            data if is_json and data else orjson.dumps(data.decode("utf-8", "replace")),
        )

    def _request(self, handshake: Handshake, asked: Request) -> Any:
        method, route = ROUTES[asked.route]
        path = self._app.config.routes_pathname_prefix + route
        headers = Headers({"Remote-Addr": handshake.address, "Content-Type": "application/json"})
        for name, value in handshake.headers:
            if name not in _HANDSHAKE_ONLY and not name.startswith(b"sec-websocket"):
                headers.add(name.decode("latin-1").title(), value.decode("latin-1"))
        scheme = "https" if handshake.scheme in ("wss", "https") else "http"
        scope = {**handshake.scope, "type": "http", "method": method, "scheme": scheme, "path": path}
        made = self._app.server.request_class(
            method,
            scheme,
            path,
            asked.query.encode(),
            headers,
            str(scope.get("root_path", "")),
            str(scope.get("http_version", "1.1")),
            scope,
            send_push_promise=_no_push,
        )

        async def get_json(*args: Any, **kwargs: Any) -> Any:
            return asked.body  # decoded with the frame already

        async def get_data(*args: Any, as_text: bool = False, **kwargs: Any) -> Any:
            data = orjson.dumps(asked.body)
            return data.decode() if as_text else data

        made.get_json = get_json
        made.get_data = get_data
        return made

    # ---- cookies: a socket cannot set them, so the page fetches them once over HTTP ---------------------------------------
    def _keep_cookies(self, cookies: list[str]) -> str:
        session = current_session.get()
        nonce = self._cookies.keep(session.token if session is not None else "", cookies)
        return f"{self._app.config.requests_pathname_prefix}_dash-devices/cookie/{nonce}"

    async def serve_cookies(self, nonce: str) -> Response:
        """The view that hands the cookies of one reply over, once."""
        response = Response("", status=204, headers={"Cache-Control": "no-store"})
        for cookie in self._cookies.take(nonce):
            response.headers.add("Set-Cookie", cookie)
        return response


async def _no_push(path: str, headers: Headers) -> None:
    return None
