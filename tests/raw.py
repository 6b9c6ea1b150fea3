"""A client that speaks ``PROTOCOL.md`` without a browser. Tests import it from ``tests.support``."""

from __future__ import annotations

import collections
import contextlib
import json
import secrets
import socket
import time
import zlib
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dash_devices import protocol

TIMEOUT = 30.0
"""Seconds that anything in a test may take before it counts as hung."""


class Closed(AssertionError):
    """The server closed the socket of a `Raw`, with close code ``code``."""

    def __init__(self, code: int, reason: str, seen: Iterable[dict[str, Any]]) -> None:
        super().__init__(f"socket closed with {code} {reason!r}; seen so far:\n{_lines(seen)}")
        self.code = code


def _lines(messages: Iterable[dict[str, Any]]) -> str:
    return "\n".join(f"  {json.dumps(message):.300}" for message in messages) or "  (nothing)"


def wire_id(id: str | dict[str, Any]) -> str:
    """A component id as the wire writes it."""
    return id if isinstance(id, str) else json.dumps(id, sort_keys=True, separators=(",", ":"))


class Held:
    """The seq of each property that a page holds, and the hash of them.

    Attributes:
        seqs: by ``id.property``.
        base: the seq of the layout, or 0.
        made: properties of its own changes, by number.
    """

    def __init__(self) -> None:
        self.seqs: dict[str, int] = {}
        self.base = 0
        self.made: dict[int, list[str]] = {}

    def take(self, message: dict[str, Any]) -> None:
        """A message arrived."""
        if message["type"] == "welcome" and message["mode"] == "snapshot":
            self.__init__()  # type: ignore[misc]
        elif message["type"] == "mods":
            gone = message.get("gone", ())
            self.seqs = {name: seq for name, seq in self.seqs.items() if name.rpartition(".")[0] not in gone}
            for id, property, _, *seq in message["mods"]:
                self._hold(f"{id}.{property}", *seq or [message["seq"]])
        elif message["type"] == "ack":
            for name in self.made.get(message["n"], ()):
                self._hold(name, message["seq"])

    def _hold(self, name: str, seq: int) -> None:
        self.seqs[name] = max(seq, self.seqs.get(name, 0))

    @property
    def hash(self) -> int:
        """What a pong says after a ping with ``check``."""
        return sum(zlib.crc32(f"{name}:{seq}".encode()) for name, seq in self.seqs.items() if seq > self.base) % 2**32


class Raw:
    """One page without a browser: sends and receives the literal messages of ``PROTOCOL.md``.

    Pings are answered, as they are read, and never returned unless ``pong=False``. Batches are acknowledged as they are
    read, unless ``applies=False``. Every message received is kept in ``seen``, with plain triples in ``mods``: `held` knows
    their seqs; ``frames`` has the types of the messages of each frame. Whatever takes longer than ``timeout`` seconds raises
    `AssertionError` with all of them.

    Args:
        url: the app's, ``http://host:port`` with or without a ``requests_pathname_prefix``.
        origin: the Origin header; none by default, as for a client that is no browser.
        headers: more headers of the handshake.
        clock: ms by which its clock is fast.
        max_queue: stop reading from the line while so many frames wait here; a page that never looks at them cannot
            close then. None: always read on.
    """

    def __init__(
        self,
        url: str,
        *,
        origin: str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = TIMEOUT,
        pong: bool = True,
        applies: bool = True,
        clock: float = 0.0,
        max_queue: int | None = None,
    ) -> None:
        self.timeout = timeout
        self.page = secrets.token_hex(8)
        self.welcome: dict[str, Any] = {}
        self.seen: list[dict[str, Any]] = []
        self.frames: list[list[str]] = []
        self.seq = 0
        self.n = 0
        self._ref = 0
        self.held = Held()
        self._pong = pong
        self._applies = applies
        self._clock = clock
        self._batches = 0
        self._waiting: collections.deque[dict[str, Any]] = collections.deque()
        self._stack = contextlib.ExitStack()
        opening = connect(
            f"{url.replace('http', 'ws', 1).rstrip('/')}/{protocol.PATH}",
            origin=origin,  # type: ignore[arg-type]
            additional_headers=headers,
            open_timeout=timeout,
            close_timeout=timeout,
            max_size=None,
            max_queue=max_queue,
            compression=None,
            ping_interval=None,
            proxy=None,
        )
        self._socket = self._stack.enter_context(opening)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self, code: int = 1001) -> None:
        """Close as a tab that goes away does."""
        self._socket.close(code)
        self._stack.close()

    def drop(self) -> None:
        """Cut the line without a close frame, as a lost network does."""
        self._socket.socket.shutdown(socket.SHUT_RDWR)

    # ---- sending
    def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        self.send_frame(json.dumps(message))

    def send_frame(self, frame: str | bytes) -> None:
        """Send one frame as it is: text for a string, binary for bytes."""
        self._socket.send(frame)

    def hello(self, **fields: Any) -> dict[str, Any]:
        """Send a hello and return the welcome."""
        said = {"version": protocol.VERSION, "page": self.page, "build": "raw", "at": self._now()}
        self.send({"type": "hello", **said, **fields})
        self.welcome = self.until("welcome")
        return self.welcome

    def resume(self, old: Raw) -> dict[str, Any]:
        """Say hello as the same page load as ``old`` (whose socket is gone) and return the welcome."""
        self.page, self.n, self.seq, self.held = old.page, old.n, old.seq, old.held
        known = {key: old.welcome[key] for key in ("tab", "token", "epoch")}
        return self.hello(**known, seq=old.seq, n=old.n)

    def request(self, route: str, body: Any = None, query: str = "") -> dict[str, Any]:
        """Make one HTTP exchange of Dash's renderer over the socket and return the whole reply."""
        self._ref += 1
        self.send({"type": "request", "ref": self._ref, "route": route, "query": query, "body": body})
        return self.until("reply", ref=self._ref)

    def layout(self) -> Any:
        """Request the layout and return its JSON. From here on the server sends mods."""
        reply = self.request("layout")
        if reply["status"] != 200:
            raise AssertionError(f"layout: expected status 200, got {reply}")
        self.seq = self.held.base = int(reply["headers"][protocol.SEQ_HEADER].rpartition(":")[2])
        return reply["body"]

    def join(self, **fields: Any) -> Self:
        """Say hello and request the layout: what a page does first."""
        self.hello(**fields)
        self.layout()
        return self

    def change(self, id: str | dict[str, Any], property: str, value: Any, state: Iterable[Iterable[Any]] = ()) -> int:
        """Report a new value of one property and return the number of the change."""
        return self.changes([(id, property, value)], state)

    def changes(
        self,
        values: Iterable[Iterable[Any]],
        state: Iterable[Iterable[Any]] = (),
        at: float = 0,
        base: int | None = None,
    ) -> int:
        """Report new values of several properties in one change and return its number.

        Args:
            values: triples.
            state: triples of the State that goes along.
            at: ms, 0 for now.
            base: the component changed by itself, in a page that stood at this seq.
        """
        self.n += 1
        values = [[wire_id(id), property, value] for id, property, value in values]
        state = [[wire_id(id), property, value] for id, property, value in state]
        self.held.made[self.n] = [f"{id}.{property}" for id, property, _ in values]
        at = at or self._now()
        own = {} if base is None else {"base": base}
        self.send({"type": "change", "n": self.n, "values": values, "state": state, "at": at, **own})
        return self.n

    # ---- receiving
    def receive(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message; a frame with several is handed out one by one."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            if self._waiting:
                return self._waiting.popleft()
            self._read(deadline)

    def until(self, type: str, **match: Any) -> dict[str, Any]:
        """Receive until a message of this type with these fields comes, and return it; drop those before it."""
        while True:
            message = self.receive()
            if message["type"] == type and all(message.get(key) == value for key, value in match.items()):
                return message

    def until_value(self, id: str | dict[str, Any], property: str, value: Any) -> dict[str, Any]:
        """Receive until mods or props set this property to this value, and return the message."""
        wanted = [wire_id(id), property, value]
        while True:
            message = self.receive()
            if wanted in message.get("mods", []) + message.get("props", []) + message.get("events", []):
                return message

    def answers_pings(self, does: bool) -> None:
        """From now on pings are answered as they are read, or handed out."""
        self._pong = does

    def pong(self, ping: dict[str, Any]) -> None:
        """Answer a ping."""
        self._batches = 0
        check = {"hash": self.held.hash} if ping.get("check") else {}
        self.send({"type": "pong", "seq": self.seq, "at": self._now(), **check})

    def quiet(self, seconds: float = 0.2) -> list[dict[str, Any]]:
        """All messages of the next ``seconds``: for tests that nothing more comes."""
        return list(self._until_quiet(time.monotonic() + seconds))

    def closed(self) -> int:
        """Wait for the server to close the socket and return the close code."""
        try:
            while True:
                self.receive()
        except Closed as error:
            return error.code

    def _until_quiet(self, deadline: float) -> Iterator[dict[str, Any]]:
        try:
            while True:
                yield self.receive(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return

    def _read(self, deadline: float) -> None:
        try:
            frame = json.loads(self._socket.recv(max(0.0, deadline - time.monotonic())))
        except TimeoutError:
            raise Silent(f"nothing received in time; seen so far:\n{_lines(self.seen)}") from None
        except ConnectionClosed as error:
            raise Closed(*_close_of(error), self.seen) from None
        messages = frame if isinstance(frame, list) else [frame]
        self.frames.append([message["type"] for message in messages])
        for message in messages:
            self.held.take(message)
            plain = {"mods": [mod[:3] for mod in message["mods"]]} if message["type"] == "mods" else {}
            self.seen.append({**message, **plain})
            self._take(self.seen[-1])

    def _now(self) -> float:
        return time.time() * 1000 + self._clock

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "welcome" and message["mode"] == "snapshot":
            self.seq = 0
        if message["type"] == "mods":
            self.seq = max(self.seq, message["seq"])
            self._batches += bool(message["mods"])
            if self._applies and self._batches >= protocol.MAX_BATCHES // 2:
                self._batches = 0
                self.send({"type": "applied", "seq": self.seq})
        if message["type"] != "ping" or not self._pong:
            self._waiting.append(message)
        else:
            self.pong(message)


class Silent(AssertionError, TimeoutError):
    """Nothing came in time."""


def _close_of(error: ConnectionClosed) -> tuple[int, str]:
    return (error.rcvd.code, error.rcvd.reason) if error.rcvd else (1006, "")
