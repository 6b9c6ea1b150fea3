"""``python -m tests.soak [ROW ...] [--scale 1] [--short] [--list]``: prints the table; exit status 1 on a miss."""

from __future__ import annotations

import argparse
import contextlib
import resource
import sys
import time
from collections.abc import Sequence

from dash_devices.bench.progress import Progress

from .rows import ROWS, SHORT
from .table import Check, Context, markdown, missed


def run_row(name: str, context: Context) -> list[Check]:
    """One row. What it raises is a miss, told in its words."""
    begin = time.monotonic()
    try:
        checks = ROWS[name](context)
    except Exception as error:  # the other rows still have something to say
        checks = [Check("runs to its end", "yes", f"{type(error).__name__}: {error}"[:300], False)]
    print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    for miss in missed(checks, context.short):
        print(f"  FAIL {miss.what}: {miss.goal}, measured {miss.measured}", file=sys.stderr)
    return checks


def run(names: Sequence[str], context: Context) -> int:
    """Run rows one after the other; the table is printed also when Ctrl-C ends it early."""
    done: list[tuple[str, list[Check]]] = []
    progress = Progress(len(names))
    status = 130
    with contextlib.suppress(KeyboardInterrupt):
        for name in names:
            progress.step(name)
            done.append((name, run_row(name, context)))
        progress.close()
        status = 1 if any(missed(checks, context.short) for _, checks in done) else 0
    print(markdown(done, context.short))
    return status


def first_line(name: str) -> str:
    """What a row is about."""
    return (ROWS[name].__doc__ or "").partition("\n")[0]


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all when none is named")
    parser.add_argument("--scale", type=float, default=1.0, help="1: at most an hour in all; 4: the long form")
    parser.add_argument("--short", action="store_true", help="order, loss and equality alone, in small")
    parser.add_argument("--pages", type=int, help="never more pages than that, for small machines")
    parser.add_argument("--list", action="store_true", help="name the rows")
    arguments = parser.parse_args(argv)
    if unknown := [name for name in arguments.rows if name not in ROWS]:
        parser.error(f"no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    if arguments.list:
        print("\n".join(f"{name:10} {first_line(name)}" for name in ROWS))
        return 0
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a thousand sockets here, and in the servers we start
    context = Context(arguments.scale, arguments.short, arguments.pages)
    return run(arguments.rows or [name for name in ROWS if name in SHORT or not arguments.short], context)


if __name__ == "__main__":
    sys.exit(main())
