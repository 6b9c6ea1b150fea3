"""The rows of the table: ``ROWS[name](context)`` gives the checks."""

from __future__ import annotations

from collections.abc import Callable

from ...soak.table import Check, Context

Row = Callable[[Context], list[Check]]
ROWS: dict[str, Row] = {row.__name__: row for row in ()}
