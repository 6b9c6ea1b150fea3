"""What the commands of the tables share: rows run one after the other, the table at the end, status 1 on a miss."""

from __future__ import annotations

import argparse
import contextlib
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from dash_devices.bench.progress import Progress

from .table import Check, Context, markdown, missed

Row = Callable[[Context], list[Check]]
Rows = Mapping[str, Row]


def run_row(name: str, row: Row, context: Context) -> list[Check]:
    """One row. What it raises is a miss, told in its words."""
    begin = time.monotonic()
    try:
        checks = row(context)
    except Exception as error:  # the other rows still have something to say
        checks = [Check("runs to its end", "yes", f"{type(error).__name__}: {error}"[:300], False)]
    print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    for miss in missed(checks, context.short):
        print(f"  FAIL {miss.what}: {miss.goal}, measured {miss.measured}", file=sys.stderr)
    return checks


def run(names: Sequence[str], rows: Rows, context: Context) -> int:
    """Run rows one after the other; the table is printed also when Ctrl-C ends it early. Returns the exit status."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a thousand sockets here, and in the servers we start
    done: list[tuple[str, list[Check]]] = []
    progress = Progress(len(names))
    status = 130
    with contextlib.suppress(KeyboardInterrupt):
        for name in names:
            progress.step(name)
            done.append((name, run_row(name, rows[name], context)))
        progress.close()
        status = 1 if any(missed(checks, context.short) for _, checks in done) else 0
    print(markdown(done, context.short))
    return status


def parser(program: str, about: str | None, scale: str) -> argparse.ArgumentParser:
    """The arguments that every table takes. ``scale``: what 1 means."""
    made = argparse.ArgumentParser(prog=program, description=about)
    made.add_argument("rows", nargs="*", metavar="ROW", help="all when none is named")
    made.add_argument("--scale", type=float, default=1.0, help=scale)
    made.add_argument("--list", action="store_true", help="name the rows")
    return made


def chosen(arguments: argparse.Namespace, parser: argparse.ArgumentParser, rows: Rows) -> list[str]:
    """The rows that were named, checked; with ``--list`` they are told instead, and the command ends."""
    if unknown := [name for name in arguments.rows if name not in rows]:
        parser.error(f"no row {unknown[0]!r}; there are {', '.join(rows)}")
    if arguments.list:
        print("\n".join(f"{name:12} {(row.__doc__ or '').partition(chr(10))[0]}" for name, row in rows.items()))
        parser.exit(0)
    return list(arguments.rows)
