"""The demo: this machine's own sensors, live and shared. ``python -m dash_devices demo``.

Read it in this order: `page` (what stands where), `bindings` (what it does), `sampler` and `sensors` (the hardware),
`screen` (from a reading to a push). Needs psutil: ``pip install 'dash_devices[demo]'``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from .. import Dash

__all__ = ["build_app", "main"]


def build_app() -> Dash:
    """The demo as an app that was not started yet; its thread starts and stops with the server.

    Raises:
        ModuleNotFoundError: psutil is not installed.
    """
    from . import sensors  # needs psutil, which is an extra; `main` says so before
    from .bindings import bind
    from .charts import charts
    from .history import History
    from .page import page
    from .sampler import Sampler
    from .screen import Screen
    from .tiles import tiles

    app = Dash(__name__, title="This machine", update_title=None)
    cores, has_temperature = sensors.core_count(), sensors.hottest() is not None
    shown, drawn = tiles(has_temperature), charts(cores, has_temperature)
    machine, history, screen = sensors.Machine(), History(), Screen(shown, drawn)

    def take() -> None:
        reading = machine.read()
        history.add(reading)
        app.push_mods(screen.mods(reading))

    sampler = Sampler(take)
    app.layout = page(shown, drawn, cores, sensors.facts())
    bind(app, sampler, history)
    app.on_shutdown(sampler.stop)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the demo until it is interrupted.

    Args:
        argv: ``--host`` and ``--port``; default: the arguments of the program.

    Returns:
        The exit code: 0, or 2 when psutil is missing.
    """
    parser = argparse.ArgumentParser(prog="python -m dash_devices demo", description="This machine's sensors, live.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for the whole network")
    parser.add_argument("--port", default=8050, type=int)
    options = parser.parse_args(argv)
    if find_spec("psutil") is None:
        print("demo: psutil is not installed; run: pip install 'dash_devices[demo]'", file=sys.stderr)
        return 2
    build_app().run(host=options.host, port=options.port)
    return 0
