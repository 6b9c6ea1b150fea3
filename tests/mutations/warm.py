"""Runs pytest again and again, each time in a fork of a process that has imported what no row changes.

Reads the arguments of one run as a line of JSON, writes the process id, and when it has ended its exit status.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

HEAVY = ("dash", "hypercorn.asyncio", "hypothesis", "numpy", "playwright.sync_api", "pytest", "quart", "websockets")


def run(arguments: list[str], output: str) -> int:
    """One run, as the leader of a session of its own, with all that it says in a file."""
    import pytest

    os.setsid()
    stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    silence = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((silence, 0), (stream, 1), (stream, 2)):
        os.dup2(source, target)
    status = int(pytest.main(arguments))
    sys.stdout.flush()
    return status


def main(output: str) -> None:
    """Serve runs until standard input ends."""
    for name in HEAVY:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = 3  # what pytest calls an internal error
            try:
                status = run(json.loads(line), output)
            finally:
                os._exit(status)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
