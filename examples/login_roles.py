"""Login with two roles: whoever is logged in sees the dome, operators alone move it."""

from typing import Any

from werkzeug.security import generate_password_hash

import dash_devices
from dash_devices import User, dcc, html
from dash_devices.dependencies import Input, Output

# An example: write what `python -m dash_devices hash-password` prints in place of these, and keep it elsewhere.
USERS = {
    "ada": User(generate_password_hash("lovelace"), roles=["operator"]),
    "grace": User(generate_password_hash("hopper"), roles=["guest"]),
}
app = dash_devices.Dash(__name__, title="Dome")
app.login(USERS)
app.layout = html.Main(
    [
        html.H1("Dome"),
        html.P(id="who"),
        html.Label("Shutter", htmlFor="shutter"),
        dcc.Slider(0, 100, step=5, value=0, marks=None, allow_direct_input=False, id="shutter"),
        html.Output(id="shutter-text"),
        html.Label("Note, for everybody", htmlFor="note"),
        dcc.Input(id="note", value="", debounce=True, placeholder="what is going on tonight"),
        html.Form(html.Button("Log out", className="quiet"), action=app.logout_url, method="POST"),
    ]
)
app.share("note", "value")


@app.callback_connect
def joined(client: Any, connect: bool) -> Any:
    """Each page is told who it is; a guest's slider looks as it is: not his."""
    is_operator = "operator" in client.authentication.roles
    said = f"{client.username}, {'operator: you may move it.' if is_operator else 'guest: you may watch.'}"
    return {"who": {"children": said}, "shutter": {"disabled": not is_operator}} if connect else None


@app.callback_shared(Output("shutter-text", "children"), [Input("shutter", "value")], allow="operator")
def move(opening: int) -> str:
    """The disabled slider is for the eye; ``allow=`` is what keeps a guest from moving the dome."""
    client = dash_devices.ctx.client
    return f"{opening} % open" + (f", by {client.username}" if client else "")


if __name__ == "__main__":
    app.run()
