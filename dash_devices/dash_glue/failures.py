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


def _asked() -> str:
    """What was asked for, for the log."""
    if has_request_context():
        return f"{request.method} {request.path!r:.200}"
    return f"socket {websocket.path!r:.200}" if has_websocket_context() else "a task"


def _log_failure(failure: Any) -> None:
    """In place of ``Quart.log_exception``, which writes the path as the client did; the traceback as `LogLimits` writes it."""
    logger.error("%s failed", _asked(), exc_info=failure)


def answer_failures(server: Quart) -> None:
    """Answer with an id what fails in any view, unless the server's author has an answer of his own."""

    def unknown() -> Response:
        return Response("Not found\n", status=404, content_type="text/plain")

    async def answer(error: Any) -> Response:
        cause = error.original_exception
        text = failure_text(f"{_asked()} failed with {type(cause or error).__name__}")
        return Response(f"{text}\n", status=500, content_type="text/plain")

    async def answer_unknown(error: DependencyException) -> Response:
        logger.warning("%s: no such script", _asked())
        return unknown()

    async def answer_os_error(error: OSError) -> Response:
        is_file = has_request_context() and (request.endpoint or "").endswith("static")
        if error.errno == errno.ENAMETOOLONG and is_file:
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
