"""Dash's own requests - layout, dependencies, callbacks - over the socket of their page.

Each is a real Quart request with the headers of the page's handshake: hooks, sessions, error pages and cookies work as over
HTTP. Leans on (Quart 0.22): ``Quart.handle_request`` and the arguments of ``quart.wrappers.Request``.
"""

from __future__ import annotations

import inspect
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import orjson
from quart import Response, request
from werkzeug.datastructures import Headers

from .. import codec, strict
from ..access import View
from ..clients import Client
from ..connection import Connection
from ..endpoint import handshake_of
from ..identity import IDENTITY, is_same_person
from ..protocol import SEQ_HEADER, TAB_HEADER, Request
from ..sessions import Session
from .cookies import WaitingCookies
from .failures import failure_text
from .metering import Meter, Turn, current_meter, metered
from .queueing import Asked, PageRequests

if TYPE_CHECKING:
    from ..app import Dash

logger = logging.getLogger("dash_devices.requests")

COOKIE_HEADER = "x-dash-devices-cookie"
ROUTES = {
    "layout": ("GET", "_dash-layout"),
    "dependencies": ("GET", "_dash-dependencies"),
    "callback": ("POST", "_dash-update-component"),
}
# of the handshake, and wrong for a request that travels over it
_HANDSHAKE_ONLY = (b"connection", b"upgrade", b"content-length", b"content-type", b"accept-encoding")

current_returned: ContextVar[list[Any]] = ContextVar("current_returned")
"""Takes what the function of a regular callback returned, before it became JSON."""

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
    client = asking_client(page_session(app))
    with app._engine.lock:
        return app._engine.access.view(client)


def asking_client(session: Session | None) -> Client:
    """Who makes the current request: the page's client, or over HTTP alone one that is in no table."""
    return session.client if session is not None else handshake_of(cast(Any, request.scope)).client()


class SocketRequests:
    """Answers the requests that travel over a page's socket, each in a task, with Quart."""

    def __init__(self, app: Dash) -> None:
        self._app = app
        self._cookies = WaitingCookies()
        self._pages: WeakKeyDictionary[Session, PageRequests] = WeakKeyDictionary()
        self._turn = Turn()
        self._headers: WeakKeyDictionary[Connection, Headers] = WeakKeyDictionary()

    @property
    def unanswered(self) -> int:
        """Requests of all pages that have no reply yet."""
        return sum(page.unanswered for page in self._pages.values())

    def handle(self, session: Session, connection: Connection, asked: Request, size: int) -> None:
        """Answer in turn; the reply is posted when it is there. No request stays unanswered."""
        page = self._pages.get(session)
        if page is None:
            page = self._pages[session] = PageRequests(self._begin, self._turn)
        one = Asked(session, session.page, connection, asked, size)
        refusal = page.refusal(one)
        if refusal is None and asked.is_suspect and strict.names_prototype(asked.body):
            self._app._hub.faults.note("prototype", "client %s: a request names __proto__", session.client)
            refusal = 400, strict.PROTOTYPE_TEXT
        if refusal is None:
            page.put(one)
            return
        self.note_refusal(session.client, *refusal)
        text = orjson.dumps(refusal[1])
        session.outbox.post(codec.reply(asked.ref, refusal[0], {"content-type": "text/plain"}, text))
        self._app._hub.wake()

    def note_refusal(self, client: Client, status: int, text: str) -> None:
        """Count a request that is refused, and say so where there is room for one more line."""
        self._app._engine.metrics["page_requests_refused"] += 1
        if self._app._hub.faults.has_line():
            logger.warning("client %s: request refused (%d): %s", client, status, text)

    def _begin(self, asked: Asked) -> None:
        page = self._pages[asked.session]
        task = self._app._hub.spawn(self._measured(asked), f"request {asked.request.ref}")
        task.add_done_callback(lambda _: page.ended(asked))

    async def _measured(self, asked: Asked) -> None:
        self._pages[asked.session].began()
        meter = Meter(self._turn, lambda seconds: asked.connection.took(0, seconds))
        current_meter.set(meter)
        try:
            await metered(self._answer(asked.session, asked.connection, asked.request), meter)
        finally:
            meter.tell()

    async def _answer(self, session: Session, connection: Connection, asked: Request) -> None:
        page = session.page
        returned: list[Any] = []
        current_returned.set(returned)
        try:
            status, headers, body = await self._exchange(session, connection, asked)
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
                if session.link is not connection or session.layout_ref == asked.ref:
                    return
                session.layout_ref = asked.ref
                self._app._hub.laid_out(session, int(place.rpartition(":")[2]))
            if asked.route == "callback" and status == 200:
                # only now: a mod that the page has already would be undone by values of before
                view = session.outbox.view
                body = self._app._state_in_layouts.fill_result(body, returned, session, view)
            session.outbox.post(codec.reply(asked.ref, status, headers, body))
        self._app._hub.wake()

    async def _exchange(
        self, session: Session, connection: Connection, asked: Request
    ) -> tuple[int, dict[str, str], bytes]:
        if asked.route not in ROUTES:
            return 404, {"content-type": "text/plain"}, orjson.dumps(f"no route {asked.route[:40]}")
        current_session.set(session)
        response: Any = await self._app.server.handle_request(self._request(connection, asked))
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

    def _headers_of(self, connection: Connection) -> Headers:
        """Those of the page's handshake, for one request."""
        known = self._headers.get(connection)
        if known is None:
            handshake = connection.handshake
            known = Headers({"Remote-Addr": handshake.address, "Content-Type": "application/json"})
            for name, value in handshake.headers:
                if name not in _HANDSHAKE_ONLY and not name.startswith(b"sec-websocket"):
                    known.add(name.decode("latin-1").title(), value.decode("latin-1"))
            self._headers[connection] = known
        return Headers(known)

    def _request(self, connection: Connection, asked: Request) -> Any:
        handshake = connection.handshake
        method, route = ROUTES[asked.route]
        path = self._app.config.routes_pathname_prefix + route
        scheme = "https" if handshake.scheme in ("wss", "https") else "http"
        scope = {**handshake.scope, "type": "http", "method": method, "scheme": scheme, "path": path}
        made = self._app.server.request_class(
            method,
            scheme,
            path,
            asked.query.encode(),
            self._headers_of(connection),
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
