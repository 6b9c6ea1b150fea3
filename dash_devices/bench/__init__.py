"""``python -m dash_devices bench``: how fast we are beside the bare floor and stock Dash, in a real browser.

`main` is the entry; nothing here is imported by the rest of the package.
"""

from __future__ import annotations

from .runner import main

__all__ = ["main"]
