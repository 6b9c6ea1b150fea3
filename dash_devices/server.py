"""``app.run()``: Hypercorn for HTTP and the push socket on one port, in this process, ended within three seconds."""

from __future__ import annotations

import asyncio
import functools
import gc
import hashlib
import ipaddress
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.logging import Logger
from hypercorn.utils import wrap_app
from quart import Quart

from . import holders
from .descriptors import raise_files
from .endpoint import socket_owner
from .errors import ServerError
from .files import open_no_link
from .gate.gate import OPEN
from .http_connections import HEAD_SECONDS, HttpConnection, HttpConnections
from .http_requests import RequestHandler
from .http_server import HttpServer
from .listener import Listener
from .log_text import traceback_of

if TYPE_CHECKING:
    from .app import Dash

logger = logging.getLogger("dash_devices.server")

BACKLOG = 2_048  # Hypercorn's default of 100 makes a burst of 1,000 connects take seconds
CLOSE_SECONDS = 1.0  # for pages to hear that the server goes
HOOK_SECONDS = 1.0  # for what the app wants to do last


def serve(
    app: Dash,
    *,
    host: str,
    port: int,
    certfile: str | None = None,
    keyfile: str | None = None,
    http2: bool = False,
    **unknown: Any,
) -> None:
    """Serve an app until SIGINT, SIGTERM or ``app.stop()``. ``http2``: speak HTTP/2 too, with TLS and without.

    Raises:
        ServerError: the port is in use, or the app refuses to begin.
    """
    if not app.gate.is_guarded and not is_loopback(host):
        logger.warning("%s can be reached from elsewhere, and %s", host or "every address of this machine", OPEN)
        app.gate.told_open = True
    if unknown:
        logger.warning("run: %s= belongs to another server and is ignored", "=, ".join(unknown))
    listening = _bind(host, port)
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    is_ours = threading.current_thread() is threading.main_thread()  # the process is there for this server
    if is_ours:  # what was imported and built until now stays: a collection that looks through it again took 19 ms
        gc.collect()
        gc.freeze()
    try:
        loop.run_until_complete(_Server(app, loop, listening, certfile, keyfile, http2).run())
    finally:
        if is_ours:
            gc.unfreeze()
        listening.close()
        _drop_tasks(loop)
        asyncio.set_event_loop(None)
        loop.close()


def is_loopback(host: str) -> bool:
    """Can only this machine reach it? A name counts if all it stands for is."""
    try:
        found = socket.getaddrinfo(host, None) if host else []
    except OSError:
        return False  # the error is told when it is listened to
    return bool(found) and all(ipaddress.ip_address(str(row[4][0])).is_loopback for row in found)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed (``dash_devices[fast]``), else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _bind(host: str, port: int) -> socket.socket:
    """Take the port, so that it fails early; nobody is listened to before the app has started."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # free again right after a kill -9
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ServerError(
            f"{host}:{port}: cannot listen there ({os.strerror(error.errno or 0)}{holders.of_port(port)}); "
            "stop what uses the port, or run(port=...) another"
        ) from error
    holders.close_in_children(bound)
    return bound


def _drop_tasks(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())


def _lift_limits(server: Quart, message_bytes: int) -> None:
    """Quart ends each answer and each body after 60 s; here the pace counts instead. What the author has set stays."""
    ours = {"RESPONSE_TIMEOUT": None, "BODY_TIMEOUT": None, "MAX_CONTENT_LENGTH": message_bytes}
    for name, value in ours.items():
        if server.config[name] == (default := server.default_config[name]):
            server.config[name] = value and max(value, default)


class _Log(Logger):
    """Hypercorn's log, with tracebacks that make no lines of their own."""

    async def exception(self, message: str, *args: Any, **kwargs: Any) -> None:
        await self.error("%s\n%s", message, traceback_of(sys.exc_info()[1]))


class _Server:
    def __init__(
        self,
        app: Dash,
        loop: asyncio.AbstractEventLoop,
        listening: socket.socket,
        certfile: str | None,
        keyfile: str | None,
        http2: bool,
    ) -> None:
        self._app = app
        self._http2 = http2
        self._loop = loop
        self._listening = listening
        self._config = Config()
        self._config.certfile, self._config.keyfile = certfile, keyfile
        self._config.accesslog = None
        self._config.max_app_queue_size = 2  # parts of a body that wait, of 64 KiB
        self._config.alpn_protocols = ["h2", "http/1.1"] if http2 else ["http/1.1"]
        self._config.include_server_header = False  # nobody has to know the version
        self._config.logger_class = _Log
        self._config.errorlog = logging.getLogger("dash_devices.http")
        self._context = WorkerContext(None)
        self._state: dict[str, Any] = {}
        self._asgi = wrap_app(app.server, self._config.wsgi_max_body_size, mode=None)
        self._end = asyncio.Event()
        self._connections = HttpConnections(app.gate.refusals, loop.time, raise_files())
        self._live: set[Listener] = set()
        self._http: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        self._app._end = lambda: self._loop.call_soon_threadsafe(self._end.set)
        vars(self._app.backend)["_ws_shutdown_event"] = (
            self._end
        )  # where dash.testing (4.4.1) looks to end a Quart server
        self._take_signals()
        _lift_limits(self._app.server, self._app.limits.message_bytes)
        self._loop.set_exception_handler(self._app.gate.watch.handle)
        lifespan = Lifespan(self._asgi, self._config, self._loop, self._state)
        task = self._loop.create_task(lifespan.handle_lifespan())
        await lifespan.wait_for_startup()
        await self._check_startup(task)
        tls: dict[str, Any] = {}
        if self._config.ssl_enabled:
            tls = {"ssl": self._config.create_ssl_context(), "ssl_handshake_timeout": HEAD_SECONDS}
        server = await self._loop.create_server(self._accept, sock=self._listening, backlog=BACKLOG, **tls)
        logger.info("listening on %s:%s", *self._listening.getsockname()[:2])
        self._connections.start(self._loop)
        try:
            await self._end.wait()
        finally:
            self._app._end = None
            server.close()
            self._connections.stop()
            await self._close(lifespan)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _check_startup(self, task: asyncio.Task[None]) -> None:
        """An app that cannot begin is not served; what it said itself says more than the server's own words."""
        for app in self._app.server.extensions["dash_devices"]:
            refusal, app._refusal = app._refusal, None
            if refusal is not None:
                await asyncio.gather(task, return_exceptions=True)
                raise refusal

    def _take_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        if self._end.is_set():
            logger.warning("asked to end twice: ending at once")
            os._exit(1)
        self._end.set()

    def _accept(self) -> Listener:
        apps = self._app.server.extensions["dash_devices"]
        return Listener(apps, self._hand_over, self._live, self._connections, http2=self._http2)

    def _hand_over(self, transport: asyncio.Transport, head: bytes, connection: HttpConnection) -> None:
        """Give a connection to Hypercorn as if it had accepted it itself."""
        cut = functools.partial(self._connections.cut, connection)
        handler = RequestHandler(self._app.server, connection, self._app.limits, cut, self._connections.room)
        shared = (self._config, self._context, self._state, self._connections)
        back: dict[str, Any] = {"is_socket": self._is_socket, "take_back": self._take_back}
        server = HttpServer(handler, *shared, connection, transport, head, **back, http2=self._http2)
        task = self._loop.create_task(server.run())
        self._http.add(task)
        task.add_done_callback(self._http.discard)

    def _is_socket(self, line: bytes) -> bool:
        return socket_owner(line, self._app.server.extensions["dash_devices"]) is not None

    def _take_back(self, transport: asyncio.Transport, head: bytes) -> None:
        """A proxy may ask for the push socket over a connection that it has used before."""
        listener = self._accept()
        transport.set_protocol(listener)
        listener.connection_made(transport)
        listener.data_received(head)

    async def _close(self, lifespan: Lifespan) -> None:
        """Pages are told first, then the app has its say, then what is still open is cut."""
        deadline = self._loop.time() + CLOSE_SECONDS  # runs beside the hooks: all of it has to fit into three seconds
        for app in self._app.server.extensions["dash_devices"]:
            app._hub.close_pages()
        await self._context.terminated.set()
        try:
            await asyncio.wait_for(lifespan.wait_for_shutdown(), HOOK_SECONDS)
        except TimeoutError:
            logger.error("shutdown hooks took longer than %g s; ending without them", HOOK_SECONDS)
        # two sets that many tasks change, for a second at most: no event would be simpler
        while (self._live or self._http) and self._loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for listener in list(self._live):
            listener.abort()
        self._connections.cut_all()


def only_process(name: str, path: str) -> IO[str] | None:
    """Hold the place of the one process that runs an app's devices, where a server starts several workers.

    Returns:
        The held lock file; None where this process was not started as a worker.

    Raises:
        ServerError: another worker of the same server holds it, or it is no file of this user.
    """
    parent = multiprocessing.parent_process()
    if (parent is None and "gunicorn" not in sys.modules) or sys.platform == "win32":
        return None
    import fcntl

    key = hashlib.sha256(f"{os.getuid()} {os.getppid()} {os.getcwd()} {name} {path}".encode()).hexdigest()[:24]
    place = Path(tempfile.gettempdir(), f"dash-devices-{key}.lock")
    try:
        lock = os.fdopen(open_no_link(place), "r+")  # held until exit; others may write in that folder, too
    except OSError as error:
        raise ServerError(f"{place}: cannot be opened ({error.strerror}); remove it") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise ServerError(
            "several workers would each run this app's callbacks and devices; serve it with one worker process"
            f" (the place is taken{holders.of_file(place)})"
        ) from None
    holders.close_in_children(lock)
    return lock
