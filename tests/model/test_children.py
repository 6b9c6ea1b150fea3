"""Patches of children against pages that read at arbitrary times: each page's tree is the server's, filled with its values.

What the Patch does not name keeps its value and its seq.
"""

from __future__ import annotations

import copy
import itertools
import random
import zlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import orjson
import pytest

from dash_devices import shared as shared_module
from dash_devices.calls import SERVER, Item
from dash_devices.components import id_text, walk
from dash_devices.engine import Engine
from dash_devices.outbox import Outbox
from dash_devices.patches import apply_patch, is_patch
from dash_devices.patterns import Dep, Wild
from dash_devices.shared import Key

PATCHES = 1_000
EACH = 20
"""Patches in one history."""
CONTAINERS: list[Key] = [("panel", "children"), ("list", "options"), ("box", "children")]

Tree = Any
Operation = dict[str, Any]


def component(type: str, id: Any, **props: Any) -> Tree:
    """A component as JSON."""
    return {"props": {"id": id, **props}, "type": type, "namespace": "n"}


def props_of(tree: Tree, id: str) -> dict[str, Any] | None:
    """The props of the component with this id."""
    return next((props for props in walk(tree) if id_text(props["id"]) == id), None)


class Page:
    """A page: its tree, and the seq it stands at. Writes as ``renderer/src/writer.ts`` does."""

    def __init__(self, name: str, engine: Engine, tree: Tree) -> None:
        self.name = name
        self.engine = engine
        self.tree = copy.deepcopy(tree)
        self.outbox = Outbox()
        self.outbox.laid_out(engine.shared.seq)
        self.outbox.stand(engine.shared.seq)
        self.held: dict[Key, int] = {}
        self.kept: dict[Key, list[Any]] = {}

    def read(self) -> None:
        """A flush for this page, and what it does with it."""
        frame = self.outbox.next_frame(self.name, self.engine.shared, {})
        if frame is None:
            return
        message = orjson.loads(frame)
        for id, property, value, *seq in message["mods"]:
            self.held[id, property] = (seq or [message["seq"]])[0]
            self.write((id, property), value)
            self.appeared()
        self.outbox.applied(message["seq"])

    def write(self, key: Key, value: Any) -> None:
        """Write a value, or keep it for a component that is not there."""
        props = props_of(self.tree, key[0])
        if props is not None:
            old = props.get(key[1])
            props[key[1]] = copy.deepcopy(apply_patch(old, value["operations"]) if is_patch(value) else value)
        elif not is_patch(value):
            self.kept[key] = [value]
        elif key in self.kept:
            self.kept[key].append(value)

    def appeared(self) -> None:
        """Values that came with newer components stay."""
        for key in list(self.kept):
            props = props_of(self.tree, key[0])
            if props is not None:
                values = self.kept.pop(key)
                for value in values if key[1] not in props else ():
                    self.write(key, value)

    def change(self, key: Key, value: Any) -> None:
        """Somebody changes a control; the server takes it at once."""
        self.write(key, value)
        self.held[key] = self.engine.store([Item(key, orjson.dumps(value))], SERVER, origin=self.name)

    @property
    def hash(self) -> int:
        counting = [(key, seq) for key, seq in self.held.items() if seq > self.outbox.base]
        return sum(zlib.crc32(f"{id}.{name}:{seq}".encode()) for (id, name), seq in counting) % 2**32


class History:
    """A server with a tree of components, a page in step, one that is behind, and newcomers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.numbers = itertools.count(1)
        self.patches = 0
        self.engine = Engine(orjson.dumps)
        self.engine.running = True
        self.engine.share(Dep('{"n":["ALL"],"t":"in"}', "value", ("n", "t"), (Wild.ALL, "in")))
        box = component("Div", "box", children=[self.row() for _ in range(2)])
        panel = component("Div", "panel", children=[self.row(), box, self.row()])
        self.layout = component(
            "Div", "root", children=[panel, component("Checklist", "list", options=[self.option()])]
        )
        self.engine.load_layout(self.layout)
        self.engine.startup.open()
        self.step = Page("step", self.engine, self.tree)
        self.behind = Page("behind", self.engine, self.tree)
        self.late = Page("late", self.engine, self.tree)

    # ---- the tree
    @property
    def tree(self) -> Tree:
        """The layout with the server's values, as a newcomer gets it."""
        return self.engine.children.filled(("", "children"), self.layout)

    def row(self, number: int | None = None) -> Tree:
        """A row with a control and what it shows; some of it not given, or given as null, as html components do."""
        number = next(self.numbers) if number is None else number
        maybe = {"title": f"new {next(self.numbers)}"} if self.random.random() < 0.5 else {}
        value = {"value": next(self.numbers)} if self.random.random() < 0.7 else {}
        control = component("Input", {"t": "in", "n": number}, **value)
        shown = component(
            "Div", {"t": "out", "n": number}, children=self.random.choice([None, f"{next(self.numbers)}"])
        )
        return component("Div", f"row{number}", children=[control, shown], **maybe)

    def option(self) -> Tree:
        """An option whose label is a component."""
        return {"label": self.row(), "value": next(self.numbers)}

    def ids(self) -> list[str]:
        return [id_text(props["id"]) for props in walk(self.tree)]

    def content(self, key: Key) -> list[Tree]:
        """What a container holds."""
        content = (props_of(self.tree, key[0]) or {}).get(key[1])
        return content if isinstance(content, list) else []

    def containers(self) -> list[Key]:
        """Those that are there, and hold a list."""
        return [key for key in CONTAINERS if key[0] in self.ids()]

    def key(self) -> Key:
        """A property inside."""
        names = {"r": ["title"], "{": ["value", "children", "title"]}
        id = self.random.choice([id for id in self.ids() if id[0] in names and id != "root"] or ["gone"])
        return id, self.random.choice(names.get(id[0], ["title"]))

    # ---- what happens
    def push(self) -> list[Item]:
        key = self.key()
        if key[0].startswith("{"):
            key = key[0], "value" if '"in"' in key[0] else key[1].replace("value", "children")
        return [Item(key, orjson.dumps(next(self.numbers)))]

    def change(self, page: Page) -> None:
        """Only of what page and server both show."""
        there = [id_text(props["id"]) for props in walk(page.tree)]
        controls = [id for id in self.ids() if '"in"' in id and id in there]
        if controls:
            page.change((self.random.choice(controls), "value"), next(self.numbers))

    def whole(self) -> list[Item]:
        """Whole children: some rows as they are, some anew, some gone."""
        key = self.random.choice(self.containers())
        new = self.option if key[1] == "options" else self.row
        held = [part for part in self.content(key) if self.random.random() < 0.7]
        rows = [self.anew(part) if self.random.random() < 0.5 else part for part in held]
        return [Item(key, orjson.dumps([*rows, *(new() for _ in range(self.random.randint(0, 2)))]))]

    def anew(self, part: Tree) -> Tree:
        """The same row, made anew; or the box, without its rows."""
        if "label" in part:
            return part
        if part["props"]["id"] == "box":
            return component("Div", "box", children=None)
        return self.row(int(part["props"]["id"][3:]))

    def operation(self, key: Key) -> Operation:
        new = self.option if key[1] == "options" else self.row
        content = self.content(key)
        place = self.random.randrange(len(content)) if content else 0
        simple = [op("Append", [], value=new()), op("Prepend", [], value=new())]
        if not content:
            return self.random.choice(simple)
        simple.append(op("Extend", [], value=[new(), new()]))
        simple.append(op("Insert", [], index=place, value=new()))
        simple.append(op("Reverse", []))
        inside = ["label"] if "label" in content[place] else []
        return self.random.choice(
            [
                *simple,
                op("Delete", [place]),
                op("Remove", [], value=content[place]),
                op("Assign", [place], value=self.anew(content[place])),
                op("Assign", [place, *inside, "props", "title"], value=next(self.numbers)),
                op("Merge", [place, *inside, "props"], value={"title": next(self.numbers), "lang": "en"}),
                *self.deep(place, content[place], inside),
                *([op("Clear", [])] if self.random.random() < 0.2 else []),
            ]
        )

    def deep(self, place: int, part: Tree, inside: list[str]) -> Iterator[Operation]:
        """Right into the control of a row, or into what it shows."""
        if "label" in part or part["props"]["id"] != "box":
            path = [place, *inside, "props", "children"]
            yield op("Assign", [*path, 0, "props", "value"], value=next(self.numbers))
            yield op("Delete", [*path, 1, "props", "title"])
            yield op("Append", [*path, 1, "props", "lang"], value=next(self.numbers))
        elif isinstance(part["props"].get("children"), list):
            yield op("Append", [place, "props", "children"], value=self.row())

    def patch(self) -> list[Item]:
        key = self.random.choice(self.containers())
        self.patches += 1
        patch = {"__dash_patch_update": "__dash_patch_update", "operations": [self.operation(key)]}
        return [Item(key, orjson.dumps(patch))]

    def go(self) -> None:
        """One step, and what has to hold after it."""
        items = {"push": self.push, "whole": self.whole, "patch": self.patch}
        kinds = self.random.choice([["patch"]] * 4 + [["push"]] * 3 + [["whole"], ["patch", "push"], ["push", "patch"]])
        before = {entry.key: (entry.value, entry.seq) for entry in self.engine.shared.entries()}
        mod = [item for kind in kinds for item in items[kind]()]
        named = self.named(mod)
        if mod:
            self.engine.store(mod, SERVER)
        if kinds == ["patch"]:
            after = {key: entry for key in before if (entry := self.engine.shared.get(key)) is not None}
            kept = {key: (entry.value, entry.seq) for key, entry in after.items() if key[0] not in named}
            assert kept == {key: before[key] for key in kept}, f"the Patch did not name these: {mod}"
        if self.random.random() < 0.3:
            self.change(self.random.choice([self.step, self.behind, self.late]))
        self.look(self.step)
        if self.random.random() < 0.3:
            self.look(self.behind)
        if self.random.random() < 0.1:
            self.late = Page("late", self.engine, self.tree)
        self.look(self.late)

    def named(self, mod: list[Item]) -> set[str]:
        """The container, what the operations write, what they lead through, and what a box that comes new has in it."""
        found = {item.key[0] for item in mod}
        for item in mod:
            for operation in orjson.loads(item.encoded).get("operations", []) if b"operations" in item.encoded else []:
                found |= {id_text(props["id"]) for props in walk(operation["params"].get("value"))}
                node: Any = self.content(item.key)
                for step in operation["location"]:
                    node = node.get(step) if isinstance(node, dict) else node[step]
                    if isinstance(node, dict) and "namespace" in node:
                        found.add(id_text(node["props"]["id"]))
        inside = walk(self.content(("box", "children"))) if "box" in found else ()
        return found | {id_text(props["id"]) for props in inside}

    def look(self, page: Page) -> None:
        """A page reads: now it shows what the server has."""
        page.read()
        assert page.tree == orjson.loads(orjson.dumps(self.tree)), page.name
        assert page.hash == page.outbox.checksum(self.engine.shared), page.name


def op(name: str, location: list[Any], **params: Any) -> Operation:
    return {"operation": name, "location": location, "params": params}


@pytest.mark.fault("F2")
@pytest.mark.parametrize("seed", range(PATCHES // EACH))
def test_a_patch_carries_what_it_names_and_nothing_else(seed: int) -> None:
    with mock.patch.object(shared_module, "MAX_PATCHES", 3):  # few, so that they run out
        history = History(seed)
        while history.patches < EACH:
            history.go()
