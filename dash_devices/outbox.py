"""What one page needs next. State is not queued: a page stands at a seq, and needs what is newer.

Only what must be seen one by one is kept in order: acks and replies (bounded by what the page asked), private values
(conflated by property) and events (a bounded ring; the page is told how many were lost).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from . import codec
from .shared import Entry, Key, SharedMap

MAX_EVENTS = 1_000
EXTENDING = ("extendData", "prependData")  # events that the server folds into its copy of the figure


class Batch:
    """What the shared map has for pages at one position; made once per flush and shared by all pages that stand there."""

    __slots__ = ("_message", "_position", "_shared", "entries", "origins")

    def __init__(self, shared: SharedMap, position: int) -> None:
        self.entries = shared.since(position)
        self.origins = {entry.origin for entry in self.entries if entry.origin is not None}
        self._position = position
        self._shared = shared
        self._message: bytes | None = None

    @property
    def message(self) -> bytes:
        """The mods for a page that made none of these changes itself."""
        if self._message is None:
            self._message = self._encode(self.entries)
        return self._message

    def message_for(self, client: str, outbox: Outbox) -> bytes | None:
        """The mods for one page: without what it shows already, because it made the change."""
        if client not in self.origins and not outbox.has_own:
            return self.message if self.entries else None
        entries = [entry for entry in self.entries if entry.origin != client and entry.key not in outbox.whole]
        entries.extend(outbox.take_whole(self._shared))
        events, lost = outbox.take_events({entry.key[0] for entry in entries if entry.key[1] == "figure"})
        return self._encode(entries, events, lost) if entries or events or lost else None

    def _encode(self, entries: list[Entry], events: Iterable[bytes] = (), lost: int = 0) -> bytes:
        return codec.mods(self._shared.seq, [e.triple_for(self._position) for e in entries], events, lost)


class Outbox:
    """What one page needs next.

    Attributes:
        position: the seq the page stands at; None until it has its layout: nothing is pushed before.
        lost: events that could not be kept.
        whole: figures that the page must get whole, because it lost points that others were sent.
    """

    def __init__(self) -> None:
        self.position: int | None = None
        self.lost = 0
        self._private_events = 0  # in the next frame
        self._messages: list[bytes] = []
        self._props: dict[Key, bytes] = {}
        self._events: deque[tuple[Key, bytes]] = deque()
        self.whole: set[Key] = set()

    def __len__(self) -> int:
        return len(self._messages)

    def post(self, message: bytes) -> None:
        """An ordered message for this page; the private values told before go first."""
        self._settle_props()
        self._messages.append(message)

    def post_props(self, key: Key, encoded: bytes, *, each: bool = False) -> None:
        """A private value; one that is not sent yet is replaced, unless ``each`` is to be seen (an event, a Patch)."""
        if each and self._crowded():
            return
        if each and key in self._props:
            self._settle_props()
        self._props.pop(key, None)
        self._props[key] = codec.triple(*key, encoded)

    def _crowded(self) -> bool:
        """Are there too many private events already? Then this one is lost."""
        self._private_events += 1
        self.lost += self._private_events > MAX_EVENTS
        return self._private_events > MAX_EVENTS

    def post_event(self, key: Key, triple: bytes) -> None:
        """An event; the oldest is lost when there are `MAX_EVENTS`."""
        if self.position is None:
            return
        if len(self._events) >= MAX_EVENTS:
            (id, property), _ = self._events.popleft()
            if property in EXTENDING:
                self.whole.add((id, "figure"))
            else:
                self.lost += 1
        self._events.append((key, triple))

    @property
    def has_own(self) -> bool:
        """Is there something in the next mods that only this page gets?"""
        return bool(self._events or self.lost or self.whole)

    def take_whole(self, shared: SharedMap) -> list[Entry]:
        """The figures to send whole, as copies without patches."""
        entries = [entry for key in self.whole if (entry := shared.get(key)) is not None]
        self.whole.clear()
        return [Entry(entry.key, entry.seq, encoded=entry.encoded) for entry in entries]

    def take_events(self, figures: set[str]) -> tuple[list[bytes], int]:
        """The events, without the points of figures that are sent whole: those have them already."""
        events = [triple for (id, property), triple in self._events if not (id in figures and property in EXTENDING)]
        lost, self.lost = self.lost, 0
        self._events.clear()
        return events, lost

    def clear(self) -> None:
        """The socket is gone: what was for it alone is gone with it. Events stay for a page that resumes."""
        self._messages.clear()
        self._props.clear()
        self._private_events = 0

    def _settle_props(self) -> None:
        if self._props:
            self._messages.append(codec.props(self._props.values()))
            self._props.clear()

    def next_frame(self, client: str, shared: SharedMap, batches: dict[int, Batch]) -> bytes | None:
        """Everything the page needs now as one frame, or None. ``batches`` is the memory of one flush."""
        self._settle_props()
        messages, self._messages, self._private_events = self._messages, [], 0
        if self.position is not None and (self.position < shared.seq or self.has_own):
            batch = batches.get(self.position)
            if batch is None:
                batch = batches[self.position] = Batch(shared, self.position)
            # a page that starts over is told what it once changed itself, too
            mods = batch.message_for(client if self.position >= 0 else "", self)
            self.position = shared.seq
            if mods is not None:
                messages.append(mods)
        return codec.frame(messages) if messages else None
