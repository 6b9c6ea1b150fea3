"""``python -m dash_devices``: the demo, the benchmarks, and hashes for the login."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from .errors import DashDevicesError

COMMANDS = {
    "demo": ("dash_devices.demo", "a live page of this machine's own sensors, the same in every tab"),
    "hash-password": ("dash_devices.gate.hashing", "what app.login(users=...) wants instead of a password or a token"),
    "bench": ("dash_devices.bench", "round trips in a real browser, beside stock Dash and the bare floor"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m dash_devices", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    arguments, rest = parser.parse_known_args(argv)
    module = importlib.import_module(COMMANDS[arguments.command][0])
    try:
        return int(module.main(rest) or 0)
    except DashDevicesError as error:
        print(f"{parser.prog} {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
