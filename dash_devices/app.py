"""``Dash``: a `dash.Dash` on Quart with shared callbacks, pushes, and a table of who is there."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import logging
import warnings
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import IO, Any

import orjson
from dash import Dash as StockDash
from dash._utils import to_json
from quart import Quart, Response

from . import codec, protocol
from .connection import Connection, Handshake, Wire
from .dash_glue.backend import backend_for
from .dash_glue.encoding import encode
from .dash_glue.failures import answer_failures
from .dash_glue.gating import Gating
from .dash_glue.layout import StateInLayouts
from .dash_glue.persisting import Persisting
from .dash_glue.protecting import Protecting
from .dash_glue.pushing import Pushing
from .dash_glue.registering import PENDING, Registering
from .dash_glue.requests import SocketRequests, page_session, page_view
from .dash_glue.shares import ThreadShares
from .encoder import MAX_VALUE
from .engine import Engine
from .errors import ServerError
from .gate.headers import Csp
from .hub import Hub
from .limits import PageLimits
from .loglimits import bound_all
from .protocol import PATH, SEQ_HEADER
from .server import only_process
from .services import Services
from .threads import in_thread

logger = logging.getLogger("dash_devices.app")


class Dash(Registering, Pushing, Gating, Protecting, Persisting, StockDash):
    """A Dash app whose shared callbacks run at the server and whose shared properties are the same in every page.

    Takes everything that `dash.Dash` takes (``server=`` a Quart app of yours, ``use_pages``, ``url_base_pathname`` ..), and:

    Args:
        server_service: ``Services.PUSHER_ALL`` (Dash's own requests travel over the page's socket) or ``Services.NORMAL`` (HTTP).
        callback_service: the service of callbacks that name none.
        startup_wait: seconds that the first pages wait for the callbacks that run at startup.
        leave_after: seconds that a lost socket may take to come back before its client leaves.
        allowed_origins: web origins beside our own whose pages may come here, as ``https://host[:port]``.
        allowed_hosts: names of this server, beside its own and all addresses: ``lab.example``, ``*.lab.example``.
        trusted_proxies: addresses or networks whose ``X-Forwarded-For``, ``-Proto``, ``-Host`` and ``-Prefix`` are believed.
        csp: what pages may load beside what they need, as ``{"img-src": ["https://tiles.example"]}``; False: no policy.
        max_sockets: open sockets in all.
        max_sockets_per_address: of one address; loopback and trusted proxies have no such limit.
        event_properties: names of further properties that are events: sent to the pages open now, never replayed.
        lane_capacity: calls that may wait in one lane.
        max_value: bytes that one whole value, pushed or returned by a shared callback, may have as JSON.
        max_change_age: seconds after which a change that arrives for the first time is refused: what was clicked before the
            line was lost moves no motor when it is back. None: never.
        rerun: after a restart, do open pages repeat the initial calls of regular callbacks? See ``rerun=`` of `callback`, too.
        page_limits: how much one page may ask of the server.
        state: a file that keeps the shared properties over restarts and crashes; see `persist` to keep only some.
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
        allowed_hosts: Iterable[str] = (),
        trusted_proxies: Iterable[str] = (),
        csp: Csp | bool | None = True,
        max_sockets: int = 2_000,
        max_sockets_per_address: int = 64,
        event_properties: Iterable[str] = (),
        lane_capacity: int = 10_000,
        max_value: int = MAX_VALUE,
        max_change_age: float | None = 5.0,
        rerun: bool = True,
        page_limits: PageLimits | None = None,
        state: str | PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        self._engine = Engine(encode, event_properties)
        self._engine.lanes.capacity = lane_capacity
        self._engine.item.most = max_value
        self._engine.report_error = self._show_error
        self._engine.early = self._load_early
        self._hub = Hub(self._engine, leave_after=leave_after, limits=page_limits)
        self._hub.intake.max_change_age = max_change_age
        self._hub.greeter.rerun = rerun
        self._hub.presence.push_to_page = self.push_mods
        self._requests = SocketRequests(self)
        self._thread_shares = ThreadShares(self._engine.lanes.threads)
        self._state_in_layouts = StateInLayouts(self._engine)
        self._server_service = server_service
        self._startup_wait = startup_wait
        allowed_origins = tuple(allowed_origins)
        Gating.__init__(
            self,
            csp=csp,
            origins=allowed_origins,
            hosts=allowed_hosts,
            proxies=trusted_proxies,
            most=max_sockets,
            most_each=max_sockets_per_address,
        )
        self._only: IO[str] | None = None
        self._refusal: ServerError | None = None
        Registering.__init__(self, callback_service)
        Persisting.__init__(self, state)
        self._attached: Quart | None = None
        self._end: Callable[[], object] | None = None
        options.setdefault("compress", True)
        options.setdefault("websocket_allowed_origins", list(allowed_origins))
        StockDash.__init__(
            self, name=name, server=bool(server), backend=backend_for(options.pop("backend", None), server), **options
        )
        self.scripts.append_script({"relative_package_path": "static/dash_devices.min.js", "namespace": "dash_devices"})

    # ---- Dash's own hooks ----------------------------------------------------------------------------------------------
    def init_app(self, app: Any = None, **kwargs: Any) -> None:
        """Add the app to a Quart server; see `dash.Dash.init_app`."""
        StockDash.init_app(self, app, **kwargs)
        if self._attached is not self.server:
            self._attached = self.server
            self._attach(self.server)

    def _attach(self, server: Quart) -> None:
        self._guard(server)
        answer_failures(server)
        server.before_serving(self._start)
        server.after_serving(self._stop)
        server.extensions.setdefault("dash_devices", []).append(self)
        self._add_url("_dash-devices/cookie/<nonce>", self._requests.serve_cookies)
        self._add_url("_dash-devices/metrics", self._serve_metrics)

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = self._without_secrets(StockDash._config(self))
        config["dash_devices"] = {
            "url": self.config.requests_pathname_prefix + PATH,
            "build": self._hub.build,
            "over_socket": bool(self._server_service & Services.PUSHER_ALL),
        }
        return config

    async def serve_layout(self) -> Response:
        """The layout with the shared state in it, and the seq it stands at: the mods after it start exactly there."""
        await self._started()
        session, view = page_session(self), page_view(self)
        layout = await in_thread(self._thread_shares.layouts, self.get_layout)
        encoded, seq = self._state_in_layouts.fill_layout(layout, session, view)
        response = Response(encoded, content_type="application/json")
        response.headers[SEQ_HEADER] = f"{self._hub.epoch}:{seq}"
        response.headers["Cache-Control"] = "no-store"
        return response

    # ---- the socket ----------------------------------------------------------------------------------------------------
    @property
    def socket_path(self) -> str:
        """Path of the push socket on this server."""
        return f"{self.config.routes_pathname_prefix}{PATH}"

    @property
    def limits(self) -> PageLimits:
        """What one page may do; see ``page_limits=``."""
        return self._hub.limits

    def connect(self, handshake: Handshake, wire: Wire) -> Connection:
        """The connection of an accepted socket."""
        if self._hub.loop is None:
            self._begin(asyncio.get_running_loop())
        return Connection(self._hub, handshake, wire, self._requests.handle)

    # ---- the server's life ---------------------------------------------------------------------------------------------
    @property
    def asgi(self) -> Any:
        """The ASGI application, for any server: ``uvicorn module:app.asgi``."""
        return self.server

    async def _start(self) -> None:
        if self._hub.loop is None:
            try:
                self._begin(asyncio.get_running_loop())
            except ServerError as refusal:
                self._refusal = refusal
                raise

    async def _started(self) -> None:
        await self._start()
        await self._thread_shares.wait_for(self._engine.startup.idle, self._startup_wait)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        bound_all()
        self._only = only_process(self.config.name, self.socket_path)
        self.gate.hosts.look_up(self.gate.watch)
        self._take_pending()
        self._load_layout()
        self._open_state()
        self._hub.build = self._build_id()
        self._hub.start(loop)
        self._begin_state(loop)

    def _load_layout(self) -> None:
        """The state begins with what the layout says. What is wrong with it the pages say too, as in Dash."""
        try:
            StockDash._setup_server(self)
            self._engine.load_layout(self._layout_tree())
        except Exception:
            self._got_first_request["setup_server"] = False
            logger.exception("the layout cannot be read before a page asks for it; shared inputs begin without values")

    def _load_early(self) -> None:
        """A push before the server runs builds on what the layout gave."""
        if self._layout is not None:
            self._engine.load_layout(self._layout_tree())

    def _layout_tree(self) -> Any:
        return orjson.loads(to_json(self.get_layout()))

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
            to_json(
                [[str(dep) for dep in (*cb.inputs, *cb.outputs, *cb.state)] for cb in self._engine.registry.callbacks]
            ),
            f"{code.co_code!r}{code.co_consts!r}" if code else (to_json(layout) if not callable(layout) else ""),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    async def _stop(self) -> None:
        self._hub.close_pages()
        await self._hub.stop()
        try:
            await self._run_shutdown_hooks()
        finally:
            await self._close_state()

    async def _run_shutdown_hooks(self) -> None:
        for hook in reversed(self._shutdown_hooks):
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
        error = codec.encode(protocol.Error(message, detail))
        # nobody knows which values it names
        self._hub.presence.post(error, to=lambda session: session.outbox.view is None)
