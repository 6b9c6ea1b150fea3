"""A pytest plug-in: every server of the tests is reached through nginx or haproxy.

``SOAK_FRONT="nginx tls" python -m pytest -p tests.soak.through -m browser``
"""

from __future__ import annotations

import contextlib
import os
import ssl
from typing import Any

import dash_devices
import tests.conftest
import tests.support
from dash_devices.gate.proxies import TrustedProxies

from .fronts import Form, front, trusting

FORM = Form(*os.environ["SOAK_FRONT"].split())
UNSURE = "--ignore-certificate-errors"

real_enter, real_exit = tests.support.ServerThread.__enter__, tests.support.ServerThread.__exit__
stacks: dict[int, contextlib.ExitStack] = {}


def enter(server: Any) -> Any:
    """The server, and what stands before it, which it trusts, as its author would have told it."""
    real_enter(server)
    stack = stacks[id(server)] = contextlib.ExitStack()
    url = stack.enter_context(front(FORM, server.port))
    if isinstance(server.app, dash_devices.Dash):
        server.app.gate.proxies = TrustedProxies(["127.0.0.1"])
    server.url = url.rstrip("/")
    return server


def leave(server: Any, *error: Any) -> None:
    """What stands before it goes first."""
    stacks.pop(id(server)).close()
    real_exit(server, *error)


if FORM.kind == "tls":  # scripts of the tests take our own certificate, as the browser is told to
    ssl.create_default_context = trusting  # type: ignore[assignment]
if FORM.kind == "prefix":
    os.environ["DASH_REQUESTS_PATHNAME_PREFIX"] = FORM.prefix
    os.environ["DASH_ROUTES_PATHNAME_PREFIX"] = "/"
tests.support.ServerThread.__enter__ = enter  # type: ignore[method-assign]
tests.support.ServerThread.__exit__ = leave  # type: ignore[method-assign]
tests.conftest.CHROMIUM_FLAGS = (*tests.conftest.CHROMIUM_FLAGS, UNSURE)
