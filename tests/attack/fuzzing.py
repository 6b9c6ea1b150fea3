"""From a frame to what it does, without a network: connection, hub, engine, callbacks and Dash's requests are the real ones."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from pathlib import Path
from typing import Any

import orjson

import dash_devices
from dash_devices import ALL, dcc, html
from dash_devices.connection import Connection, Handshake
from dash_devices.dependencies import Input, Output, State
from dash_devices.sessions import Session

CORPUS = Path(__file__).with_name("corpus")
MOST_SECONDS = 0.05  # of this thread, for one input
PER_LIFE = 5_000  # inputs that one server is given: what may pile up in it is bounded by the limits, not by us
SPLIT = b"\n"  # between the frames of one input


def make_app() -> dash_devices.Dash:
    """One of everything that a frame can reach."""
    app = dash_devices.Dash(__name__)
    controls = [dcc.Input(id="a", value="0"), dcc.Input(id={"type": "g", "index": 0}, value=0), dcc.Graph(id="plot")]
    app.layout = html.Div([*controls, html.Div(id="shown"), html.Div(id="panel"), html.Div(id="own")])
    app.share("panel", "children", components=True)
    app.share("plot", "extendData")
    app.protect("own.children", read="admin")

    @app.callback_shared(Output("shown", "children"), Input("a", "value"), State("own", "title"))
    async def echo(value: Any, title: Any) -> Any:
        return [value, title]

    @app.callback_shared(None, Input({"type": "g", "index": ALL}, "value"), allow=lambda client: bool(client.id))
    async def gains(values: Any) -> None:
        pass

    @app.callback(Output("own", "children"), Input("a", "n_blur"))
    async def regular(count: Any) -> Any:
        return count

    return app


class Wire:
    """Takes what the server sends, and forgets it."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, frame: bytes) -> None:
        """A frame."""
        self.sent += len(frame)

    def close(self, code: int, reason: str) -> None:
        """The end of it."""

    def abort(self) -> None:
        """Likewise."""

    def progress(self) -> tuple[int, int]:
        """All is taken at once."""
        return self.sent, 0


class Target:
    """Takes inputs: a few frames on one line each.

    Attributes:
        uncaught: what was raised where nothing may be raised.
        slow: inputs that took longer than they may, with the seconds.
        longest: seconds of the slowest input.
        count: how many inputs there were.
    """

    def __init__(self) -> None:
        self.uncaught: list[str] = []
        self.slow: list[tuple[float, bytes]] = []
        self.longest = 0.0
        self.count = 0
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda loop, context: self.uncaught.append(str(context)[:300]))
        logging.disable(logging.CRITICAL)
        self._begin()

    def _begin(self) -> None:
        self.app: Any = None
        gc.unfreeze()
        gc.collect()  # the server before this one: frozen, it would never go
        self.app = make_app()
        self.loop.run_until_complete(self.app._start())
        self._turn(5)
        self._token, first = "", self._connect()
        self._token = self._hello(first).token
        first.closed(1001)
        gc.freeze()  # what a collection takes depends on all that was ever imported

    def renew(self) -> None:
        """Begin another life of the server."""
        self.loop.run_until_complete(self.app._hub.stop())
        self._begin()

    def close(self) -> None:
        """End it."""
        self.loop.run_until_complete(self.app._hub.stop())
        self.loop.close()
        logging.disable(logging.NOTSET)

    def _turn(self, times: int = 2) -> None:
        for _ in range(times):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def __call__(self, data: bytes) -> None:
        """One input. Raises what must not be raised, so that a fuzzer keeps it."""
        self.count += 1
        if self.count % PER_LIFE == 0:
            self.renew()
        connection = self._connect()
        self._hello(connection)
        begin = time.thread_time()
        try:
            self._say(connection, data)
        except Exception as error:
            self.uncaught.append(f"{type(error).__name__}: {error} on {data[:200]!r}")
            raise
        finally:
            self._measure(time.thread_time() - begin, data)
            connection.closed(1001)
            self._turn()

    def _connect(self) -> Connection:
        handshake = Handshake("/", "", ((b"host", b"x"),), "", "ws", {"path": "/", "headers": []})
        return Connection(self.app._hub, handshake, Wire(), self.app._requests.handle)

    def _hello(self, connection: Connection) -> Session:
        """Always the same tab, which loads its page anew: the server remembers tabs, and should not be blamed for it."""
        hello = {"type": "hello", "version": 1, "page": f"{self.count}", "build": "", "token": self._token}
        connection.receive(orjson.dumps(hello))
        assert connection.session is not None
        return connection.session

    def _say(self, connection: Connection, data: bytes) -> None:
        for frame in data.split(SPLIT):
            connection.receive(frame)
        self._turn()

    def _measure(self, took: float, data: bytes) -> None:
        self.longest = max(self.longest, took)
        if took > MOST_SECONDS:
            self.slow.append((took, data[:200]))


def corpus() -> list[bytes]:
    """The inputs that are kept."""
    return [path.read_bytes() for path in sorted(CORPUS.iterdir())] if CORPUS.is_dir() else []
