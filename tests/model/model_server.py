"""The server's half of the protocol model."""

from __future__ import annotations

from dataclasses import dataclass, field

from .model import (
    LIMIT,
    PAIR,
    Ack,
    Change,
    FromServer,
    Hello,
    Layout,
    Line,
    Mods,
    Mount,
    Nack,
    Patch,
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
    """What the server knows of one page load. ``want``: properties of which this page needs the whole value."""

    token: int
    handled: int = 0
    answers: dict[int, Ack | Nack] = field(default_factory=dict)
    line: Line | None = None
    place: int = 0
    unsent: list[Ack | Nack] = field(default_factory=list)
    want: set[str] = field(default_factory=set)


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
        elif isinstance(message, Change):
            self._change(line, self.loads[line.load], message)
        else:
            self._mount(line, self.loads[line.load], message)

    def _hello(self, line: Line, hello: Hello) -> None:
        mode, load = self._greet(line, hello)
        load.line, load.place, load.unsent, load.want = line, 0, [], set()
        line.down.append(Welcome(load.token, self.epoch, self.seq, mode, load.handled))
        if mode == "fresh":
            load.place = self.seq
            line.down.append(Layout(self.seq, {key: stored.value for key, stored in self.values.items()}))
        if mode == "delta":
            load.place = hello.seq if Rule.ALL_NEWER in self.world.rules else self.seq
            self._answer_again(load)

    def _greet(self, line: Line, hello: Hello) -> tuple[str, Load]:
        """The token, not the number of the page load, says whether this server remembers the page."""
        load = self.loads.get(line.load)
        if hello.epoch == self.epoch and load is not None and load.token == hello.token:
            return "delta", load
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
        elif change.n > load.handled + 1:
            line.cut()  # 4400
        else:
            self._handle(line, load, change)

    def _handle(self, line: Line, load: Load, change: Change) -> None:
        self.world.handled[change.uid] += 1
        answer: Ack | Nack
        if change.doomed:
            answer = Nack(change.n, self.seq, {k: self.values[k].value for k in change.values if k in self.values})
        else:
            self.store(change.values, line.load)
            answer = Ack(change.n, self.seq)
        load.handled = change.n
        load.answers = {n: a for n, a in load.answers.items() if n > change.n - LIMIT} | {change.n: answer}
        self._answer(load, answer)

    def _mount(self, line: Line, load: Load, mount: Mount) -> None:
        for key, value in mount.values.items():
            if key not in self.values or Rule.MOUNT not in self.world.rules:
                self.store({key: value}, line.load)
            else:
                load.want.add(key)

    def flush(self, load: Load) -> None:
        """Send a page all that it needs now."""
        if load.line is None or not load.line.is_open:
            return
        mods = self._newer(load)
        load.place, load.want = self.seq, set()
        answers, load.unsent = _joined(load.unsent), []
        frames: list[FromServer] = [*answers, *mods]
        load.line.down.extend(frames if Rule.ANSWERS_FIRST in self.world.rules else [*mods, *answers])

    def _newer(self, load: Load) -> list[Mods]:
        entries = sorted(self.values.items(), key=lambda item: item[1].seq)
        whose = next(number for number, known in self.loads.items() if known is load)
        triples = [
            (stored.seq, (key, stored.value if key in load.want else self._sent(stored, load.place)))
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


def _joined(answers: list[Ack | Nack]) -> list[Ack | Nack]:
    """An ack speaks for the changes below it: of neighbouring acks only the last is needed."""
    following = [*answers[1:], None]
    return [a for a, b in zip(answers, following, strict=False) if isinstance(a, Nack) or not isinstance(b, Ack)]
