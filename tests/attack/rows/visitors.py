"""Visitors who come, say as much as they may, and leave: what the server keeps of them, and what the others hear of it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from ...raw import Closed, Raw, wire_id
from ...running.support import Child
from ...soak.server import MIB
from ...soak.table import Check, Context, at_most, exactly, told

IDS = 10_000  # that one page may announce
REFUSED = 256  # answers that are kept for one page
LONG = 12 * MIB  # characters of a name
KEPT = 80.0  # MiB: 64 are counted, and Python does not give all of the rest back
WELCOME = 4.0  # kB


class Site:
    """A server in its own process, and a page that stays."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        notes = Path(stack.enter_context(tempfile.TemporaryDirectory()), "notes")
        self.child = stack.enter_context(Child(["-m", "tests.attack.visited", "{port}"], notes)).up()
        self.url = self.child.url
        self.stays = stack.enter_context(Raw(self.url)).join()

    @property
    def rss(self) -> float:
        """Resident memory of the server, in MiB."""
        return int(Path(f"/proc/{self.child.process.pid}/statm").read_text().split()[1]) * 4096 / MIB

    def grown(self, visits: int, visit: Callable[[int], None]) -> float:
        """MiB more after so many visits, when all that has to go is gone."""
        visit(0)
        self.settle()
        before = self.rss
        for number in range(1, visits + 1):
            visit(number)
            self.hear()
        self.settle()
        return self.rss - before

    def settle(self) -> None:
        """Until what has to go is gone: the server looks once a second."""
        for _ in range(4):
            self.hear()
            self.stays.quiet(1.0)

    def hear(self) -> None:
        """The page that stays goes on."""
        self.stays.until("ack", n=self.stays.change("a", "value", "stays"))
        self.stays.seen.clear()

    def announces(self, number: int) -> None:
        """Ids that nobody else has, each with a value."""
        ids = [wire_id({"type": "row", "index": f"{number} {index} {'x' * 40}"}) for index in range(IDS)]
        with Raw(self.url).join() as page:
            page.send({"type": "mount", "values": [[id, "value", "made up"] for id in ids]})
            page.until("ack", n=page.change("a", "value", number))

    def is_refused(self, number: int) -> None:
        """Changes of nothing, whose answers name it."""
        with Raw(self.url).join() as page:
            for _ in range(REFUSED):
                page.change("x" * 200 + str(number), "y" * 200, 1)
            page.until("nack", n=REFUSED)

    def says_long_names(self, number: int) -> None:
        """A page load with a name of many megabytes."""
        with Raw(self.url) as page, contextlib.suppress(ConnectionClosed, Closed):
            page.hello(page="x" * LONG + str(number))


def visitors(context: Context) -> list[Check]:
    """Ids, refused changes and names that visitors make up, who then leave: memory, and the welcome of the next page."""
    checks: list[Check] = []
    kinds = [("made-up ids", "announces", 20), ("refused changes", "is_refused", 450), ("names", "says_long_names", 12)]
    for what, name, visits in kinds:
        with contextlib.ExitStack() as stack:
            site = Site(stack)
            visits = context.times(visits, 3)
            kept = site.grown(visits, getattr(site, name))
            welcome = stack.enter_context(Raw(site.url)).hello()
            size = len(str(welcome["shared"])) / 1_000
            checks += [
                at_most(f"{what}: memory kept", kept, KEPT, "MiB", n=visits),
                at_most(f"{what}: ids in the next welcome", size, WELCOME, "kB"),
                exactly(f"{what}: differences that heartbeats found in the page that stays", _wrong(site)),
            ]
    return [*checks, told("all of them had left", "and may come back for ten minutes")]


def _wrong(site: Site) -> int:
    """Differences between page and server that heartbeats found."""
    return site.child.output.count("holds other versions")
