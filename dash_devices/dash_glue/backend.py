"""Dash's Quart backend with our way to run callbacks.

Leans on (Dash 4.4.1): ``dash/backends/_quart.py`` (``QuartDashServer``), ``Dash._initialize_context``, ``_prepare_callback``,
``_inputs_to_vals``, ``_execute_callback``.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn, cast

from dash import Dash as StockDash
from dash.exceptions import PreventUpdate, WebsocketDisconnected
from quart import Quart, Response, abort, request

from ..clients import Client
from ..components import id_text
from ..errors import ServerError
from ..lanes import current_lane, run_as_call
from ..server import is_loopback, serve
from ..sessions import Session
from ..threads import Pool, Share, carried, in_thread, is_cancelling
from .bodies import BadBodyError, checked, is_large
from .compression import ThreadedCompress
from .metering import left_out
from .queueing import MAX_UNANSWERED
from .registration import SERIALIZED
from .requests import asking_client, current_returned, current_session, page_session, page_view
from .suite_files import StreamedSuites

if TYPE_CHECKING:
    from ..app import Dash

logger = logging.getLogger("dash_devices.requests")


class DevicesBackend(StreamedSuites):
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
        if debug and not is_loopback(host):
            logger.warning(
                "debug=True, and %s can be reached from elsewhere: who reaches it sees tracebacks, with source text and paths",
                host or "every address of this machine",
            )
        serve(dash_app, host=host, port=port, **kwargs)


def backend_for(backend: Any, server: Any) -> type[DevicesBackend]:
    """The backend class; for a server of the user's, one that gives that server instead of making one."""
    if backend not in (None, "quart", DevicesBackend):
        raise ServerError(
            f"backend: expected 'quart' or nothing, got {backend!r}; shared callbacks need Quart's event loop"
        )
    if server in (None, True, False):
        return DevicesBackend
    if not isinstance(server, Quart):
        raise ServerError(
            f"server: expected a Quart app, got {type(server).__name__}; shared callbacks need an event loop"
        )
    made = cast(Any, staticmethod(lambda name="", config=None: server))
    return type("DevicesBackend", (DevicesBackend,), {"create_app": made})


# ---- callbacks --------------------------------------------------------------------------------------------------------
async def _dispatch(app: Dash, body: Any) -> Response:
    """Answer a request for a callback.

    Raises:
        HTTPException: 400, 413 or 429, where it is not one.
    """
    session = page_session(app)
    share, client = app._thread_shares.of(session), asking_client(session)
    try:
        body = checked(body, app.callback_map)
    except BadBodyError as error:
        _refuse(app, client, error.status, str(error))
    if current_session.get() is None and share.waiting >= MAX_UNANSWERED:  # those of a socket are counted before
        _refuse(app, client, 429, "too many requests at once")
    if not _authorized(app, body["output"], client):
        raise PreventUpdate
    if is_large(body):
        context, function, args = await in_thread(share, lambda: _prepared(app, body))
    else:
        context, function, args = _prepared(app, body)
    context.client = client
    context.returned = None
    if session is not None:
        context.dash_websocket = PageSocket(app, session, initial=not body["changedPropIds"])
    run = StockDash._execute_callback(app, function, args, context.outputs_list, context)
    lane = app._serialized.get(body["output"]) or SERIALIZED.get(body["output"])
    # a lane is one call at a time; it must not wait for those of one page
    work = _work(function, run, share if lane is None else app._engine.lanes.threads, session)
    try:
        data = await (work() if lane is None else _in_lane(app, lane, work, body["output"]))
    except WebsocketDisconnected:
        raise PreventUpdate from None
    if current_session.get() is None:  # else it is filled when it is sent
        data = app._state_in_layouts.fill_result(data.encode(), context.returned, session, page_view(app)).decode()
    else:
        current_returned.get().append(context.returned)
    response: Response = context.dash_response.set_response(data=data)
    return response


def _refuse(app: Dash, client: Client, status: int, text: str) -> NoReturn:
    app._requests.note_refusal(client, status, text)
    abort(Response(text, status=status, content_type="text/plain"))


def _prepared(app: Dash, body: Any) -> tuple[Any, Any, Any]:
    context = app._initialize_context(body)
    function = app._prepare_callback(context, body)
    return context, function, StockDash._inputs_to_vals(app, context.inputs_list + context.states_list)


def _work(
    function: Any, run: Callable[[], Any], pool: Pool, session: Session | None
) -> Callable[[], Coroutine[Any, Any, Any]]:
    """The author's function, ready to run."""
    if not inspect.iscoroutinefunction(function):

        async def work() -> Any:
            is_late = isinstance(pool, Share) and pool.is_full

            def begin() -> Any:
                if is_late and session is not None and session.link is None:
                    raise WebsocketDisconnected  # the page that waits for a thread is gone
                return run()

            result = await in_thread(pool, begin)
            return await left_out(_awaited(result)) if inspect.isawaitable(result) else result
    else:

        async def work() -> Any:
            try:
                return await left_out(run())
            except BaseException as error:
                if is_cancelling(error):
                    raise
                raise carried(error) from error.__cause__

    return work


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


async def _in_lane(app: Dash, lane: str, work: Callable[[], Coroutine[Any, Any, Any]], name: str) -> Any:
    current_lane.set(lane)
    call, future = run_as_call(work, name)
    app._engine.lanes.submit(lane, call)
    return await future


def _authorized(app: Dash, output: str, client: Client) -> bool:
    if app._engine.authorize is None:
        return True
    for asked in app._asked_outputs(output):
        if not app._engine.authorize(client, asked):
            logger.warning("callback of %s: client %s is not authorized for %s", output, client, asked)
            return False
    return True


class PageSocket:
    """``ctx.websocket`` of a regular callback, and where ``set_props`` goes: to its page, at once.

    ``initial``: the page has just mounted its inputs; what follows from that is nobody's change.
    """

    def __init__(self, app: Dash, session: Session, *, initial: bool) -> None:
        self._initial = initial
        self._app = app
        self._session = session

    @property
    def is_shutdown(self) -> bool:
        """Has the page left, or the server stopped?"""
        return not self._session.joined or self._app._hub.stopping

    def set_prop_sync(self, component_id: Any, prop_name: str, value: Any) -> None:
        """Write a property in this page."""
        key, engine = (id_text(component_id), prop_name), self._app._engine
        with engine.lock:
            is_private = not engine.registry.is_watched(key)
        item = engine.item(key, value, components=is_private)  # what stays in the page may be what it sent
        self._app._hub.push_to(self._session, [item], quiet=self._initial)

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
