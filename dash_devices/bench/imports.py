"""What importing costs: wall time of fresh interpreters, in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Final

from .child import ROOT
from .progress import Progress

STATEMENTS: Final = {"nothing": "pass", "dash, quart": "import dash, quart", "dash_devices": "import dash_devices"}


def run(times: int) -> dict[str, float]:
    """Median wall ms of a Python process that runs each statement and ends."""
    progress = Progress(times * len(STATEMENTS))
    for name in STATEMENTS:
        once(name)  # fills the byte code and the disk cache
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(times):
        for name in STATEMENTS:
            progress.step(f"import {name}")
            taken[name].append(once(name))
    progress.close()
    return {name: statistics.median(values) for name, values in taken.items()}


def once(name: str) -> float:
    """Wall ms of one process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", STATEMENTS[name]], check=True, cwd=ROOT, env=os.environ)
    return (time.perf_counter() - start) * 1000
