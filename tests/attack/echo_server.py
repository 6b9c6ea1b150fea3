"""The push socket's transport with an echo behind it: ``python -m tests.attack.echo_server PORT``. For the Autobahn test suite.

It is that of ``app.run()``; only what is done with a message is another thing, and the limits on fragments and pings are off.
"""

from __future__ import annotations

import sys
from typing import Any

import dash_devices
from dash_devices import PageLimits, html
from dash_devices.connection import Connection, Handshake, Wire

NO_LIMITS = PageLimits(
    fragments=10**9,
    control_per_second=1e9,
    messages_per_second=1e9,
    bytes_per_second=1e12,
    work_per_second=1e9,
)


class Echo(Connection):
    """Sends back what it is sent. It never says hello, and is given time."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._timer.cancel()

    def receive(self, data: str | bytes) -> None:
        """A message."""
        self._wire.send(data.encode() if isinstance(data, str) else bytes(data))


class EchoApp(dash_devices.Dash):
    """An app whose sockets echo."""

    def connect(self, handshake: Handshake, wire: Wire) -> Connection:
        """The connection of an accepted socket."""
        super().connect(handshake, wire)._timer.cancel()  # begins the app
        return Echo(self._hub, handshake, wire, self._requests.handle)


if __name__ == "__main__":
    app = EchoApp(__name__, page_limits=NO_LIMITS)
    app.layout = html.Div()
    app.run(port=int(sys.argv[1]))
