"""The page's half of the protocol model."""

from __future__ import annotations

from .model import (
    BATCHES,
    LIMIT,
    PAIR,
    WATCHED,
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
    Props,
    Rule,
    Triple,
    Value,
    Welcome,
    World,
)


class Page:
    """One tab. ``shows`` is what its user sees; ``unacked`` the changes without an answer, the first ``sent``
    of which went out on this line.

    ``mounts`` are reports of mounting that wait behind unsent changes, ``told`` those this line may yet lose.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.line: Line | None = None
        self.reload()

    # ---- what the user and the browser do ----
    def reload(self) -> None:
        """A new page load: what was under way is forgotten."""
        self.cut()
        self.load = self.world.number()
        self.token = 0
        self.epoch: int | None = None
        self.shows: dict[str, Value] = {}
        self._start_over()

    def _start_over(self) -> None:
        self.seq = 0
        self.n = 0
        self.unacked: list[Change] = []
        self.sent = 0
        self.is_welcome = False
        self.held: dict[str, int] = {}
        self.base = 0
        self.batches = 0
        self.aside: dict[str, tuple[Value | Patch, int]] = {}
        self.mounts: set[str] = set()
        self.told: set[str] = set()
        self.made: list[Change] = []  # for the checks: every change since, and the ones acknowledged
        self.acked: set[int] = set()
        self.own: set[Value] = set()
        self.excused: set[str] = set()

    def change(self, keys: tuple[str, ...], *, doomed: bool = False) -> None:
        """The user moves controls, all in one setProps."""
        values: dict[str, Value] = {key: (self.world.number(),) for key in keys}
        self._queue(values, self.world.number(), doomed)
        self.shows |= values
        self.own |= set(values.values())
        self._pump()

    def _queue(self, values: dict[str, Value], uid: int, doomed: bool) -> None:
        self.n += 1
        change = Change(self.n, values, uid, doomed)
        self.unacked.append(change)
        self.made.append(change)

    def mount(self, key: str) -> None:
        """A component appears (again), with a value that nobody chose."""
        self.shows[key] = (self.world.number(),)
        self.mounts.add(key)
        self.excused.add(key)
        self._pump()

    def connect(self) -> Line:
        """Open a socket and say hello."""
        self.line = Line(self.load)
        self.line.up.append(Hello(self.token, self.epoch, self.seq, self.n))
        self.is_welcome = False
        self.batches = 0
        return self.line

    def cut(self) -> None:
        """The socket breaks."""
        if self.line is not None:
            self.line.cut()
        self.line = None

    # ---- sending ----
    def _pump(self) -> None:
        if self.line is None or not self.is_welcome:
            return
        while self.sent < len(self.unacked) and (self.sent < LIMIT or Rule.LIMITED not in self.world.rules):
            self.line.up.append(self.unacked[self.sent])
            self.sent += 1
        if self.mounts and self.sent == len(self.unacked):
            self.line.up.append(Mount({key: self.shows[key] for key in sorted(self.mounts)}))
            self.told |= self.mounts
            self.mounts = set()

    # ---- receiving ----
    def read(self) -> None:
        """Take the next message of the line."""
        assert self.line is not None
        self.take(self.line.down.popleft())
        self._pump()

    def take(self, message: FromServer) -> None:
        """Do what one message asks for."""
        if isinstance(message, Welcome):
            self._take_welcome(message)
        elif isinstance(message, Layout):
            self.shows |= message.values
            self.base = message.seq
            self.epoch, self.seq, self.is_welcome = self.server_epoch, message.seq, True
        elif isinstance(message, Mods):
            self._take_mods(message)
        elif isinstance(message, Ping):
            self._take_ping(message)
        elif isinstance(message, Props):
            self._write(list(message.props))
        else:
            self._take_answer(message)

    def _take_welcome(self, welcome: Welcome) -> None:
        self.server_epoch = welcome.epoch
        self.token = welcome.token
        if welcome.mode == "fresh":
            return
        if welcome.kept and Rule.KEPT in self.world.rules:
            self._take_kept(welcome)
        elif welcome.mode == "snapshot":
            self._take_new_life(welcome)
        else:
            self._take_up(welcome)
        if Rule.ONLY_MODS_MOVE not in self.world.rules:
            self.seq = welcome.seq
        self.is_welcome = True

    def _take_new_life(self, welcome: Welcome) -> None:
        pending, mounts = self.unacked, self.mounts | self.told
        self._start_over()
        self.epoch, self.mounts = welcome.epoch, mounts
        self.excused = set(WATCHED)  # the snapshot may hold what this page set in the life before
        if Rule.NO_RESEND not in self.world.rules:
            for change in pending:
                self._queue(change.values, change.uid, change.doomed)

    def _take_kept(self, welcome: Welcome) -> None:
        """The server was born again and knows what it has handled: the numbers go on, and so does all that has no answer."""
        pending, mounts = self.unacked, self.mounts | self.told
        known = {name: getattr(self, name) for name in ("n", "made", "acked", "own")}
        self._start_over()
        vars(self).update(known)
        self.epoch, self.mounts, self.excused = welcome.epoch, mounts, set(WATCHED)
        settled = Rule.KEPT_SETTLED in self.world.rules
        self.unacked = [change for change in pending if change.n > welcome.handled or not settled]
        self.acked |= {change.uid for change in pending if change not in self.unacked}
        if Rule.KEPT_RESENT not in self.world.rules:
            self.sent = len(self.unacked)

    def _take_up(self, welcome: Welcome) -> None:
        self.sent = sum(change.n <= welcome.handled for change in self.unacked)
        if Rule.IN_ORDER not in self.world.rules:
            self.unacked[self.sent :] = self.unacked[self.sent :][::-1]
        if Rule.RESEND not in self.world.rules:
            self.sent = len(self.unacked)
        if Rule.MOUNT_AGAIN in self.world.rules:
            self.mounts |= self.told
        self.told = set()

    def _take_mods(self, mods: Mods) -> None:
        if mods.seq < self.seq:
            self.world.faults.append(f"mods at {mods.seq} after {self.seq}")
        self._find_echoes(mods)
        self._write([(key, value) for key, value, seq in mods.mods if not self._keep_aside((key, value), seq)])
        for key, _, seq in mods.mods:
            if not self._is_pending(key) or Rule.HELD_COUNTS in self.world.rules:
                self.held[key] = seq if Rule.OWN_SEQ in self.world.rules else mods.seq
        self.seq = mods.seq
        self.batches += bool(mods.mods)
        if self.batches >= BATCHES // 2:
            self._say(Applied(self.seq))

    def _take_ping(self, ping: Ping) -> None:
        base = self.base if Rule.BASE in self.world.rules else 0
        held = frozenset((key, seq) for key, seq in self.held.items() if seq > base)
        self._say(Pong(self.seq, held if ping.check else None))

    def _say(self, message: Applied | Pong) -> None:
        self.batches = 0
        if self.line is not None:
            self.line.up.append(message)

    def _keep_aside(self, triple: Triple, seq: int) -> bool:
        if not self._is_pending(triple[0]) or Rule.HOLD_BACK not in self.world.rules:
            return False
        self.aside[triple[0]] = (triple[1], seq)
        return True

    def _is_pending(self, key: str) -> bool:
        return any(key in change.values for change in self.unacked)

    def _take_answer(self, answer: Ack | Nack) -> None:
        """An ack speaks for every change up to its number, a nack for its own only."""
        done = [c for c in self.unacked if c.n == answer.n or (isinstance(answer, Ack) and c.n < answer.n)]
        self.unacked = [change for change in self.unacked if change not in done]
        self.sent -= len(done)
        if isinstance(answer, Ack):
            self.acked |= {change.uid for change in done}
            if Rule.ACK_COUNTS in self.world.rules:
                self.held |= dict.fromkeys((key for c in done if c.n == answer.n for key in c.values), answer.seq)
        elif done:
            self.excused |= {key for change in done for key in change.values}  # told by the answer, or by mods
            self._write([(k, v) for k, v in answer.values.items() if not self._is_pending(k)])
        self._settle_aside({key for change in done for key in change.values}, answer.seq)

    def _settle_aside(self, keys: set[str], seq: int) -> None:
        for key in sorted(keys & set(self.aside)):
            if not self._is_pending(key):
                value, stored = self.aside.pop(key)
                if stored > seq or Rule.DROP_OLD not in self.world.rules:
                    self._write([(key, value)])

    # ---- writing into the components ----
    def _write(self, triples: list[Triple]) -> None:
        for key, value in triples:
            self.shows[key] = (*self.shows[key], *value.added) if isinstance(value, Patch) else value
            if Rule.ONE_TASK not in self.world.rules:
                self._look()
        self._look()

    def _look(self) -> None:
        """What a user sees at the end of a task."""
        if self.shows[PAIR[0]] != self.shows[PAIR[1]]:
            self.world.faults.append("half of a callback's results")

    def _find_echoes(self, mods: Mods) -> None:
        for key, value, _ in mods.mods:
            if self.seq > 0 and value in self.own and key not in self.excused:
                self.world.faults.append(f"{key}: the page's own value came back")
