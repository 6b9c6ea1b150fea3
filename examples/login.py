"""Login: an alternative result opens the room for one client; what moves a device asks `client.authentication`."""

import hmac
from typing import Any

import dash_devices
from dash_devices import callback_context, dcc, html
from dash_devices.dependencies import Input, Output, State

PASSWORDS = {"ada": "lovelace", "grace": "hopper"}  # an example: keep yours hashed, elsewhere

form = [
    html.Label("Name", htmlFor="user"),
    dcc.Input(id="user", autoComplete="username"),
    html.Label("Password", htmlFor="password"),
    dcc.Input(id="password", type="password", autoComplete="current-password"),
    html.Button("Come in", id="login"),
    html.P(id="refused", role="alert"),
]
app = dash_devices.Dash(__name__, title="Login", suppress_callback_exceptions=True)
app.layout = html.Main([html.H1("Laser room"), html.Div(form, id="room")])


def room(user: str) -> list[Any]:
    """What ``user`` sees: the name is his alone, the laser is everybody's."""
    return [
        html.P(f"Welcome, {user}.", id="welcome"),
        html.Label("Laser", htmlFor="laser"),
        dcc.Slider(0, 100, step=1, value=0, marks=None, allow_direct_input=False, id="laser"),
        html.Output(id="laser-text"),
    ]


@app.callback(
    Output("refused", "children"),
    [Input("login", "n_clicks")],
    [State("user", "value"), State("password", "value")],
    prevent_initial_call=True,
)
def log_in(_clicks: int, user: str | None, password: str | None) -> Any:
    if not hmac.compare_digest(PASSWORDS.get(user or "", "\0"), password or ""):
        return "Wrong name or password."
    callback_context.client.authentication = user
    return Output("room", "children", room(user or ""))  # instead of the declared output, in this page only


@app.callback_shared(Output("laser-text", "children"), [Input("laser", "value")])
def set_laser(power: int) -> str:
    return f"{power} % by {callback_context.client.authentication if callback_context.client else 'nobody'}"


@app.callback_authorize_output
def allowed(client: Any, output_id: str) -> bool:
    return not output_id.startswith("laser") or client.authentication is not None


if __name__ == "__main__":
    app.run()
