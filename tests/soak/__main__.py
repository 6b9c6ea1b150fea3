"""``python -m tests.soak [ROW ...] [--scale 1] [--short] [--list]``: prints the table; exit status 1 on a miss."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from . import command
from .rows import ROWS, SHORT
from .table import Context


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("python -m tests.soak", __doc__, "1: at most an hour in all; 4: the long form")
    parser.add_argument("--short", action="store_true", help="order, loss and equality alone, in small")
    parser.add_argument(
        "--authenticate", action="store_true", help="the server asks who comes, and who may change what"
    )
    parser.add_argument("--pages", type=int, help="never more pages than that, for small machines")
    arguments = parser.parse_args(argv)
    names = command.chosen(arguments, parser, ROWS)
    os.environ["SOAK_AUTHENTICATE"] = "1" if arguments.authenticate else ""
    context = Context(arguments.scale, arguments.short, arguments.pages)
    return command.run(names or [name for name in ROWS if name in SHORT or not arguments.short], ROWS, context)


if __name__ == "__main__":
    sys.exit(main())
