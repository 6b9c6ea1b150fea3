"""``Dash``: a `dash.Dash` on Quart with shared callbacks, pushes, and a table of who is there."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import itertools
import logging
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import dash
import orjson
from dash._callback import GLOBAL_CALLBACK_MAP
from dash._utils import to_json
from dash.dependencies import DashDependency, handle_grouped_callback_args
from quart import Quart, Response, request

from . import protocol
from .calls import SERVER, Cause, Item, current_call
from .clients import Client, Clients
from .components import id_text
from .connection import Connection, Handshake
from .dash_glue import registration
from .dash_glue.backend import DevicesBackend, SocketRequests, page_session
from .dash_glue.encoding import encode
from .dash_glue.layout import StateInLayouts
from .endpoint import SocketEndpoint
from .engine import Engine
from .errors import ModsError, RegistrationError, ServerError
from .hub import Hub
from .lanes import in_thread
from .origins import origin_allowed
from .protocol import PATH, SEQ_HEADER
from .registry import SharedCallback
from .services import Services, check_service
from .sessions import Session

logger = logging.getLogger("dash_devices.app")

PENDING: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
"""Shared callbacks of the module-level ``callback_shared``, until an app takes them."""


class Dash(dash.Dash):
    """A Dash app whose shared callbacks run at the server and whose shared properties are the same in every page.

    Takes everything that `dash.Dash` takes (``server=`` a Quart app of yours, ``use_pages``, ``url_base_pathname`` ..), and:

    Args:
        server_service: ``Services.PUSHER_ALL`` (Dash's own requests travel over the page's socket) or ``Services.NORMAL`` (HTTP).
        callback_service: the service of callbacks that name none.
        startup_wait: seconds that the first pages wait for the callbacks that run at startup.
        leave_after: seconds that a lost socket may take to come back before its client leaves.
        allowed_origins: web origins beside our own that may open a socket, as ``https://host[:port]``.
        event_properties: names of further properties that are events: sent to the pages open now, never replayed.
        lane_capacity: calls that may wait in one lane.
    """

    def __init__(
        self,
        name: str | None = None,
        server: Any = True,
        *,
        server_service: int = Services.PUSHER_ALL,
        callback_service: int = Services.S0,
        startup_wait: float = 2.0,
        leave_after: float = 5.0,
        allowed_origins: Iterable[str] = (),
        event_properties: Iterable[str] = (),
        lane_capacity: int = 10_000,
        **options: Any,
    ) -> None:
        self._engine = Engine(encode, event_properties)
        self._engine.lanes.capacity = lane_capacity
        self._engine.report_error = self._show_error
        self._hub = Hub(self._engine, leave_after=leave_after)
        self._hub.push_to_page = self.push_mods
        self._requests = SocketRequests(self)
        self._state_in_layouts = StateInLayouts(self._engine)
        self._server_service = server_service
        self._callback_service = check_service(callback_service)
        self._startup_wait = startup_wait
        self._allowed_origins = frozenset(allowed_origins)
        self._serialized: dict[str, str] = {}
        self._regular_outputs: dict[str, list[str]] = {}
        self._numbers = itertools.count()
        self._none_outputs = itertools.count()
        self._shutdown_hooks: list[Callable[[], Any]] = []
        self._attached: Quart | None = None
        self._end: Callable[[], None] | None = None
        options.setdefault("compress", True)
        options.setdefault("websocket_allowed_origins", list(self._allowed_origins))
        super().__init__(name=name, server=bool(server), backend=_backend_for(options.pop("backend", None), server), **options)
        self.scripts.append_script({"relative_package_path": "static/dash_devices.min.js", "namespace": "dash_devices"})

    # ---- Dash's own hooks ----------------------------------------------------------------------------------------------
    def init_app(self, app: Any = None, **kwargs: Any) -> None:
        """Add the app to a Quart server; see `dash.Dash.init_app`."""
        super().init_app(app, **kwargs)
        if self._attached is not self.server:
            self._attached = self.server
            self._attach(self.server)

    def _attach(self, server: Quart) -> None:
        server.asgi_app = SocketEndpoint(server.asgi_app, self)  # type: ignore[method-assign]
        server.before_serving(self._start)
        server.after_serving(self._stop)
        server.extensions.setdefault("dash_devices", []).append(self)
        self._add_url("_dash-devices/cookie/<nonce>", self._requests.serve_cookies)
        self._add_url("_dash-devices/metrics", self._serve_metrics)

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = super()._config()
        config["dash_devices"] = {
            "url": self.config.requests_pathname_prefix + PATH,
            "build": self._hub.build,
            "over_socket": bool(self._server_service & Services.PUSHER_ALL),
        }
        return config

    async def serve_layout(self) -> Response:
        """The layout with the shared state in it, and the seq it stands at: the mods after it start exactly there."""
        await self._started()
        session = page_session(self)
        tree = orjson.loads(to_json(await in_thread(self._engine.lanes.threads, self.get_layout)))
        seq, by_id = self._state_in_layouts.snapshot()
        ids = self._state_in_layouts.fill(tree, by_id)
        self._state_in_layouts.announce(ids, session)
        response = Response(orjson.dumps(tree), content_type="application/json")
        response.headers[SEQ_HEADER] = f"{self._hub.epoch}:{seq}"
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _serve_metrics(self) -> Response:
        if request.remote_addr not in ("127.0.0.1", "::1", "<local>"):
            return Response("metrics are for this machine only\n", status=403)
        return Response(orjson.dumps(self.metrics), content_type="application/json")

    # ---- registration --------------------------------------------------------------------------------------------------
    def callback(self, *args: Any, service: int | None = None, lane: str | None = None, **kwargs: Any) -> Callable[..., Any]:
        """Dash's ``callback``, or the original's ``callback(output, inputs, state, service)``; None as output means no output.

        Args:
            service: `Services` bits; with the bit 16 the callback is shared.
            lane: for serialised services: the lane to queue in.
        """
        args, bits = registration.split_service(args, service, self._callback_service)
        if bits & Services.SHARED_CALLBACK:
            return self.callback_shared(*args, service=bits, lane=lane, **kwargs)
        none_output = registration.has_no_output(args, kwargs)
        rest, kwargs = registration.normalised(args, dict(kwargs))
        if none_output or bits & Services.NO_CLIENT_INITIAL_CALLBACK:
            kwargs["prevent_initial_call"] = True
        register = super().callback(*rest, **kwargs)
        self._note_regular(self._callback_list[-1]["output"], rest, kwargs, none_output, bits, lane)

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            plain = kwargs.get("background") or not callable(function)
            register(function if plain else registration.regular_function(function, none_output=none_output))
            return function

        return decorate

    def _note_regular(
        self, id: str, args: list[Any], kwargs: dict[str, Any], none_output: bool, bits: int, lane: str | None
    ) -> None:
        outputs = [f"_none.{next(self._none_outputs)}"] if none_output else _output_texts(args, kwargs)
        for output in outputs:
            other = self._engine.registry.writer(output)
            if other is not None:
                raise RegistrationError(_both(output, other.name))
        self._regular_outputs[id] = outputs
        if bits & (Services.SERIALIZED_CALLBACK | Services.SERIALIZED_MOST_RECENT_CALLBACK):
            self._serialized[id] = lane or f"regular {id}"

    def callback_s0(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """A regular callback, as `callback` with ``service=Services.S0``."""
        return self.callback(*args, service=Services.S0, **kwargs)

    def callback_s2(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """A regular callback that runs one at a time over all clients: the results stay in the page that asked."""
        return self.callback(*args, service=Services.S2, **kwargs)

    def callback_shared(
        self,
        *args: Any,
        service: int = Services.SHARED,
        lane: str | None = None,
        most_recent: bool = False,
        max_age: float | None = None,
        max_change: int | None = None,
        on_error: Callable[[Exception], Any] | None = None,
        running: Any = None,
        **kwargs: Any,
    ) -> Callable[..., Any]:
        """A callback that runs at the server, one call at a time, from server start on; its results go to every page.

        Args:
            *args, **kwargs: any form of ``callback``; None as output means no output.
            service: `Services` bits.
            lane: callbacks that name the same lane never run at the same time: one per device.
            most_recent: keep at most one waiting call, with the newest values.
            max_age: seconds; a call that waited longer is dropped.
            max_change: bytes that one change of its inputs may have, where 256 KiB is not enough.
            on_error: called with the exception; what it returns is the result.
            running: ``(Output, value while it runs, value after)``, or a list of those.

        Raises:
            RegistrationError: what is wrong and what to do instead.
        """
        options = registration.SharedOptions(lane, most_recent, max_age, max_change, on_error, running)
        bits = check_service(service)

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            self._register_shared(registration.shared_callback(self, function, args, kwargs, bits, options))
            return function

        if not args and not kwargs:
            raise RegistrationError("callback_shared: expected an Output (or None) and an Input, got nothing")
        if isinstance(args[0] if args else None, str | dash.ClientsideFunction):
            decorate(print)  # raises: that is no Python function
        return decorate

    def _register_shared(self, callback: SharedCallback) -> None:
        taken = {output for outputs in self._regular_outputs.values() for output in outputs}
        for output in map(str, callback.outputs):
            if output in taken or output in GLOBAL_CALLBACK_MAP or output in self.callback_map:
                raise RegistrationError(_both(output, callback.name))
        for dep in callback.inputs:
            if dep.property in _PER_PAGE:
                warnings.warn(f"{callback.name}: {dep} differs from page to page; {_PER_PAGE[dep.property]}", stacklevel=4)
        self._engine.register(callback)

    def next_lane(self) -> int:
        """A number for a lane of its own."""
        return next(self._numbers)

    def next_none_output(self) -> int:
        """The number of the next None output."""
        return next(self._none_outputs)

    def share(self, id: Any, property: str) -> None:
        """Make a property two-way without a callback: every page shows the same value, anybody may change it.

        Args:
            id: a component id; may hold wildcards.
            property: the property's name.
        """
        self._engine.share(registration.to_dep(DashDependency(id, property)))

    def callback_connect(self, function: Callable[[Client, bool], Any]) -> Callable[[Client, bool], Any]:
        """Call ``function(client, connect)`` when a client joins (True) or leaves (False); sync or async, any number.

        A truthy return value on joining is pushed to that client.
        """
        self._hub.connect_callbacks.append(function)
        return function

    def callback_authorize_output(self, function: Callable[[Client, str], bool]) -> Callable[[Client, str], bool]:
        """Ask ``function(client, "id.property")`` before a callback that a page caused runs; ``"_none.N"`` for None outputs.

        False for any of its outputs: it does not run, as with PreventUpdate.
        """
        self._engine.authorize = function
        return function

    def on_shutdown(self, function: Callable[[], Any]) -> Callable[[], Any]:
        """Call ``function()`` when the server stops, sync or async: the place to release hardware."""
        self._shutdown_hooks.append(function)
        return function

    # ---- pushing -------------------------------------------------------------------------------------------------------
    def push_mods(self, mods: Any, client: Client | str | None = None) -> int:
        """Send new property values to all pages, or to one. From any thread, any coroutine, any callback, any time.

        Args:
            mods: ``{id: {property: value}}``, an ``Output`` with a value, a list of those, or a list of
                ``{"id", "property", "value"}``.
            client: a client or its id: only its page gets them, and they are not kept.

        Returns:
            The seq at which they stand.

        Raises:
            ModsError: another shape.
            UnserializableError: a value without a JSON form; nothing was sent.
        """
        items = self._items(mods)
        if client is None:
            return self._engine.push(items, self._cause())
        session = self._session(client)
        return self._hub.push_to(session, items)

    async def push_mods_coro(self, mods: Any, client: Client | str | None = None) -> int:
        """Like `push_mods`; returns when all callbacks that it caused have run."""
        items = self._items(mods)
        if client is not None:
            return self._hub.push_to(self._session(client), items)
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        seq = self._engine.push_and_wait(items, self._cause(waits=True), lambda: loop.call_soon_threadsafe(done.set))
        if self._hub.loop is not None:
            await done.wait()
        return seq

    def _items(self, mods: Any) -> list[Item]:
        from .mods import parse_mods

        return [self._engine.item(key, value) for key, value in parse_mods(mods)]

    @staticmethod
    def _cause(*, waits: bool = False) -> Cause:
        """A push from inside a callback belongs to its chain, but to no client."""
        call = current_call.get()
        if call is None:
            return SERVER
        held = call.cause.held | {call.callback.lane} if waits else call.cause.held
        return Cause(ancestors=call.child.ancestors, held=held, chain=call.cause.chain)

    def _session(self, client: Client | str) -> Session:
        session = self._hub.session_of(client)
        if session is None:
            raise ModsError(f"client: expected one of app.clients or its id, got {client!r:.60}; it may be gone for good")
        return session

    def get(self, id: Any, property: str) -> Any:
        """The server's value of a property, else what the layout gave it, else None. From any thread."""
        with self._engine.lock:
            return self._engine.value((id_text(id), property))

    @property
    def clients(self) -> Clients:
        """The pages that are open."""
        return self._hub.clients

    @property
    def metrics(self) -> dict[str, int]:
        """Counters since the start, and the size of things now."""
        shared = self._engine.shared
        return {**self._engine.metrics, "clients": len(self.clients), "seq": shared.seq, "shared_properties": len(shared)}

    # ---- the socket ----------------------------------------------------------------------------------------------------
    @property
    def socket_path(self) -> str:
        """Path of the push socket on this server."""
        return f"{self.config.routes_pathname_prefix}{PATH}"

    def admits(self, handshake: Handshake) -> bool:
        """May this request become a socket? Only pages of this very origin, and origins that were named."""
        origin = handshake.header(b"origin")
        cookies = handshake.header(b"cookie") is not None
        host = handshake.header(b"host")
        ok = origin_allowed(origin, scheme=handshake.scheme, host=host, cookies=cookies, allowed=self._allowed_origins)
        if not ok:
            self._engine.metrics["sockets_refused"] += 1
            logger.warning("socket refused: origin %r, host %r, from %s", origin, host, handshake.address)
        return ok

    def connect(
        self, handshake: Handshake, send: Callable[[bytes], None], close: Callable[[int, str], None]
    ) -> Connection:
        """The connection of an accepted socket."""
        if self._hub.loop is None:
            self._begin(asyncio.get_running_loop())
        return Connection(self._hub, handshake, send, close, self._requests.handle)

    # ---- the server's life ---------------------------------------------------------------------------------------------
    @property
    def asgi(self) -> Any:
        """The ASGI application, for any server: ``uvicorn module:app.asgi``."""
        return self.server

    async def _start(self) -> None:
        if self._hub.loop is None:
            self._begin(asyncio.get_running_loop())

    async def _started(self) -> None:
        await self._start()
        idle = self._engine.startup.idle
        if not idle.is_set():
            await in_thread(self._engine.lanes.threads, lambda: idle.wait(self._startup_wait))

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        from .server import only_process

        self._only = only_process(self.config.name, self.socket_path)
        self._take_pending()
        self._load_layout()
        self._hub.build = self._build_id()
        self._hub.start(loop)

    def _load_layout(self) -> None:
        """The state begins with what the layout says. What is wrong with it the pages say too, as in Dash."""
        try:
            self._setup_server()
            self._engine.load_layout(orjson.loads(to_json(self.get_layout())))
        except Exception:
            self._got_first_request["setup_server"] = False
            logger.exception("the layout cannot be read before a page asks for it; shared inputs begin without values")

    def _take_pending(self) -> None:
        while PENDING:
            function, args, kwargs = PENDING.pop(0)
            self.callback_shared(*args, **kwargs)(function)

    def _build_id(self) -> str:
        layout = self._layout
        code = getattr(layout, "__code__", None)
        parts = [
            str(protocol.VERSION),
            Path(__file__).with_name("static").joinpath("dash_devices.min.js").read_text(),
            to_json(self._callback_list),
            to_json([[str(dep) for dep in (*cb.inputs, *cb.outputs, *cb.state)] for cb in self._engine.registry.callbacks]),
            f"{code.co_code!r}{code.co_consts!r}" if code else (to_json(layout) if not callable(layout) else ""),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    async def _stop(self) -> None:
        self._hub.close_pages()
        await self._hub.stop()
        for hook in self._shutdown_hooks:
            try:
                result = hook() if inspect.iscoroutinefunction(hook) else in_thread(self._engine.lanes.threads, hook)
                await result
            except Exception:
                logger.exception("shutdown hook %s failed", getattr(hook, "__qualname__", hook))

    def stop(self) -> None:
        """End ``run()``. From any thread."""
        if self._end is None:
            raise ServerError("stop: the app is not served by run(); stop the server that serves it")
        self._end()

    def run_server(self, *args: Any, **kwargs: Any) -> None:
        """The original's name of `run`. Keywords of old versions are ignored, with a warning."""
        known = inspect.signature(self.run).parameters
        for name in [name for name in kwargs if name not in known]:
            warnings.warn(f"run_server: {name}= is not known any more and is ignored; use app.run()", stacklevel=2)
            del kwargs[name]
        self.run(*args, **kwargs)

    def enable_dev_tools(self, *args: Any, dev_tools_client_reload: bool | None = None, **kwargs: Any) -> bool:
        """As in Dash; ``dev_tools_client_reload`` is the original's name of ``dev_tools_hot_reload``."""
        if dev_tools_client_reload is not None:
            kwargs.setdefault("dev_tools_hot_reload", dev_tools_client_reload)
        return bool(super().enable_dev_tools(*args, **kwargs))

    def _asked_outputs(self, callback_id: str) -> list[str]:
        return self._regular_outputs.get(callback_id, [callback_id])

    def _show_error(self, message: str, detail: str) -> None:
        """In debug mode, pages show what a shared callback raised in Dash's dev tools."""
        if not self._dev_tools.ui:
            return
        error = protocol.encode(protocol.Error(message, detail))
        with self._engine.lock:
            for session in self._hub.sessions:
                if session.joined:
                    session.outbox.post(error)
        self._hub.wake()


_PER_PAGE = {
    "n_intervals": "push_mods from a thread, or a regular callback, does something at intervals",
    "pathname": "a regular callback may listen to the page's address",
    "search": "a regular callback may listen to the page's address",
    "href": "a regular callback may listen to the page's address",
}


def _both(output: str, name: str) -> str:
    return (
        f"{output}: a shared callback ({name}) and a regular one cannot both write it; "
        "write another property, or make both shared with allow_duplicate=True"
    )


def _output_texts(args: list[Any], kwargs: dict[str, Any]) -> list[str]:
    outputs = handle_grouped_callback_args(list(args), dict(kwargs))[0]
    flat = dash._grouping.flatten_grouping(outputs) if not isinstance(outputs, DashDependency) else [outputs]
    return [str(registration.to_dep(output)) for output in flat]


def _backend_for(backend: Any, server: Any) -> type[DevicesBackend]:
    """The backend class; for a server of the user's, one that gives that server instead of making one."""
    if backend not in (None, "quart", DevicesBackend):
        raise ServerError(f"backend: expected 'quart' or nothing, got {backend!r}; shared callbacks need Quart's event loop")
    if server in (None, True, False):
        return DevicesBackend
    if not isinstance(server, Quart):
        raise ServerError(f"server: expected a Quart app, got {type(server).__name__}; shared callbacks need an event loop")
    made = cast(Any, staticmethod(lambda name="", config=None: server))
    return type("DevicesBackend", (DevicesBackend,), {"create_app": made})


def callback_shared(*args: Any, **kwargs: Any) -> Callable[..., Any]:
    """`Dash.callback_shared` without an app at hand, for pages of a multi-page app: the app takes it when it starts."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        PENDING.append((function, args, kwargs))
        return function

    return decorate
