"""The program of the model of values, and a server without sockets that runs it in time that goes on when it is told to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, cast

import orjson

import dash_devices
from dash_devices import ALL, Patch, dcc, html
from dash_devices.calls import SERVER, Item
from dash_devices.components import id_text, walk
from dash_devices.dash_glue.shares import ThreadShares
from dash_devices.dependencies import Input, Output, State
from dash_devices.shared import Key
from dash_devices.threads import Threads

from .real_server import Disk

WALL = 1_700_000_000_000  # ms since 1970 at which the model's time begins
SLOWEST = 0.02  # s that the choice of a port takes at most
PORTS = (["COM1", "COM3"], ["COM1", "COM12"], ["COM3", "COM12"])
START = "start"
"""What `starter.value` says of itself when it appears."""
LISTENERS: dict[Key, str] = {
    ("gain", "value"): "gain",
    ("alarm", "open"): "alarm",
    ("sensor", "position"): "sensor",
    ("port", "value"): "port",
    ("mirror", "value"): "mirror",
    ("starter", "value"): "starter",
    ("command", "n_submit"): "command",
    ("order", "n_submit"): "order",
    ("order", "value"): "order",
}
"""The device that a property drives."""


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__()

    def time(self) -> float:
        """Seconds since it began."""
        return self.now

    def settle(self) -> None:
        """Run all that is due now, and what follows from it."""
        while self._ready or (self._scheduled and self._scheduled[0].when() <= self.now):  # type: ignore[attr-defined]
            self.call_soon(self.stop)
            self.run_forever()

    def do(self, function: Callable[..., Any], *args: Any) -> None:
        """Run a function in the loop, and what follows from it now."""
        self.call_soon(function, *args)
        self.settle()

    def advance(self, seconds: float) -> None:
        """Let time go on."""
        end = self.now + seconds
        while self._scheduled and self._scheduled[0].when() <= end:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
            self.settle()
        self.now = end


def total(values: list[Any]) -> str:
    """Of the rows, in any order."""
    return ",".join(sorted(map(str, values)))


class InlineThreads:
    """Threads whose work is done at once, by the one who asks for it."""

    def submit(self, work: Callable[[], None]) -> None:
        """Do it."""
        work()


def layout() -> Any:
    """Controls that people, timers, sensors and the server change."""
    return html.Div(
        [
            html.Div([dcc.Input(id="gain", type="number", value=1), html.Div(id="shown")], id="panel"),
            html.Div([], id="box"),
            html.Div(id="total"),
            dcc.Input(id="starter"),
            dcc.Input(id="mirror"),
            dcc.Input(id="command", value="", n_submit=0),
            dcc.Input(id="order", value="", n_submit=0),
            html.Button(id="scan", n_clicks=0),
            dcc.Dropdown(PORTS[0], "COM3", id="port"),
            html.Details(id="alarm", open=False),
            dcc.Geolocation(id="sensor"),
        ]
    )


def row(number: int, value: int | None) -> Any:
    """A control of the box; without a value it keeps the one that is shared."""
    return dcc.Input(id={"type": "row", "index": number}, **({} if value is None else {"value": value}))


def device_of(key: Key) -> str | None:
    """The device that a property drives."""
    return "total" if key[0].startswith("{") else LISTENERS.get(key)


class Server:
    """One life of the server.

    Attributes:
        calls: of the devices, as ``(name, values)``, in order.
        stores: every value that was stored: its key, its seq and the page load that it came from.
        remembered: what a regular callback keeps in a global of the program.
    """

    def __init__(self, clock: Clock, seed: int, disk: Disk, earlier: Server | None = None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.stores: list[tuple[Key, int, str | None]] = []
        self.remembered: Any = None
        self.disk = disk
        self._delays = random.Random(seed)
        self.app = app = dash_devices.Dash(__name__, max_change_age=None)
        app._engine.lanes.threads = threads = cast(Threads, InlineThreads())
        app._thread_shares = ThreadShares(threads)
        app.layout = layout()
        self._register(app)
        self.hub, self.engine = app._hub, app._engine
        self.hub.vitals.now = clock.time
        self.hub.vitals.wall = lambda: WALL + clock.now * 1000
        app._load_layout()
        self.push("box", "children", [])  # a page from before may show rows
        if earlier is not None:
            self._recall(earlier)
        self.hub.intake.journal = disk  # type: ignore[assignment]
        self.hub.greeted = disk.remember
        self._spy()
        clock.do(self.hub.start, clock)

    def _recall(self, earlier: Server) -> None:
        """Find the values and the tabs of an earlier life on the disk."""
        rows = dict(self.disk.rows)
        self.hub.sessions.recall = rows.get
        entries = sorted(earlier.engine.shared.entries(), key=lambda entry: entry.key[1] != "children")
        for entry in entries:
            self.engine.store([Item(entry.key, entry.encoded)], SERVER)

    def _spy(self) -> None:
        store = self.engine.store

        def spied(items: Any, cause: Any, *, origin: str | None = None) -> int:
            listed = list(items)
            seq = store(listed, cause, origin=origin)
            self.stores += [(item.key, seq, origin) for item in listed]
            return seq

        self.engine.store = spied  # type: ignore[method-assign]

    def _device(self, name: str) -> Callable[..., Any]:
        async def device(*values: Any) -> None:
            self.calls.append((name, values))

        return device

    def _register(self, app: dash_devices.Dash) -> None:
        for id, property in (key for key in LISTENERS if key[0] not in ("command", "order")):
            app.callback_shared(None, Input(id, property))(self._device(id))
        app.callback_shared(None, Input("command", "n_submit"), State("command", "value"))(self._device("command"))
        app.callback_shared(None, [Input("order", "n_submit"), Input("order", "value")])(self._device("order"))

        @app.callback_shared(Output("shown", "children"), Input("gain", "value"))
        async def show(gain: Any) -> str:
            return f"gain {gain}"

        @app.callback_shared(Output("port", "options"), Input("scan", "n_clicks"), prevent_initial_call=True)
        async def scan(count: int) -> list[str]:
            return PORTS[count % len(PORTS)]

        @app.callback_shared(Output("port", "value"), Input("port", "options"), prevent_initial_call=True)
        async def choose(options: list[str]) -> str:
            await asyncio.sleep(self._delays.choice((0, self._delays.uniform(0, SLOWEST))))
            return options[-1]

        @app.callback_shared(Output("total", "children"), Input({"type": "row", "index": ALL}, "value"))
        async def add(values: list[Any]) -> str:
            self.calls.append(("total", tuple(values)))
            return total(values)

        @app.callback(Output("mirror", "value"), Input("gain", "value"))
        async def mirror(gain: Any) -> str:
            self.remembered = gain
            return f"m{gain}"

    def push(self, id: str, property: str, value: Any) -> None:
        """The server speaks first."""
        self.app.push_mods({id: {property: value}})

    def rows(self) -> list[str]:
        """The ids of the rows that are in the box."""
        return [id_text(props["id"]) for props in walk(self.engine.value(("box", "children")))]

    def change_box(self, how: str, numbers: list[int], value: int | None) -> None:
        """Rows come and go."""
        rows = [row(number, value) for number in numbers]
        if how == "whole":
            self.push("box", "children", rows)
            return
        patch = Patch()
        if how == "delete" and not self.rows():
            return
        if how == "delete":
            del patch[numbers[0] % len(self.rows())]
        elif how == "insert":
            patch.insert(0, rows[0])
        else:
            patch.append(rows[0])
        self.push("box", "children", patch)

    def change_panel(self, text: str) -> None:
        """A line more beside the gain."""
        patch = Patch()
        patch.append(html.P(text))
        self.push("panel", "children", patch)

    def values(self) -> dict[Key, Any]:
        """All shared values."""
        return {entry.key: orjson.loads(entry.encoded) for entry in self.engine.shared.entries()}

    def end(self, clock: Clock) -> None:
        """It is gone at once."""
        clock.run_until_complete(self.hub.stop())
