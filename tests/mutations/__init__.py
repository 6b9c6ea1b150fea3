"""The table of seams: how each rule of the contract is switched off, and which test must notice."""

from __future__ import annotations

from . import (
    access,
    alive,
    changes,
    clients,
    connections,
    durable,
    gate,
    lanes,
    login,
    names,
    pages,
    properties,
    provenance,
    pushes,
    reconnect,
    regular,
    results,
    startup,
    visitors,
    wire,
    work,
)
from .row import Row as Row

ROWS: list[Row] = [
    row
    for section in (
        names,
        properties,
        startup,
        changes,
        pages,
        lanes,
        results,
        pushes,
        clients,
        regular,
        reconnect,
        wire,
        alive,
        gate,
        connections,
        login,
        access,
        provenance,
        durable,
        work,
        visitors,
    )
    for row in section.ROWS
]

LINES = {1: 7, 2: 5, 3: 6, 4: 8, 5: 6, 6: 8, 7: 7, 8: 5, 9: 3, 10: 7, 11: 3}
"""How many numbered rules each section of docs/semantics.md has. Each has a row, or a reason here."""

UNSWITCHABLE: dict[str, str] = {
    "1.7": "Dash.layout.fset is Dash's own property: there is nothing of ours to switch off",
    "6.8": "no Loading, no node in Dash's graph: it would take a second way to register, not a small change",
    "10.7": "several processes: seen only with several processes; tests/running has them",
}
"""Lines, or parts of them, that no small change switches off, with the reason."""
