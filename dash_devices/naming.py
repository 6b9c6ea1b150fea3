"""What the triples of a page are about, as the server spells it."""

from __future__ import annotations

from collections.abc import Iterable

from .components import canonical_id
from .errors import ProtocolError
from .protocol import Triple
from .shared import Key
from .strict import MAX_ID

NOWHERE: Key = ("", "")
"""What a name that is too long to be one stands for; it is not read."""


def keys_of(triples: Iterable[Triple]) -> list[Key]:
    """Id and property of each triple. Raises ProtocolError for an id that is none."""
    return [
        (_canonical(id), property) if len(id) <= MAX_ID and len(property) <= MAX_ID else NOWHERE
        for id, property, _ in triples
    ]


def _canonical(id: str) -> str:
    try:
        return canonical_id(id)
    except ValueError:
        raise ProtocolError(f"id: expected a string or the JSON of a dict id, got {id!r:.60}") from None
