"""Dash for devices: live Dash pages whose state is the same in every open tab.

``import dash_devices as dash`` works: everything of Dash stays reachable.
"""

from typing import Any

import dash as _dash
from dash import Patch as Patch
from dash import clientside_callback as clientside_callback
from dash import dcc as dcc
from dash import html as html
from dash import no_update as no_update
from dash import set_props as set_props

from . import dependencies as dependencies
from . import exceptions as exceptions
from .app import Dash as Dash
from .app import callback_shared as callback_shared
from .clients import Client as Client
from .clients import Clients as Clients
from .dash_glue.invocation import callback_context as callback_context
from .dash_glue.registration import callback as callback
from .dash_glue.registration import callback_s2 as callback_s2
from .dependencies import ALL as ALL
from .dependencies import ALLSMALLER as ALLSMALLER
from .dependencies import MATCH as MATCH
from .dependencies import ClientsideFunction as ClientsideFunction
from .dependencies import Input as Input
from .dependencies import Output as Output
from .dependencies import State as State
from .services import Services as Services
from .version import __version__ as __version__

ctx = callback_context

__all__ = [
    "ALL",
    "ALLSMALLER",
    "MATCH",
    "Client",
    "Clients",
    "ClientsideFunction",
    "Dash",
    "Input",
    "Output",
    "Patch",
    "Services",
    "State",
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
