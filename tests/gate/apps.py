"""An app with a login, ways to ask it, and cookies that it must not take."""

from __future__ import annotations

import hashlib
import http.client
from typing import Any
from urllib.parse import urlencode

from itsdangerous import URLSafeTimedSerializer
from werkzeug.security import generate_password_hash

import dash_devices
from dash_devices import User, dcc, html
from dash_devices.dependencies import Input, Output

PASSWORD = "correct horse"
HASH = generate_password_hash(PASSWORD, "pbkdf2:sha256:1000")  # cheap: these are tests
TOKEN = "a token of a script"
SHA = hashlib.sha256(TOKEN.encode()).hexdigest()


def make_app(name: str = __name__, **options: Any) -> dash_devices.Dash:
    """An app without a login yet; ``app.touched`` has what ran."""
    app: Any = dash_devices.Dash(name, title="Laser <room>", **options)
    app.layout = html.Div(
        [dcc.Input(id="a", value="0"), html.Div(id="shown"), html.Button(id="go"), html.Div(id="own")]
    )
    app.touched = []

    @app.callback_shared(Output("shown", "children"), [Input("a", "value")], prevent_initial_call=True)
    def shared(value: Any) -> Any:
        app.touched.append(value)
        return value

    @app.callback(Output("own", "children"), [Input("go", "n_clicks")], prevent_initial_call=True)
    def regular(clicks: int) -> str:
        client = dash_devices.ctx.client
        return f"{client.username} {client.authentication}"

    @app.server.route("/view", methods=["GET", "POST"])
    async def view() -> str:
        from quart import request

        app.touched.append("view")
        return str(request.scope["dash_devices.identity"])

    @app.server.websocket("/own")
    async def own() -> None:
        from quart import websocket

        app.touched.append("own")
        while True:
            await websocket.send(await websocket.receive())

    return app  # type: ignore[no-any-return]


def with_login(**options: Any) -> dash_devices.Dash:
    """The app with two users and a script."""
    app = make_app(**options)
    users: dict[str, Any] = {"ada": User(HASH, roles=["operator"]), "grace": HASH, "logger": User(token=SHA)}
    app.login(users)
    app.users = users  # type: ignore[attr-defined]
    return app


class Answer:
    """Status, headers (lower case) and text."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode(errors="replace")

    @property
    def cookie(self) -> str:
        """``name=value`` of the cookie that was set."""
        return self.headers.get("set-cookie", "").partition(";")[0]


def ask(server: Any, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
    """One request. Header names: an underscore for each dash."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def log_in(server: Any, name: str = "ada", password: str = PASSWORD, **more: str) -> Answer:
    """Send the form. ``more``: fields, or headers that begin with a capital."""
    fields = {key: value for key, value in more.items() if key[0].islower()}
    headers = {key: value for key, value in more.items() if key[0].isupper()}
    form = urlencode({"name": name, "password": password, **fields})
    headers = {"Content_Type": "application/x-www-form-urlencoded", **headers}
    return ask(server, "/_dash-devices/login", "POST", form, **headers)


def forged(cookie: str) -> dict[str, str]:
    """Cookies made of a good one (``name=value``), by what is wrong with them."""
    name, _, value = cookie.partition("=")
    payload, at, signature = value.split(".")
    other = URLSafeTimedSerializer("guessed", salt="dash_devices.login")
    return {
        "no signature": f"{name}={payload}.{at}.",
        "tampered": f"{name}=x{payload}.{at}.{signature}",
        "younger": f"{name}={payload}.zzzzzz.{signature}",
        "other key": f"{name}={other.dumps({'u': 'ada', 'g': 0, 's': 'x', 'k': 'x'})}",
        "alg none": f"{name}=eyJhbGciOiJub25lIn0.eyJ1IjoiYWRhIn0.",
        "empty": f"{name}=",
        "junk": f"{name}={'.' * 50}",
        "another name": f"session={value}",
    }
