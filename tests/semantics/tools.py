"""Small apps, devices and gates for the tests of lanes, results and pushes."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from typing import Any

from dash import html

import dash_devices

from ..support import TIMEOUT, Raw

numbers = itertools.count()


def make_app(*children: Any, **options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div(list(children))
    return app


def push_and_wait(app: dash_devices.Dash, mods: Any) -> None:
    """Push from this thread; returns when all calls that it caused have run."""
    asyncio.run(asyncio.wait_for(app.push_mods_coro(mods), TIMEOUT))


def told(app: dash_devices.Dash, page: Raw) -> list[list[Any]]:
    """All triples that a page was sent until now, in order."""
    marker = next(numbers)
    app.push_mods({"marker": {"children": marker}})
    page.until_value("marker", "children", marker)
    triples = [t for m in page.seen for t in m.get("mods", []) + m.get("props", []) + m.get("events", [])]
    return [t for t in triples if t[0] != "marker"]


class Device:
    """Something that must not be entered twice; notes what it was told and how often two calls met in it."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.met = 0
        self._inside = 0

    def begin(self, value: Any) -> None:
        self._inside += 1
        self.met += self._inside > 1
        self.told.append(value)

    def end(self) -> None:
        self._inside -= 1

    def use(self, value: Any) -> Any:
        self.begin(value)
        time.sleep(0.001)  # work
        self.end()
        return value

    async def use_async(self, value: Any) -> Any:
        self.begin(value)
        await asyncio.sleep(0.001)  # work
        self.end()
        return value


class Gate:
    """A callback that stands still until it is let go."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, value: Any) -> None:
        self.calls.append(value)
        self.entered.set()
        if not self.open.wait(TIMEOUT):
            raise TimeoutError("the gate was never opened")

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *error: object) -> None:
        self.open.set()
