"""``python -m tests.attack [ROW ...] [--scale 1] [--list]``: prints the table; exit status 1 on a miss."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from ..soak import command
from ..soak.table import Context
from .rows import ROWS


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = command.parser("python -m tests.attack", __doc__, "1: at most half an hour in all")
    arguments = parser.parse_args(argv)
    logging.disable(logging.ERROR)  # of the servers that run in this process: they are meant to complain
    names = command.chosen(arguments, parser, ROWS)
    return command.run(names or list(ROWS), ROWS, Context(arguments.scale))


if __name__ == "__main__":
    sys.exit(main())
