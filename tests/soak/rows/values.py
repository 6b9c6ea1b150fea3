"""Random histories of two pages and a server, without a browser and without waiting: many more than the tests run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.model.test_values import HISTORIES
from tests.model.values_tab import nodes_in
from tests.model.values_world import smallest_fault

from ..table import Check, Context, exactly


def values(context: Context) -> list[Check]:
    """Components that change by themselves, come and go; lost sockets, restarts: all ends are equal, devices hear once."""
    count = context.times(3_000, 100)
    with tempfile.TemporaryDirectory() as folder, nodes_in(Path(folder)) as nodes:
        found = (smallest_fault(nodes, seed) for seed in range(HISTORIES, HISTORIES + count))
        faults = [fault for fault in found if fault]
    return [exactly(f"{count} histories: with a fault", len(faults), detail="; ".join(faults[:3]))]
