"""The server's half of the protocol model."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .model import (
    BATCHES,
    LIMIT,
    PAIR,
    Ack,
    Applied,
    Change,
    FromServer,
    Hello,
    Layout,
    Line,
    Mods,
    Mount,
    Nack,
    Patch,
    Ping,
    Pong,
    Rule,
    Value,
    Welcome,
    World,
)


@dataclass(frozen=True)
class Stored:
    """One value: as `dash_devices.shared.Entry`."""

    value: Value
    seq: int
    origin: int | None
    base: int
    patches: tuple[tuple[int, int], ...] = ()

    def sent_to(self, place: int, *, in_step: bool) -> Value | Patch:
        """What a page that stands at ``place`` is sent."""
        if not self.patches or (place < self.base and in_step):
            return self.value
        return Patch(tuple(number for seq, number in self.patches if seq > place))


@dataclass
class Load:
    """What the server knows of one page load.

    ``want``: properties of which this page needs the whole value. ``out``: seqs of the batches it has not applied.
    ``owed``: what it must hold, for each ping without an answer. ``written``: the last number that is on disk; ``kept``: it was
    read from there; ``unsure``: then, the last number that may be missing.
    """

    token: int
    handled: int = 0
    answers: dict[int, Ack | Nack] = field(default_factory=dict)
    line: Line | None = None
    place: int = 0
    unsent: list[Ack | Nack] = field(default_factory=list)
    want: set[str] = field(default_factory=set)
    base: int = 0
    out: deque[int] = field(default_factory=deque)
    owed: deque[frozenset[tuple[str, int]] | None] = field(default_factory=deque)
    written: int = 0
    kept: bool = False
    unsure: int = 0


class Server:
    """The one copy of every value, in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.epoch = 0
        self.restart()

    def restart(self) -> None:
        """A new life: the memory is gone."""
        self.epoch += 1
        self.seq = 1
        self.values = {key: Stored((0,), 1, None, 1) for key in ("p", "q", *PAIR)}  # the layout's, at the first seq
        self.loads: dict[int, Load] = {}

    def restart_kept(self) -> None:
        """A new life that finds the values on its disk, and the number of the last change of each page load that was stored."""
        values, loads = self.values, self.loads
        self.restart()
        for key, stored in sorted(values.items(), key=lambda item: item[1].seq):
            self.store({key: stored.value})
        for number, load in loads.items():
            self.loads[number] = Load(load.token, load.written, written=load.written, kept=True)

    def forget(self, load: int) -> None:
        """The tab was away for too long."""
        self.loads.pop(load, None)

    def store(self, values: dict[str, Value], origin: int | None = None) -> None:
        """Store atomically under the next seq."""
        if origin is not None or Rule.NEXT_SEQ in self.world.rules:
            self.seq += 1
        for key, value in values.items():
            self.values[key] = Stored(value, self.seq, origin, self.seq)

    def patch(self, key: str, number: int) -> None:
        """Append to a value; a page in step will be sent only the number."""
        old = self.values[key]
        self.seq += 1
        base = old.base if old.patches else old.seq
        self.values[key] = Stored((*old.value, number), self.seq, None, base, (*old.patches, (self.seq, number)))

    def read(self, line: Line) -> None:
        """Handle the next message of a line."""
        message = line.up.popleft()
        if isinstance(message, Hello):
            self._hello(line, message)
        elif isinstance(message, Applied | Pong):
            self._applied(line, self.loads[line.load], message)
        elif isinstance(message, Change):
            self._change(line, self.loads[line.load], message)
        else:
            self._mount(line, self.loads[line.load], message)

    def _hello(self, line: Line, hello: Hello) -> None:
        mode, load = self._greet(line, hello)
        load.line, load.place, load.unsent, load.want = line, 0, [], set()
        load.out, load.owed = deque(), deque()
        kept = mode == "snapshot" and load.kept
        line.down.append(Welcome(load.token, self.epoch, self.seq, mode, load.handled, kept))
        if mode == "fresh":
            load.place = load.base = self.seq
            line.down.append(Layout(self.seq, {key: stored.value for key, stored in self.values.items()}))
        if mode == "delta":
            load.place = hello.seq if Rule.ALL_NEWER in self.world.rules else self.seq
            self._answer_again(load)

    def _greet(self, line: Line, hello: Hello) -> tuple[str, Load]:
        """The token, not the number of the page load, says whether this server remembers the page."""
        load = self.loads.get(line.load)
        if hello.epoch == self.epoch and load is not None and load.token == hello.token:
            return "delta", load
        if load is not None and load.token == hello.token and load.kept and hello.epoch is not None:
            load.unsure = hello.n if Rule.KEPT_GAP in self.world.rules else 0
            load.base, load.answers = 0, {}
            return "snapshot", load
        if hello.epoch is not None and Rule.SAME_EPOCH not in self.world.rules:
            return "delta", self.loads.setdefault(line.load, Load(hello.token))
        self.loads[line.load] = load = Load(self.world.number())
        return ("fresh" if hello.epoch is None else "snapshot"), load

    def _answer_again(self, load: Load) -> None:
        for n, answer in load.answers.items():
            if Rule.RECORDED in self.world.rules and (n == load.handled or Rule.EVERY_ANSWER in self.world.rules):
                self._answer(load, answer)

    def _answer(self, load: Load, answer: Ack | Nack) -> None:
        load.unsent.append(answer)
        if isinstance(answer, Nack):
            load.want |= set(answer.values)

    def _change(self, line: Line, load: Load, change: Change) -> None:
        if change.n <= load.handled and Rule.ONCE in self.world.rules:
            if change.n in load.answers:
                self._answer(load, load.answers[change.n])
        elif change.n > max(load.handled, load.unsure) + 1:
            line.cut()  # 4400
        else:
            self._handle(line, load, change)

    def _handle(self, line: Line, load: Load, change: Change) -> None:
        # who is refused again in another life has still done nothing
        self.world.handled[change.uid] = 1 if change.doomed else self.world.handled[change.uid] + 1
        answer: Ack | Nack
        if change.doomed:
            answer = Nack(change.n, self.seq, {k: self.values[k].value for k in change.values if k in self.values})
        else:
            self.store(change.values, line.load)
            answer = Ack(change.n, self.seq)
            load.written = change.n
        load.handled = change.n
        load.answers = {n: a for n, a in load.answers.items() if n > change.n - LIMIT} | {change.n: answer}
        self._answer(load, answer)

    def _mount(self, line: Line, load: Load, mount: Mount) -> None:
        for key, value in mount.values.items():
            if key not in self.values or Rule.MOUNT not in self.world.rules:
                self.store({key: value}, None if Rule.ADOPTED in self.world.rules else line.load)
            else:
                load.want.add(key)

    def flush(self, load: Load) -> None:
        """Send a page all that it needs now."""
        if load.line is None or not load.line.is_open:
            return
        mods = []
        if len(load.out) < BATCHES or Rule.BATCHED not in self.world.rules:
            mods = self._newer(load)
            load.place, load.want = self.seq, set()
            load.out.extend(message.seq for message in mods)
        answers, load.unsent = load.unsent, []
        frames: list[FromServer] = [*answers, *mods]
        load.line.down.extend(frames if Rule.ANSWERS_FIRST in self.world.rules else [*mods, *answers])

    def ping(self, load: Load) -> None:
        """Ask a page what it holds, if it was sent all there is."""
        self.flush(load)
        if load.line is not None and load.line.is_open:
            in_step = load.place == self.seq
            newer = frozenset((key, stored.seq) for key, stored in self.values.items() if stored.seq > load.base)
            load.owed.append(newer if in_step else None)
            load.line.down.append(Ping(in_step))

    def _applied(self, line: Line, load: Load, message: Applied | Pong) -> None:
        if load.line is not line:
            return
        while load.out and load.out[0] <= message.seq and Rule.GOES_ON in self.world.rules:
            load.out.popleft()
        if isinstance(message, Pong) and message.held != (owed := load.owed.popleft()):
            self.world.faults.append(f"the page holds {message.held}, expected {owed}")

    def _newer(self, load: Load) -> list[Mods]:
        entries = sorted(self.values.items(), key=lambda item: item[1].seq)
        whose = next(number for number, known in self.loads.items() if known is load)
        triples = [
            (stored.seq, (key, stored.value if key in load.want else self._sent(stored, load.place), stored.seq))
            for key, stored in entries
            if key in load.want or (stored.seq > load.place and not self._has(stored, load.place, whose))
        ]
        if Rule.OLDEST_FIRST not in self.world.rules:
            return [Mods(seq, (triple,)) for seq, triple in reversed(triples)]
        return [Mods(self.seq, tuple(triple for _, triple in triples))] if triples else []

    def _sent(self, stored: Stored, place: int) -> Value | Patch:
        return stored.sent_to(place, in_step=Rule.PATCH_IN_STEP in self.world.rules)

    def _has(self, stored: Stored, place: int, whose: int) -> bool:
        """Does the page show it already, as it made it? Not counted on where it starts from nothing."""
        return stored.origin == whose and place > 0 and Rule.ACK_ONLY in self.world.rules
