"""The target of the fuzzer in a process of its own: ``python -m tests.attack.fuzz_child``, inputs on standard input.

Whoever makes the inputs needs memory and time for that himself; here there is only what the inputs cost. An input is its length
in four bytes and the bytes; a length of zero asks for a line of JSON on standard output with how it goes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys

import psutil

from .fuzzing import Target


def main() -> None:
    """Until standard input ends."""
    target, process = Target(), psutil.Process()
    read, said = sys.stdin.buffer.read, sys.stdout
    while head := read(4):
        size = int.from_bytes(head, "big")
        if size:
            with contextlib.suppress(Exception):  # noted in `uncaught`
                target(read(size))
            continue
        target.renew()
        gc.collect()
        state = {
            "count": target.count,
            "longest": target.longest,
            "uncaught": target.uncaught,
            "rss": process.memory_info().rss,
        }
        said.write(json.dumps(state) + "\n")
        said.flush()
    target.close()


if __name__ == "__main__":
    main()
