"""Histories of the model of values: two tabs, one server, random steps, and what has to hold after each and at the end."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from dash_devices.components import id_text
from dash_devices.protocol import CHECK_EVERY

from .real_server import Disk
from .values_app import START, Clock, Server, device_of, total
from .values_tab import Node, Tab, messages

Step = tuple[Any, ...]
"""The name of a method of `World`, and what it is given."""

WEIGHTS = {
    "deliver": 30,
    "advance": 10,
    "use": 12,
    "gesture": 6,
    "scan": 5,
    "sense": 5,
    "ring": 4,
    "push": 4,
    "box": 6,
    "panel": 1,
    "use_row": 5,
    "hide": 1,
    "cut": 1,
    "restart": 2,
    "settle": 2,
    "reload": 1,
}
ROWS = 4
QUIET_STEP = 500  # ms
QUIET_ROUNDS = 60  # at most
CALM = 7  # rounds in which nothing but heartbeats travelled


def history(seed: int) -> list[Step]:
    """Random steps; the first says how fast the tabs are."""
    chance = random.Random(seed)
    steps: list[Step] = [("begin", chance.randrange(2**31), chance.randint(100, 3_000), chance.randint(100, 3_000))]
    steps += [("settle",)] * chance.randrange(2)
    for number in range(1, chance.randint(8, 50)):
        name = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        steps.append((name, *_details(name, chance, number)))
    return steps


def _details(name: str, chance: random.Random, number: int) -> tuple[Any, ...]:
    tab = chance.randrange(2)
    match name:
        case "deliver":
            return tab, chance.choice(("up", "down")), chance.choice((1, 1, 2, 50))
        case "advance":
            return (chance.choice((1, 10, 30, 100, 150, 1_000)),)
        case "use":
            return tab, number + 100, chance.choice((0, 0, 0, 40))
        case "gesture":
            return tab, chance.choice(("command", "order")), f"text {number}"
        case "scan" | "ring" | "cut" | "reload" | "hide":
            return (tab,)
        case "sense":
            return tab, number
        case "push":
            return chance.choice(
                (("gain", "value", number + 1_000), ("alarm", "open", True), ("starter", "value", f"pushed {number}"))
            )
        case "box":
            numbers = chance.sample(range(ROWS), chance.randrange(1, ROWS + 1))
            return chance.choice(("whole", "append", "insert", "delete")), numbers, chance.choice((None, number))
        case "panel":
            return (f"line {number}",)
        case "use_row":
            return tab, chance.randrange(ROWS), number + 100
        case "restart":
            return (chance.random() < 0.5,)
        case _:
            return ()


class World:
    """Two tabs and a server."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.clock = Clock()
        self.tabs: list[Tab] = []
        self.server: Server
        self.expected: Counter[tuple[str, Any]] = Counter()
        self.optional: set[tuple[str, Any]] = set()
        self.lives: list[Server] = []

    def run(self, steps: Sequence[Step]) -> None:
        """A whole history, to its quiet end."""
        try:
            for name, *given in steps:
                getattr(self, name)(*given)
                self._note()
            self.rest()
            self.check()
        finally:
            self.server.end(self.clock)
            self.clock.close()

    # ---- steps --------------------------------------------------------------------------------------------------------
    def begin(self, seed: int, *close_after: int) -> None:
        """The server starts, both pages are opened."""
        self.seed = seed
        self.server = Server(self.clock, seed, Disk())
        self.lives.append(self.server)
        self.tabs = [
            Tab(node, self.clock, ms, seed + at)
            for at, (node, ms) in enumerate(zip(self.nodes, close_after, strict=True))
        ]
        for tab in self.tabs:
            tab.open(self.server)

    def deliver(self, tab: int, direction: str, count: int) -> None:
        """Some frames arrive, one task each."""
        one = self.tabs[tab]
        one.open(self.server)
        for _ in range(count):
            if direction == "down" and one.down:
                one.read()
            elif direction == "up" and one.up:
                self.receive(one)

    def settle(self) -> None:
        """All that is under way arrives, and everything in the pages has begun to live."""
        self.exchange()
        self.advance(QUIET_STEP)

    def advance(self, ms: int) -> None:
        """Time goes on everywhere."""
        self.clock.advance(ms / 1000)
        for tab in self.tabs:
            tab.do("advance", ms=ms)

    def use(self, tab: int, value: int, ms: int) -> None:
        """Somebody sets the gain; the control may report later."""
        self.tabs[tab].do("use", id="gain", values=[{"value": value}], ms=ms)

    def gesture(self, tab: int, id: str, text: str) -> None:
        """Somebody types and presses Enter: two reports of one task, the text last."""
        self.tabs[tab].do("use", id=id, values=[{"n_submit": "+1"}, {"value": text}], ms=0)

    def scan(self, tab: int) -> None:
        """Somebody looks for ports."""
        self.tabs[tab].do("use", id="scan", values=[{"n_clicks": "+1"}], ms=0)

    def ring(self, tab: int) -> None:
        """Somebody opens the alarm."""
        self.tabs[tab].do("use", id="alarm", values=[{"open": True}], ms=0)

    def sense(self, tab: int, value: int) -> None:
        """A sensor says something by itself."""
        self.tabs[tab].do("own", id="sensor", values=[{"position": value}])

    def push(self, id: str, property: str, value: Any) -> None:
        """The server speaks first."""
        self.clock.do(self.server.push, id, property, value)

    def box(self, how: str, numbers: list[int], value: int | None) -> None:
        """Rows come, come again and go: they have the values that they are given, all others stay as they are."""
        if how in ("append", "insert") and id_text({"type": "row", "index": numbers[0]}) in self.server.rows():
            how = "whole"  # no id may be there twice
        numbers = numbers if how == "whole" else numbers[:1]
        before = self.server.values()
        self.clock.do(self.server.change_box, how, numbers, value)
        after = self.server.values()
        given = {id_text({"type": "row", "index": number}) for number in numbers} if how != "delete" else set()
        for key in before:
            if key[0] in given and key[1] == "value":
                assert after[key] == (before[key] if value is None else value), f"{key} is {after[key]} after {how}"
            elif key[1] != "children":
                assert after[key] == before[key], f"{key} is {after[key]} after {how}"

    def panel(self, text: str) -> None:
        """A line comes beside the gain: that is not set back."""
        before, count = self.server.values(), len(self.server.calls)
        self.clock.do(self.server.change_panel, text)
        assert self.server.values()["gain", "value"] == before["gain", "value"]
        assert self.server.calls[count:] == []

    def use_row(self, tab: int, number: int, value: int) -> None:
        """Somebody sets a row."""
        id = id_text({"type": "row", "index": number})
        self.tabs[tab].do("use", id=id, values=[{"value": value}], ms=0)

    def hide(self, tab: int) -> None:
        """A tab is hidden, or seen again."""
        one = self.tabs[tab]
        one.is_hidden = not one.is_hidden
        one.do("hide" if one.is_hidden else "show")

    def cut(self, tab: int) -> None:
        """A socket is lost."""
        self.tabs[tab].lose()

    def reload(self, tab: int) -> None:
        """A page is loaded anew: what it had not said is lost."""
        self._forget()
        self.tabs[tab].reload()

    def restart(self, is_kept: bool) -> None:
        """The server dies and comes back, with its disk or without."""
        self._forget()
        old = self.server
        for tab in self.tabs:
            tab.lose()
        old.end(self.clock)
        disk = old.disk if is_kept else Disk()
        self.server = Server(self.clock, self.seed + len(self.lives), disk, old if is_kept else None)
        self.lives.append(self.server)

    # ---- what is expected -----------------------------------------------------------------------------------------------
    def _note(self) -> None:
        """What somebody did in a page is to reach its device once."""
        for tab in self.tabs:
            number = 0
            for one in tab.reported:
                if one.id == "gain" and one.kind == "use":
                    self._expect(tab, ("gain", (one.props["value"],)))
                elif "n_submit" in one.props:
                    number = one.props["n_submit"]
                elif one.id in ("command", "order"):
                    self._expect(tab, (one.id, (number, one.props["value"])))
            tab.reported.clear()

    def _expect(self, tab: Tab, call: tuple[str, Any]) -> None:
        self.expected[call] += 1
        if tab.epoch != self.server.hub.epoch:  # it does not know yet that the server forgot everything
            self.optional.add(call)

    def _forget(self) -> None:
        """What has not reached its device by now may be lost."""
        self._note()
        self.optional |= set(self.expected)

    def receive(self, tab: Tab) -> None:
        """The server takes the next frame of a tab: what it makes of a change is compared with the rules."""
        text = tab.up.popleft()
        connection = tab.connection
        assert connection is not None
        message = json.loads(text)
        if message["type"] != "change" or message["n"] != connection.session.taken + 1:
            self.clock.do(connection.receive, text)
            return
        self._check_cause(tab, message)
        verdict = self._verdict(message, connection.session.page)
        calls, stores = len(self.server.calls), len(self.server.stores)
        self.clock.do(connection.receive, text)
        made = self.server.calls[calls:]
        own = [store for store in self.server.stores[stores:] if store[2] == connection.session.page]
        keys = {(id, property) for id, property, _ in message["values"]}
        if verdict == "stored":
            assert {store[0] for store in own} == keys, f"{message} was not stored"
            counts = Counter(name for name, _ in made)
            assert all(counts[device] == 1 for key in keys if (device := device_of(key))), f"{message} called {made}"
        else:
            answers = [answer for answer in tab.answers() if answer.get("n") == message["n"]]
            assert [answer.get("code", "same") for answer in answers] == [verdict], (
                f"{message} was {verdict}: {answers}"
            )
            assert (own, made) == ([], []), f"{message} was {verdict}, but called {made}"

    @staticmethod
    def _check_cause(tab: Tab, message: dict[str, Any]) -> None:
        """Does it say that the component changed by itself if, and only if, nobody used it since it was last written?"""
        props = {property: value for _, property, value in message["values"]}
        said = tab.unsaid_of(message["values"][0][0], props)
        fits = [one for one in said if one.kind == ("own" if "base" in message else "use")]
        fits = [one for one in fits if message.get("base", 0) <= one.stood]
        assert fits or not said, f"{message} of {said}"
        if fits:
            tab.unsaid.remove(fits[0])

    def _verdict(self, message: dict[str, Any], page: str) -> str:
        if any(id.startswith("{") and id not in self.server.engine.components for id, _, _ in message["values"]):
            return "not_found"
        if "base" not in message:
            return "stored"
        shared = self.server.engine.shared
        entries = [(shared.get((id, property)), value) for id, property, value in message["values"]]
        if all((None if entry is None else entry.value) == value for entry, value in entries):
            return "same"
        is_newer = any(entry and entry.seq > message["base"] and entry.origin != page for entry, _ in entries)
        return "outdated" if is_newer else "stored"

    # ---- the quiet end --------------------------------------------------------------------------------------------------
    def rest(self) -> None:
        """All frames arrive, all timers run."""
        calm = 0
        for tab in self.tabs:
            if tab.is_hidden:
                self.hide(self.tabs.index(tab))
        for _ in range(QUIET_ROUNDS):
            is_calm = not self.exchange()
            self.advance(QUIET_STEP)
            self._note()
            calm = calm + 1 if is_calm and all(tab.connection for tab in self.tabs) else 0
            if calm == CALM:
                return
        raise AssertionError("the pages do not come to rest")

    def exchange(self) -> bool:
        """Deliver until nothing is under way. Returns whether there was more than heartbeats."""
        is_news = False
        while any(tab.up or tab.down or tab.wants for tab in self.tabs):
            for tab in self.tabs:
                tab.open(self.server)
                is_news |= any(is_more(frame) for frame in (*tab.up, *tab.down))
                self.deliver(self.tabs.index(tab), "up", len(tab.up))
                self.deliver(self.tabs.index(tab), "down", len(tab.down))
        return is_news

    def check(self) -> None:
        """Both tabs and the server have the same values; the pages' hashes are right; each device was called as it should."""
        server = self.server
        values = server.values()
        for tab in self.tabs:
            shown = tab.values()
            assert {id for id in shown if id.startswith("{")} == set(server.rows()), f"not the rows {server.rows()}"
            for (id, property), value in values.items():
                if property != "children" and id in shown:
                    assert shown[id].get(property) == value, (
                        f"{id}.{property}: {shown[id].get(property)!r}, server {value!r}"
                    )
            assert shown["total"]["text"] == values["total", "children"]
        rows = [values.get((id, "value")) for id in server.rows()]
        assert values["total", "children"] == total(rows), f"total {values['total', 'children']}, rows {rows}"
        assert values["alarm", "open"] is False
        assert server.remembered is not None, "no page has caught up"
        self._check_hashes()
        assert not any(call == ("starter", (START,)) for life in self.lives for call in life.calls)
        counts = Counter(call for life in self.lives for call in life.calls)
        for call, count in self.expected.items():
            assert count == 1
            assert counts[call] == 1 or (call in self.optional and not counts[call]), f"{call} ran {counts[call]} times"

    def _check_hashes(self) -> None:
        for tab in self.tabs:
            assert tab.connection is not None
            session = tab.connection.session
            assert session is not None
            session.pulse.wanted, session.pulse.since = True, CHECK_EVERY
            self.clock.do(self.server.hub.flush)
        self.exchange()
        metrics = self.server.engine.metrics
        for trouble in ("divergences", "protocol_errors", "call_errors"):
            assert not metrics[trouble], trouble


def is_more(frame: str | int) -> bool:
    """Is it more than a heartbeat?"""
    if isinstance(frame, int):
        return True
    return any(message["type"] not in ("ping", "pong") for message in messages(frame))


def smallest_fault(nodes: Sequence[Node], seed: int) -> str:
    """What is wrong in a history, and the fewest of its steps that lead there; empty if nothing is."""
    steps = history(seed)
    if not fault(nodes, steps):
        return ""
    steps = shrunk(steps, lambda shorter: bool(fault(nodes, shorter)))
    return "\n".join((f"seed {seed}: {fault(nodes, steps)}", *map(str, steps)))


def fault(nodes: Sequence[Node], steps: list[Step]) -> str:
    """What is wrong at some point of these steps; empty if nothing is."""
    try:
        World(nodes).run(steps)
    except AssertionError as error:
        return str(error) or "an assertion without words"
    return ""


def shrunk(steps: list[Step], fails: Callable[[list[Step]], bool]) -> list[Step]:
    """The history without what is not needed to fail."""
    size = len(steps) // 2
    while size:
        at = 1
        while at < len(steps):
            shorter = steps[:at] + steps[at + size :]
            if fails(shorter):
                steps = shorter
            else:
                at += size
        size //= 2
    return steps
