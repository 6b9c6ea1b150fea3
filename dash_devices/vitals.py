"""Are the pages alive, and do they hold what the server thinks? Heartbeats, clocks, silence, write progress, hashes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial

from . import codec
from .engine import Engine
from .errors import ProtocolError
from .protocol import CHECK_EVERY, PING_SECONDS, Hello, Ping, Pong
from .pulse import Pulse
from .sessions import Link, Session
from .supervision import Watch

logger = logging.getLogger("dash_devices.clients")

SWEEP_SECONDS = 1.0
SILENT_SECONDS = 14.0  # with the sweep's second: nothing received for 15
STALLED_SECONDS = 30.0
UNANSWERED_SECONDS = 60.0  # pings without an answer; a slow connection delays answers, but not what shows that it moves
COUNTED = (
    "heartbeats",
    "divergences",
    "silent_pages",
    "stalled_pages",
    "unanswering_pages",
    "slowed_pages",
    "flooding_pages",
    "too_old",
)
GOLDEN = 0.618  # steps of this part of a circle never come close to each other


class Vitals:
    """The vital signs of all pages. On the event loop only.

    Args:
        engine: whose state is hashed and whose metrics are counted.
        drop: called with a session and a reason to cut its socket.
        now: seconds of a clock that only goes forward.
        wall: milliseconds since 1970.
    """

    def __init__(
        self,
        engine: Engine,
        drop: Callable[[Session, str], None],
        *,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        self._engine = engine
        self._drop = drop
        self.now = now
        self.wall = wall
        self._watch = Watch(engine.metrics)
        self._swept: float | None = None
        engine.metrics.update(dict.fromkeys(COUNTED, 0))
        self._phase = 0.0

    def begin(self, session: Session, hello: Hello) -> None:
        """A socket begins: its first ping goes with the welcome, the second at a time of its own."""
        self._phase = (self._phase + GOLDEN) % 1  # after a restart all pages come at once
        now = self.now()
        session.pulse = Pulse(now, now + PING_SECONDS * (1 + self._phase) / 2)
        session.clock.greeted(hello.at, self.wall())

    def ping(self, session: Session) -> bytes:
        """The ping that ends a frame. A page that is kept back holds less than the server: it is not asked for a hash."""
        pulse, outbox = session.pulse, session.outbox
        check = pulse.since >= CHECK_EVERY and outbox.is_in_step(self._engine.shared)
        pulse.since = 1 if check else pulse.since + 1
        pulse.wanted = False
        ping = Ping(self.wall(), check)
        pulse.owed.append((ping.at, outbox.checksum(self._engine.shared) if check else None, outbox.making))
        self._engine.metrics["heartbeats"] += 1
        return codec.encode(ping)

    def pong(self, session: Session, pong: Pong) -> bool:
        """A page answered: its clock, and what it holds. Returns whether it has to be sent everything again.

        Raises:
            ProtocolError: the hash that was asked for is missing.
        """
        if not session.pulse.owed:
            return False
        sent, expected, frame = session.pulse.owed.pop(0)
        session.pulse.answered = self.now()
        session.outbox.again.worked_off(frame)
        session.clock.answered(sent, pong.at, self.wall())
        if expected is None or pong.hash == expected:
            return False
        if pong.hash is None:
            raise ProtocolError("pong.hash: expected a whole number after a ping with check, got none")
        self._engine.metrics["divergences"] += 1
        logger.warning(
            "client %s: holds other versions than it was sent (hash %s at seq %s, expected %s); sending everything again",
            *(session.client, pong.hash, pong.seq, expected),
        )
        session.outbox.start_over()
        return True

    def age(self, session: Session, at: float) -> float:
        """Seconds since a change was made, by the page's clock as it is known to go."""
        return session.clock.age(at, self.wall())

    def sweep(self, sessions: Iterable[Session]) -> bool:
        """Look at every page that has a socket, once a second. Returns whether pings are due."""
        now = self.now()
        late = 0.0 if self._swept is None else now - self._swept - SWEEP_SECONDS
        self._swept = now
        due = False
        for session in sessions:
            link, pulse = session.link, session.pulse
            if link is None:
                continue
            if late > SWEEP_SECONDS:  # the loop was held up: what pages said meanwhile is not read yet
                link.heard += late
                pulse.moved += late
                pulse.drained += late
                pulse.answered += late
            self._watch.guard("heartbeats", partial(self._look, session, link, now))
            if now >= pulse.due:
                pulse.due = max(pulse.due + PING_SECONDS, now)
                pulse.wanted = due = True
        return due

    def _look(self, session: Session, link: Link, now: float) -> None:
        pulse = session.pulse
        pulse.look(*link.progress(), now)
        if now - max(link.heard, pulse.drained) >= SILENT_SECONDS:
            self._engine.metrics["silent_pages"] += 1
            self._drop(session, f"silent for {SILENT_SECONDS:g} s")
        elif now - pulse.moved >= STALLED_SECONDS:
            self._engine.metrics["stalled_pages"] += 1
            self._drop(session, f"reads nothing of what waits for it, for {STALLED_SECONDS:g} s")
        elif now - max(pulse.answered, pulse.drained) >= UNANSWERED_SECONDS:
            self._engine.metrics["unanswering_pages"] += 1
            self._drop(session, f"answers no ping for {UNANSWERED_SECONDS:g} s")
