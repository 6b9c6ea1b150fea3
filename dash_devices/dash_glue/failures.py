"""What went wrong reaches the page as a status and an id; the rest stays in the log, under that id."""

from __future__ import annotations

import errno
import logging
import secrets
from typing import Any

from dash.exceptions import DependencyException
from quart import Quart, Response, has_request_context, has_websocket_context, request, websocket
from werkzeug.exceptions import InternalServerError

logger = logging.getLogger("dash_devices.requests")


def failure_text(what: str) -> str:
    """Log that something failed, under a new id; what the other side may know of it."""
    id = secrets.token_hex(4)
    logger.error("error %s: %s", id, what)
    return f"Internal server error {id}. The log of the server says more."


def _log_failure(failure: Any) -> None:
    """In place of ``Quart.log_exception``, which writes the path as the client did; the traceback as `LogLimits` writes it."""
    asked: Any = request if has_request_context() else websocket if has_websocket_context() else None
    what = f"{getattr(asked, 'method', 'socket')} {asked.path!r:.200}" if asked else "a task"
    logger.error("%s failed", what, exc_info=failure)


def answer_failures(server: Quart) -> None:
    """Answer with an id what fails in any view, unless the server's author has an answer of his own."""

    def unknown() -> Response:
        return Response("Not found\n", status=404, content_type="text/plain")

    async def answer(error: Any) -> Response:
        cause = error.original_exception
        text = failure_text(f"{request.method} {request.path!r:.200} failed with {type(cause or error).__name__}")
        return Response(f"{text}\n", status=500, content_type="text/plain")

    async def answer_unknown(error: DependencyException) -> Response:
        logger.warning("%s %.200r: no such script", request.method, request.path)
        return unknown()

    async def answer_os_error(error: OSError) -> Response:
        if error.errno == errno.ENAMETOOLONG and (request.endpoint or "").endswith("static"):
            return unknown()  # no file can have the name that was asked for
        raise error

    if type(server).log_exception is Quart.log_exception:  # an author's own stays
        server.log_exception = _log_failure  # type: ignore[method-assign, assignment]
    known = server.error_handler_spec[None][None]
    for kind, handler in ((DependencyException, answer_unknown), (OSError, answer_os_error)):
        if kind not in known:
            server.register_error_handler(kind, handler)
    if not server.error_handler_spec[None].get(500):
        server.register_error_handler(InternalServerError, answer)
