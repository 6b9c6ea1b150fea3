"""The rows of the table: ``ROWS[name](context)`` gives the checks."""

from __future__ import annotations

from collections.abc import Callable

from ..table import Check, Context
from .cycles import cycles
from .dead import dead
from .faults import faults
from .gaps import gaps
from .gestures import gestures
from .hour import hour
from .proxies import proxies
from .restarts import burst, kill9, sigterm
from .slow import stalled, threads
from .tabs import tabs
from .values import values

Row = Callable[[Context], list[Check]]
ROWS: dict[str, Row] = {
    row.__name__: row
    for row in (
        kill9,
        faults,
        gaps,
        tabs,
        gestures,
        stalled,
        threads,
        burst,
        cycles,
        dead,
        sigterm,
        hour,
        proxies,
        values,
    )
}
SHORT = ("kill9", "faults", "gaps", "stalled", "threads", "burst", "cycles", "sigterm")
"""Rows of the short form."""
