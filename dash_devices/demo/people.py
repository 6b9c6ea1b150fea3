"""Who is here: a name and a colour for every open tab, and the log of what they did."""

from __future__ import annotations

import collections
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from .. import html
from .screen import Mods

COLOURS: Final = {
    "Amber": 38,
    "Azure": 208,
    "Coral": 14,
    "Indigo": 245,
    "Jade": 155,
    "Lilac": 285,
    "Magenta": 315,
    "Olive": 70,
    "Ruby": 345,
    "Saffron": 48,
    "Teal": 180,
}
"""Names of colours and their hues in degrees."""
ANIMALS: Final = ("Badger", "Crane", "Fox", "Gecko", "Heron", "Ibis", "Lynx", "Marten", "Otter", "Raven", "Wren")
LOG_LENGTH: Final = 50
NAME_LENGTH: Final = 24


def colour_of(id: str) -> str:
    """The name of a client's colour; the same for the same id."""
    return list(COLOURS)[zlib.crc32(id.encode()) % len(COLOURS)]


def invented_name(id: str) -> str:
    """A name for a client that gave none; the same for the same id."""
    return f"{colour_of(id)} {ANIMALS[zlib.crc32(id.encode()) // len(COLOURS) % len(ANIMALS)]}"


def name_of(client: Any) -> str:
    """What a client is called; "the machine" for what no page caused."""
    return "the machine" if client is None else str(client.username or invented_name(client.id))


def chips(clients: Iterable[Any]) -> list[html.Li]:
    """One chip per client: the name it has now, the colour it came with."""
    return [html.Li(name_of(c), className="chip", style={"--hue": COLOURS[colour_of(c.id)]}) for c in clients]


class Journal:
    """The newest `LOG_LENGTH` things that somebody did, newest first, pushed to the table "log".

    May be used from any thread: writing and pushing is one step, so no page ever ends on an older list.
    """

    def __init__(self, push: Callable[[Mods], Any]) -> None:
        self._push = push
        self._rows: collections.deque[dict[str, str]] = collections.deque(maxlen=LOG_LENGTH)
        self._lock = threading.Lock()

    def write(self, who: str, what: str, more: Callable[[], Mods] = dict) -> None:
        """Write one row ``{"time", "who", "what"}`` and push it along with what ``more`` returns."""
        with self._lock:
            self._rows.appendleft({"time": time.strftime("%H:%M:%S"), "who": who, "what": what})
            self._push({"log": {"data": list(self._rows)}} | more())
