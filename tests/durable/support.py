"""An app with durable state, and a disk that fails."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from ..semantics.helpers import Calls
from ..state_files import ENDINGS, Values, opened
from ..support import Raw, ServerThread

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]
LIMIT = 2**18  # bytes that a file may have on the disk that fails
TOO_MUCH = "x" * 2 * LIMIT


def make_app(calls: Calls | None = None, **options: Any) -> dash_devices.Dash:
    """Two controls, a button, and what their callbacks show."""
    app = dash_devices.Dash(__name__, leave_after=60, **options)
    app.layout = html.Div(
        [
            dcc.Input(id="a", value="0"),
            dcc.Input(id="b", value="0"),
            html.Button("Go", id="go"),
            html.Div("-", id="shown"),
            html.Div("-", id="went"),
            html.Div("-", id="pushed"),
        ]
    )
    called = calls or Calls()

    @app.callback_shared(Output("shown", "children"), [Input("a", "value"), Input("b", "value")])
    def show(a: str, b: str) -> str:
        called((a, b))
        return f"{a} {b}"

    @app.callback_shared(None, [Input("go", "n_clicks")])
    def go(clicks: int | None) -> None:
        called(("go", clicks))

    return app


def _stamps(state: Path) -> list[tuple[int, int]]:
    files = [state.with_name(state.name + ending) for ending in ENDINGS]
    return [(stat.st_mtime_ns, stat.st_size) for stat in (file.stat() for file in files if file.exists())]


def on_disk(state: Path, scratch: Path) -> Values:
    """The values that a power cut right now would leave."""
    scratch.mkdir(exist_ok=True)
    before, now = None, _stamps(state)
    while before != now:  # a copy of files that are written meanwhile is no moment of theirs
        for ending in ENDINGS:
            if (file := state.with_name(state.name + ending)).exists():
                shutil.copyfile(file, scratch / file.name)
        before, now = now, _stamps(state)
    found = opened(scratch / state.name)
    assert not found.refused
    assert not found.notes
    shutil.rmtree(scratch)
    return found.values


@contextmanager
def failing_disk() -> Iterator[None]:
    """No file of this process can grow beyond `LIMIT`: the kernel refuses the write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
