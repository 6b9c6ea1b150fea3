"""How many files this process may have open, connections among them."""

from __future__ import annotations

import sys

WANTED = 4_096  # for as many connections as the server takes; more would slow down programs that look at each number


def raise_files() -> int | None:
    """Raise the soft limit as far as it is useful and the hard one allows. Returns what holds now; None: it is not known."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(soft, most)
