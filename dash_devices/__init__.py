"""Dash for devices: live Dash pages whose state is the same in every open tab.

``import dash_devices as dash`` works: everything of Dash stays reachable.
"""

from typing import Any

import dash as _dash
from dash import (
    Patch as Patch,
    clientside_callback as clientside_callback,
    dcc as dcc,
    html as html,
    no_update as no_update,
    set_props as set_props,
)

from . import dependencies as dependencies, exceptions as exceptions
from .app import Dash as Dash
from .clients import Client as Client, Clients as Clients
from .dash_glue.invocation import callback_context as callback_context
from .dash_glue.registering import callback_shared as callback_shared
from .dash_glue.registration import callback as callback, callback_s2 as callback_s2
from .dependencies import (
    ALL as ALL,
    ALLSMALLER as ALLSMALLER,
    MATCH as MATCH,
    ClientsideFunction as ClientsideFunction,
    Input as Input,
    Output as Output,
    State as State,
)
from .gate.users import User as User
from .identity import AuthRequest as AuthRequest, Identity as Identity, Refuse as Refuse
from .limits import PageLimits as PageLimits
from .services import Services as Services
from .version import __version__ as __version__

ctx = callback_context

__all__ = [
    "ALL",
    "ALLSMALLER",
    "MATCH",
    "AuthRequest",
    "Client",
    "Clients",
    "ClientsideFunction",
    "Dash",
    "Identity",
    "Input",
    "Output",
    "PageLimits",
    "Patch",
    "Refuse",
    "Services",
    "State",
    "User",
    "__version__",
    "callback",
    "callback_context",
    "callback_s2",
    "callback_shared",
    "clientside_callback",
    "ctx",
    "dcc",
    "dependencies",
    "exceptions",
    "html",
    "no_update",
    "set_props",
]


def __getattr__(name: str) -> Any:
    """Everything else of Dash."""
    return getattr(_dash, name)
