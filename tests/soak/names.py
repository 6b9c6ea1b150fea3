"""What `tests.soak.app` has: names that its drivers need without importing it."""

from __future__ import annotations

CONTROLS = 8  # inputs ``c0`` .. whose callbacks set ``e0`` ..
SHOWN = 16  # properties ``p0`` .. that threads push to
TOKEN = "soak-7f3a9c"  # what whoever may come in shows
