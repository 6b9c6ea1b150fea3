"""An app with secrets, and the pages of an admin and a guest."""

from __future__ import annotations

import json
from typing import Any

import dash_devices
from dash_devices import dcc, html
from dash_devices.clients import Client

from ..support import Raw

CANARY = "canary-5d1f"
GIVEN = "given-77ab"
"""What the layout itself holds."""


def is_admin(client: Client) -> bool:
    """Stands for a login: the browser says who it is."""
    return client.user_agent == "admin"


def make_app(**options: Any) -> dash_devices.Dash:
    """Controls, a secret, and a panel with a control in it; nobody is kept from anything yet."""
    app = dash_devices.Dash(__name__, **options)
    controls = [dcc.Input(id=id, value="0") for id in ("limit", "speed")]
    secret = html.Div(id="secret", children=GIVEN, title="open")
    panel = html.Div(id="panel", children=[dcc.Input(id="inside", value=GIVEN)])
    app.layout = html.Div([*controls, secret, html.Div(id="shown"), panel])
    return app


def said(page: Raw) -> str:
    """All that a page was sent."""
    return json.dumps(page.seen)
