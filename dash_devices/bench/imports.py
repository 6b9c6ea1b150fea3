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
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""What is installed has its byte code; so must what is measured."""


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
    subprocess.run([sys.executable, "-c", STATEMENTS[name]], check=True, cwd=ROOT, env=ENVIRONMENT)
    return (time.perf_counter() - start) * 1000
