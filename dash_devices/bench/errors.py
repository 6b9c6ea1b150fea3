"""What can go wrong in a bench run."""

from __future__ import annotations

from ..exceptions import DashDevicesError


class BenchError(DashDevicesError):
    """A measurement could not be taken; the message says what to do."""
