"""What the tests of the contract share: recorded calls, requests of regular callbacks, and a gate in the page's socket."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..support import TIMEOUT, Raw, wire_id

Spec = tuple[Any, str, Any]
"""``(id, property, value)``."""


class Calls:
    """The calls of a callback, in order; taken one by one."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue()

    def __call__(self, call: Any) -> None:
        self._queue.put(call)

    def next(self) -> Any:
        """The next call; `AssertionError` when none comes in time."""
        try:
            return self._queue.get(timeout=TIMEOUT)
        except queue.Empty:
            raise AssertionError(f"no call in {TIMEOUT:g} s") from None

    def take(self, count: int) -> list[Any]:
        """The next ``count`` calls."""
        return [self.next() for _ in range(count)]

    @property
    def none_left(self) -> bool:
        """Has everything that was called been taken?"""
        return self._queue.empty()


def row(spec: Spec) -> dict[str, Any]:
    """An Input or State in the body of a regular callback's request."""
    return {"id": spec[0], "property": spec[1], "value": spec[2]}


def ask_regular(page: Raw, output: str, inputs: Iterable[Spec], state: Iterable[Spec] = ()) -> dict[str, Any]:
    """Run a regular callback as Dash's renderer does, and return the whole reply. ``output``: its name in Dash's list."""
    names = [name.rpartition(".") for name in output.strip(".").split("...")]
    outputs: Any = [{"id": id, "property": property} for id, _, property in names]
    inputs = list(inputs)
    body = {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": [row(spec) for spec in inputs],
        "changedPropIds": [f"{wire_id(id)}.{property}" for id, property, _ in inputs],
        "state": [row(spec) for spec in state],
    }
    return page.request("callback", body)


def dependency(page: Raw, input: str) -> str:
    """The output name of the regular callback that listens to ``id.property``."""
    listed = page.request("dependencies")["body"]
    found = [one["output"] for one in listed if input in [f"{i['id']}.{i['property']}" for i in one["inputs"]]]
    if len(found) != 1:
        raise AssertionError(f"expected one callback that listens to {input}, got {found}")
    return str(found[0])


def components(tree: Any) -> Iterator[dict[str, Any]]:
    """The props of all components with an id in a decoded layout."""
    if isinstance(tree, list):
        for node in tree:
            yield from components(node)
    elif isinstance(tree, dict):
        if "namespace" in tree and "id" in tree["props"]:
            yield tree["props"]
        for node in tree.values():
            yield from components(node)


def props_of(layout: Any, id: str | dict[str, Any]) -> dict[str, Any]:
    """The props of one component in a decoded layout."""
    return next(props for props in components(layout) if props["id"] == id)


def until_all(page: Raw, *specs: Spec) -> None:
    """Receive until each of these values has come, in whatever order and message, since the page was opened."""
    for id, property, value in specs:
        wanted = [wire_id(id), property, value]
        while not any(wanted in message.get("mods", []) + message.get("props", []) for message in page.seen):
            page.receive()


def watched(watch: list[dict[str, Any]]) -> set[str]:
    """The watch list of a welcome or a watch message as ``id.property``."""
    return {f"{one['id']}.{one['property']}" for one in watch}


# ---- in the page --------------------------------------------------------------------------------------------------------
GATE = """
(() => {
  const Real = window.WebSocket;
  const gate = (window.gate = { closed: false, kept: [], sent: [] });
  const deliver = ([socket, message]) => {
    const event = new MessageEvent("message", { data: JSON.stringify(message) });
    event.passes = true;
    socket.dispatchEvent(event);
  };
  gate.read = (id, property) => {
    const { paths, layout } = window.dash_stores[0].getState();
    return paths.strs[id]?.reduce((node, step) => node?.[step], layout)?.props[property];
  };
  gate.track = (id, property) => {
    const values = [];
    window.dash_stores[0].subscribe(() => {
      const value = gate.read(id, property);
      if (value !== values[values.length - 1]) values.push(value);
    });
    return (gate.tracked = values);
  };
  gate.close = () => void (gate.closed = true);
  gate.types = () => gate.kept.map(([, message]) => message.type);
  gate.step = (type) => {
    if (!gate.kept.length || gate.kept[0][1].type !== type) throw new Error(`next is ${gate.types()}, not ${type}`);
    deliver(gate.kept.shift());
  };
  gate.open = () => {
    gate.closed = false;
    gate.kept.splice(0).forEach(deliver);
  };
  window.WebSocket = class extends Real {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", (event) => {
        if (event.passes || !gate.closed) return;
        event.stopImmediatePropagation();
        const messages = [JSON.parse(event.data)].flat().filter(({ type }) => type !== "ping");
        gate.kept.push(...messages.map((message) => [this, message]));
      });
    }
    send(data) {
      gate.sent.push(JSON.parse(data));
      super.send(data);
    }
  };
})();
"""
"""A page whose socket can be closed for what comes in (``gate.close()``), handed on message by message
(``gate.step(type)``) and opened again (``gate.open()``). ``gate.sent`` holds all that the page said, ``gate.tracked`` the
values that a property took since ``gate.track(id, property)``."""

TEXT = "([id, text]) => document.getElementById(id)?.textContent === text"
VALUE = "([id, value]) => document.getElementById(id)?.value === value"


def gated(browser: Any, **options: Any) -> Any:
    """A browser context whose pages have the gate."""
    context = browser.new_context(**options)
    context.add_init_script(GATE)
    return context


def shows(page: Any, id: str, text: str) -> None:
    """Wait until an element shows exactly this text."""
    page.wait_for_function(TEXT, arg=[id, text])


def holds(page: Any, id: str, value: str) -> None:
    """Wait until an input holds exactly this value."""
    page.wait_for_function(VALUE, arg=[id, value])


def kept(page: Any, *types: str) -> None:
    """Wait until the closed gate keeps exactly these messages."""
    page.wait_for_function(
        "(types) => JSON.stringify(gate.types()) === types", arg=json.dumps(types, separators=(",", ":"))
    )


def settled(page: Any) -> None:
    """Wait until no component of the page counts as one that is being mounted: timers run in order, the idle page last."""
    page.evaluate("() => new Promise((go) => setTimeout(() => requestIdleCallback(() => setTimeout(go)), 300))")


def has_reported(page: Any, id: str, property: str, value: Any) -> None:
    """Wait until the page has sent this value of a property, as a change or as mounted."""
    page.wait_for_function(REPORTED, arg=json.dumps([id, property, value], separators=(",", ":")))


REPORTED = """(triple) => gate.sent.some(({ type, values }) =>
  (type === 'change' || type === 'mount') && values.some((value) => JSON.stringify(value) === triple))"""


def said(page: Any, type: str) -> list[dict[str, Any]]:
    """What the page has sent of one type."""
    found: list[dict[str, Any]] = page.evaluate("(type) => gate.sent.filter((message) => message.type === type)", type)
    return found


def recorder(calls: Callable[[Any], None], result: Any = None) -> Callable[..., Any]:
    """A callback that records its only argument and returns ``result``, or what ``result`` makes of the argument."""

    def record(value: Any) -> Any:
        calls(value)
        return result(value) if callable(result) else result

    return record
