"""What one page needs next. State is not queued: a page stands at a seq, and needs what is newer.

Only what must be seen one by one is kept in order: acks and replies (bounded by what the page asked), private values
(conflated by property) and events (a bounded ring; the page is told how many were lost).

Lists, not deques: an empty deque takes 0.7 KiB, and 10,000 tabs that left are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from . import codec
from .again import Again
from .batches import Batch, Batches
from .errors import ProtocolError
from .protocol import MAX_BATCHES
from .shared import Entry, Key, SharedMap, crc_of

if TYPE_CHECKING:
    from .access import View

MAX_EVENTS = 1_000
KEPT_BYTES = 150  # that Python takes for each thing that is kept
EXTENDING = ("extendData", "prependData")  # events that the server folds into its copy of the figure


class Outbox:
    """What one page needs next.

    Attributes:
        position: the seq the page stands at; None until it has its layout: nothing is pushed before.
        lost: events that could not be kept.
        again: what the page must be told although it is no news.
        base: the seq from which on the page knows the seq of each property: the layout's, or 0.
        sent: the newest seq that the page may say it applied.
        reported: what the page made itself and is sent to nobody (events) or not to it, with the seq of its ack: it counts in
            its hash.
        view: what the page may read; None: everything.
        patient: is there nothing but answers that may wait a moment for what follows from their changes?
    """

    def __init__(self) -> None:
        self.position: int | None = None
        self.view: View | None = None
        self.lost = 0
        self.patient = False
        self._private_events = 0  # in the next frame
        self._messages: list[bytes] = []
        self._props: dict[Key, bytes] = {}
        self._events: list[tuple[Key, bytes]] = []
        self.again = Again()
        self._frames = 0  # that were made
        self.base = 0
        self.sent = 0
        self.reported: dict[Key, int] = {}
        self._batches: list[int] = []  # seqs of the batches that the page has not applied yet

    def __len__(self) -> int:
        return len(self._messages)

    def post(self, message: bytes, *, patient: bool = False) -> None:
        """An ordered message for this page; the private values told before go first.

        ``patient``: it need not go alone, as long as `patient` stays set.
        """
        self._settle_props()
        self.patient = patient and (self.patient or not self._messages)
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
        if self.position is None or not self.may_read(key):
            return
        if len(self._events) >= MAX_EVENTS:
            (id, property), _ = self._events.pop(0)
            if property in EXTENDING:
                self.again.whole.add((id, "figure"))
            else:
                self.lost += 1
        self._events.append((key, triple))

    def may_read(self, key: Key) -> bool:
        """May the page read this property?"""
        return self.view is None or self.view.may_read(key)

    def shown(self, entries: list[Entry]) -> list[Entry]:
        """The entries as the page may have them."""
        return entries if self.view is None else self.view.shown_all(entries)

    @property
    def waiting_events(self) -> int:
        """How many events wait, and were lost before; points count with their figure."""
        return self.lost + sum(property not in EXTENDING for (_, property), _ in self._events)

    @property
    def has_own(self) -> bool:
        """Is there something in the next mods that only this page gets?"""
        return bool(self._events or self.lost or self.again.whole)

    def take_whole(self, shared: SharedMap) -> list[Entry]:
        """The properties to send whole, as copies without patches."""
        entries = self.shown(self.again.take(shared, self.making))
        return [entry.moved(entry.seq) for entry in entries]

    def forget(self, ids: Iterable[str]) -> None:
        """The page is told that these components have no values any more: its own changes of them count no more either."""
        if self.reported and (gone := frozenset(ids)):
            self.reported = {key: seq for key, seq in self.reported.items() if key[0] not in gone}

    def take_events(self, figures: set[str]) -> tuple[list[bytes], int]:
        """The events, without the points of figures that are sent whole: those have them already."""
        events = [triple for (id, property), triple in self._events if not (id in figures and property in EXTENDING)]
        lost, self.lost = self.lost, 0
        self._events.clear()
        return events, lost

    @property
    def size(self) -> int:
        """Bytes that it keeps, about."""
        texts = [*self._messages, *self._props.values(), *(triple for _, triple in self._events)]
        names = [id for id, _ in (*self.again.whole, *self.reported)]
        return sum(map(len, texts)) + sum(map(len, names)) + KEPT_BYTES * (len(texts) + len(names))

    def clear(self) -> None:
        """The socket is gone: what was for it alone is gone with it. Events stay for a page that resumes.

        So does what it must get again: it is no newer than the seq at which it goes on.
        """
        self.again.lost()
        self._messages.clear()
        self._props.clear()
        self.patient = False
        self._private_events = 0
        self._batches.clear()

    # ---- what the page has ---------------------------------------------------------------------------------------------
    def laid_out(self, seq: int) -> None:
        """The page got a layout of this seq, and holds what was in it."""
        self.base = seq
        self.again.has_all()

    def stand(self, seq: int) -> None:
        """The page stands at a seq that it was given."""
        self.position = seq
        self.sent = max(self.sent, seq)

    def start_over(self) -> None:
        """The page is to be sent everything whole."""
        if self.position is not None:
            self.position = -1
            self.again.start_over()

    @property
    def making(self) -> int:
        """The number of the frame that is made next, or just now."""
        return self._frames + 1

    def batch_out(self, seq: int) -> None:
        """A batch goes out in a message of this seq."""
        self._batches.append(seq)

    @property
    def is_full(self) -> bool:
        """Are as many batches out as may be?"""
        return len(self._batches) >= MAX_BATCHES

    def applied(self, seq: int) -> bool:
        """The page applied everything up to ``seq``. Returns whether it was kept back until now.

        Raises:
            ProtocolError: the page was never sent that.
        """
        if not 0 <= seq <= self.sent:
            raise ProtocolError(f"seq: expected one that was sent, at most {self.sent}, got {seq}")
        was_full = self.is_full
        while self._batches and self._batches[0] <= seq:
            self._batches.pop(0)
        return was_full and not self.is_full

    def is_in_step(self, shared: SharedMap) -> bool:
        """Was the page sent all there is?"""
        return self.position == shared.seq

    def checksum(self, shared: SharedMap) -> int:
        """The hash of what a page that is in step holds."""
        reported = sum(crc_of(key, seq) for key, seq in self.reported.items() if seq > self.base)
        if self.view is None:
            return (shared.checksum(self.base) + reported) % 2**32
        held = sum(entry.crc for entry in shared.since(self.base) if self.view.may_read(entry.key))
        return (held + reported) % 2**32

    def _settle_props(self) -> None:
        if self._props:
            self.patient = False
            self._messages.append(codec.props(self._props.values()))
            self._props.clear()

    def next_frame(
        self, client: str, shared: SharedMap, batches: Batches, ping: Callable[[], bytes] | None = None
    ) -> bytes | None:
        """Everything the page needs now as one frame, or None.

        ``batches`` is the memory of one flush; ``ping`` makes the message that ends the frame.
        """
        self._settle_props()
        mods = self._next_mods(client, shared, batches)
        if self.patient and mods is None and ping is None:
            return None
        messages, self._messages, self._private_events, self.patient = self._messages, [], 0, False
        if mods is not None:
            messages.append(mods)
        if ping is not None:
            messages.append(ping())
        if not messages:
            return None
        self._frames += 1
        return codec.frame(messages)

    def _next_mods(self, client: str, shared: SharedMap, batches: Batches) -> bytes | None:
        if self.position is None or self.is_full or not (self.position < shared.seq or self.has_own):
            return None
        place = (self.position, self.view)
        batch = batches.get(place)
        if batch is None:
            batch = batches[place] = Batch(shared, *place)
        if self.position < 0:
            self.again.told_all(self.making)
        # a page that starts over is told what it once changed itself, too
        mods = batch.message_for(client if self.position >= 0 else "", self)
        self.position = self.sent = shared.seq
        return mods
