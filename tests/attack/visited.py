"""The app of the row ``visitors`` in a process of its own: ``python -m tests.attack.visited PORT``."""

from __future__ import annotations

import sys

from ..running.hostile import make_app

if __name__ == "__main__":
    make_app().run(port=int(sys.argv[1]))
