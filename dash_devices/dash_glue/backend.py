"""Dash's Quart backend with our way to run callbacks, and Dash's own requests over the socket.

Leans on (Dash 4.4.1): ``dash/backends/_quart.py`` (``QuartDashServer``, ``QuartRequestAdapter``), ``Dash._initialize_context``,
``_prepare_callback``, ``_inputs_to_vals``, ``_execute_callback``. A request over the socket is a real Quart request with the
headers of the page's handshake: hooks, sessions, error pages and cookies work as over HTTP.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import orjson
from dash.backends._quart import QuartDashServer
from dash.exceptions import PreventUpdate, WebsocketDisconnected
from quart import Quart, Response, request
from quart_compress import Compress
from werkzeug.datastructures import Headers

from .. import protocol
from ..components import id_text
from ..connection import Handshake
from ..lanes import in_thread, run_as_call
from ..protocol import SEQ_HEADER, TAB_HEADER, Request
from ..sessions import Session
from .registration import SERIALIZED

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

current_session: ContextVar[Session | None] = ContextVar("current_session", default=None)


class DevicesBackend(QuartDashServer):
    """Quart, with callbacks that know their page and never block the loop. Dash's own WebSocket stack is not used."""

    websocket_capability = False

    def before_request(self, func: Callable[[], Any]) -> None:
        """Register a hook that runs on the loop: Quart would start a thread for each sync one, at every request."""

        async def hook() -> Any:
            result = func()
            return await result if inspect.isawaitable(result) else result

        self.server.before_request(hook)

    def enable_compression(self) -> None:
        """Compress HTTP responses; done when the app is set up, unless ``compress=False``."""
        ThreadedCompress(self.server)

    def serve_callback(self, dash_app: Dash) -> Callable[[], Awaitable[Response]]:  # type: ignore[override]
        """The view of ``_dash-update-component``, for HTTP and for the socket."""

        async def dispatch() -> Response:
            return await _dispatch(dash_app, await request.get_json())

        # the name by which extensions know Dash's view (dash/backends/_quart.py sets the same)
        dispatch.__name__ = dispatch.__qualname__ = "dispatch"
        dispatch.__module__ = "dash.dash"
        return dispatch

    def run(self, dash_app: Dash, host: str, port: int, debug: bool, **kwargs: Any) -> None:  # type: ignore[override]
        """Serve until the process is told to end."""
        from ..server import serve

        serve(dash_app, host=host, port=port, **kwargs)


class ThreadedCompress(Compress):  # type: ignore[misc]
    """quart-compress off the loop, and once for files whose name holds their hash."""

    def __init__(self, server: Quart) -> None:
        server.config.setdefault("COMPRESS_CACHE_BACKEND", FingerprintCache)
        server.config.setdefault("COMPRESS_CACHE_KEY", fingerprint_key)
        types = ["text/html", "text/css", "text/xml", "application/json", "application/javascript", "text/javascript"]
        server.config.setdefault("COMPRESS_MIMETYPES", types)
        super().__init__(server)

    async def compress(self, app: Quart, response: Response) -> bytes:
        """The compressed body."""
        data = await response.get_data(as_text=False)
        return await asyncio.get_running_loop().run_in_executor(None, gzipped, data, app.config["COMPRESS_LEVEL"])


def gzipped(data: bytes, level: int) -> bytes:
    """Gzip without a time stamp: the same bytes every time."""
    import gzip

    return gzip.compress(data, level, mtime=0)


class FingerprintCache:
    """Keeps compressed files by their fingerprinted path; everything else has no key and is not kept."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, key: str | None) -> bytes | None:
        """What was kept under the key."""
        return self._kept.get(key) if key else None

    def set(self, key: str | None, value: bytes) -> None:
        """Keep it, if it has a key."""
        if key:
            self._kept[key] = value


def fingerprint_key(asked: Any) -> str | None:
    """The path of a component library's file, which holds version and time of the file; None for all others."""
    return asked.path if "/_dash-component-suites/" in asked.path else None


# ---- callbacks --------------------------------------------------------------------------------------------------------
async def _dispatch(app: Dash, body: Any) -> Response:
    session = page_session(app)
    context = app._initialize_context(body)
    context.client = session.client if session else None
    if session is not None:
        context.dash_websocket = PageSocket(app, session)
    function = app._prepare_callback(context, body)
    if not _authorized(app, body["output"], context.client):
        raise PreventUpdate
    args = app._inputs_to_vals(context.inputs_list + context.states_list)
    run = app._execute_callback(function, args, context.outputs_list, context)
    try:
        data = await _run(app, body["output"], function, run)
    except WebsocketDisconnected:
        raise PreventUpdate from None
    data = app._state_in_layouts.fill_result(data, session)
    response: Response = context.dash_response.set_response(data=data)
    return response


async def _run(app: Dash, output: str, function: Any, run: Callable[[], Any]) -> Any:
    if inspect.iscoroutinefunction(function):
        work: Callable[[], Any] = run
    else:

        async def work() -> Any:
            result = await in_thread(app._engine.lanes.threads, run)
            return await result if inspect.isawaitable(result) else result

    lane = app._serialized.get(output) or SERIALIZED.get(output)
    if lane is None:
        return await work()
    call, future = run_as_call(work, output)
    app._engine.lanes.submit(lane, call)
    return await future


def _authorized(app: Dash, output: str, client: Any) -> bool:
    if app._engine.authorize is None or client is None:
        return True
    for asked in app._asked_outputs(output):
        if not app._engine.authorize(client, asked):
            logger.warning("callback of %s: client %s is not authorized for %s", output, client, asked)
            return False
    return True


def page_session(app: Dash) -> Session | None:
    """The tab that a request belongs to: it came over its socket, or carries its token."""
    session = current_session.get()
    return session if session is not None else app._hub.sessions.get(request.headers.get(TAB_HEADER))


class PageSocket:
    """``ctx.websocket`` of a regular callback, and where ``set_props`` goes: to its page, at once."""

    def __init__(self, app: Dash, session: Session) -> None:
        self._app = app
        self._session = session

    @property
    def is_shutdown(self) -> bool:
        """Has the page left, or the server stopped?"""
        return not self._session.joined or self._app._hub.stopping

    def set_prop_sync(self, component_id: Any, prop_name: str, value: Any) -> None:
        """Write a property in this page."""
        item = self._app._engine.item((id_text(component_id), prop_name), value)
        with self._app._engine.lock:
            self._session.outbox.post_props(item.key, item.encoded)
        self._app._hub.wake()

    async def set_prop(self, component_id: Any, prop_name: str, value: Any) -> None:
        """Write a property in this page."""
        self.set_prop_sync(component_id, prop_name, value)

    async def get_prop(self, component_id: Any, prop_name: str, timeout: float = 30.0) -> Any:
        """The property's value in this page now. From the loop and, under ``asyncio.run``, from a thread.

        Raises:
            WebsocketDisconnected: the page is gone.
            TimeoutError: no answer in time.
        """
        future: concurrent.futures.Future[dict[str, Any] | None] = concurrent.futures.Future()
        hub = self._app._hub
        if self.is_shutdown or hub.loop is None:
            raise WebsocketDisconnected
        id = id_text(component_id)
        hub.loop.call_soon_threadsafe(hub.ask, self._session, id, [prop_name], lambda v: _settle(future, v))
        values = await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        if values is None:
            raise WebsocketDisconnected
        return values.get(prop_name)


def _settle(future: concurrent.futures.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


# ---- Dash's requests over the socket --------------------------------------------------------------------------------------
class SocketRequests:
    """Answers the requests that travel over a page's socket, each in a task, with Quart."""

    def __init__(self, app: Dash) -> None:
        self._app = app
        self._cookies: dict[str, list[str]] = {}

    def handle(self, session: Session, handshake: Handshake, asked: Request) -> None:
        """Begin to answer; the reply is posted when it is there. No request stays unanswered."""
        self._app._hub.spawn(self._answer(session, handshake, asked), f"{asked.route} {asked.ref}")

    async def _answer(self, session: Session, handshake: Handshake, asked: Request) -> None:
        page = session.page
        try:
            status, headers, body = await self._exchange(session, handshake, asked)
        except Exception:
            logger.exception("request %s of client %s failed", asked.route, session.client)
            status, headers, body = 500, {"content-type": "text/plain"}, orjson.dumps("Internal server error.")
        if session.page != page:
            return  # the tab has loaded a new page, which did not ask
        with self._app._engine.lock:
            place = headers.get(SEQ_HEADER)
            if place and asked.route == "layout":
                session.outbox.position = int(place.rpartition(":")[2])
            session.outbox.post(protocol.reply(asked.ref, status, headers, body))
        self._app._hub.wake()

    async def _exchange(self, session: Session, handshake: Handshake, asked: Request) -> tuple[int, dict[str, str], bytes]:
        if asked.route not in ROUTES:
            return 404, {"content-type": "text/plain"}, orjson.dumps(f"no route {asked.route[:40]}")
        current_session.set(session)
        response: Any = await self._app.server.handle_request(self._request(handshake, asked))
        data = await response.get_data(as_text=False)
        headers = {name.lower(): value for name, value in response.headers if name.lower() != "set-cookie"}
        cookies = response.headers.getlist("set-cookie")
        if cookies:
            headers[COOKIE_HEADER] = self._keep_cookies(cookies)
        is_json = "json" in headers.get("content-type", "") and response.status_code != 204
        return response.status_code, headers, data if is_json and data else orjson.dumps(data.decode("utf-8", "replace"))

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
            scope,  # type: ignore[arg-type]
            send_push_promise=_no_push,
        )

        async def get_json(*args: Any, **kwargs: Any) -> Any:
            return asked.body  # decoded with the frame already

        async def get_data(*args: Any, as_text: bool = False, **kwargs: Any) -> Any:
            data = orjson.dumps(asked.body)
            return data.decode() if as_text else data

        made.get_json = get_json  # type: ignore[method-assign]
        made.get_data = get_data  # type: ignore[method-assign]
        return made

    # ---- cookies: a socket cannot set them, so the page fetches them once over HTTP ---------------------------------------
    def _keep_cookies(self, cookies: list[str]) -> str:
        while len(self._cookies) > 1_000:
            del self._cookies[next(iter(self._cookies))]
        nonce = secrets.token_urlsafe(18)
        self._cookies[nonce] = cookies
        return f"{self._app.config.requests_pathname_prefix}_dash-devices/cookie/{nonce}"

    async def serve_cookies(self, nonce: str) -> Response:
        """The view that hands the cookies of one reply over, once."""
        response = Response("", status=204, headers={"Cache-Control": "no-store"})
        for cookie in self._cookies.pop(nonce, []):
            response.headers.add("Set-Cookie", cookie)
        return response


async def _no_push(path: str, headers: Headers) -> None:
    return None
