"""The worst single messages that are allowed: what is large, wide, deep or long somewhere in a frame of at most 16 MiB."""

# ruff: noqa: UP031 - format() would need every brace of the JSON twice
from __future__ import annotations

import json
import time
from collections.abc import Callable

SIZE = 16 * 2**20 - 600  # bytes of a frame, nearly
ASK = '[{"id":"ask","property":"value","value":1}]'


def many(part: str, most: int) -> str:
    """As many parts as fit into a frame, with commas between them; ``%d`` in it is the number of the part."""
    is_numbered = "%d" in part
    parts, size = [], 0
    for number in range(most):
        if size >= SIZE - 500:
            break
        parts.append(part.replace("%d", str(number)) if is_numbered else part)
        size += len(parts[-1].encode()) + 1
    return ",".join(parts)


def listed(part: str, most: int) -> str:
    """The same, as a list."""
    return f"[{many(part, most)}]"


def request(body: str, query: str = "") -> str:
    """A request for a callback."""
    return '{"type":"request","ref":900,"route":"callback","query":%s,"body":%s}' % (json.dumps(query), body)


def callback(
    inputs: str = ASK, state: str = "[]", changed: str = '["ask.value"]', output: str = "asked.children"
) -> str:
    """A request for the regular callback of `tests.soak.app`."""
    return request(
        '{"output":"%s","outputs":{"id":"asked","property":"children"},"inputs":%s,"changedPropIds":%s,"state":%s}'
        % (output, inputs, changed, state)
    )


def value(text: str) -> str:
    """A request with this value in it."""
    return callback('[{"id":"ask","property":"value","value":%s}]' % text)


def change(values: str = '[["c0","value","x"]]', state: str = "[]") -> str:
    """A change of a control of `tests.soak.app`."""
    return '{"type":"change","n":1,"values":%s,"state":%s,"at":%d}' % (values, state, time.time() * 1000)


def mount(values: str) -> str:
    """What a page shows."""
    return '{"type":"mount","values":%s}' % values


SLOT = '{"id":"s%d","property":"value","value":%d}'
WILD_SLOT = '{"id":{"i":%d,"t":"k"},"property":"value","value":%d}'
SHAPES: dict[str, Callable[[], str]] = {
    "a query of parameters": lambda: request("null", "&".join(["a=1"] * 4_000_000)),
    "a long output": lambda: callback(output="x" * (SIZE - 300)),
    "an output of many": lambda: callback(output=".." + "...".join(["a.b"] * 2_000_000) + ".."),
    "a long id": lambda: callback('[{"id":"%s","property":"value"}]' % ("x" * (SIZE - 300))),
    "an id of many names": lambda: callback('[{"id":{%s},"property":"value"}]' % many('"k%d":%d', 390_000)),
    "fractions": lambda: value(listed("0.12345678901234567", 890_000)),
    "whole numbers": lambda: value(listed("1234567890123456789", 890_000)),
    "words": lambda: value(listed('"abc%d"', 890_000)),
    "words that are no ASCII": lambda: value(listed('"é%dé"', 890_000)),
    "an object of many names": lambda: value("{%s}" % many('"k%d":%d', 390_000)),
    "objects": lambda: value(listed('{"k%d":%d}', 99_000)),
    "lists": lambda: value(listed("[1,2,3,4,5,6,7,8]", 99_000)),
    "spaces": lambda: value(f"[{many('1 ', 890_000)}{' ' * 5_000_000}]"),
    "a name twice": lambda: value('{%s,"k1":1}' % many('"k%d": %d', 390_000)),
    "a long text": lambda: value('"%s"' % ("x" * (SIZE - 300))),
    "a long text with an emoji": lambda: value('"%s\U0001f600"' % ("x" * (SIZE - 300))),
    "a long text of emoji": lambda: value('"%s"' % ("\U0001f600" * ((SIZE - 300) // 4))),
    "escapes": lambda: value('"%s"' % ("\\u00e9" * ((SIZE - 300) // 6))),
    "quotes": lambda: value('"%s"' % ('\\"' * ((SIZE - 300) // 2))),
    "brackets in a text": lambda: value('"%s"' % ("[" * (SIZE - 300))),
    "inputs": lambda: callback(listed(SLOT, 49_000)),
    "inputs of a wildcard": lambda: callback(f"[{listed(WILD_SLOT, 49_000)}]"),
    "inputs at the limit": lambda: callback(f"[{listed(WILD_SLOT, 5_000)}]", changed=listed('"b%d.value"', 4_990)),
    "state": lambda: callback(state=listed(SLOT, 98_000)),
    "changed properties": lambda: callback(changed=listed('"a%d.value"', 880_000)),
    "triples of State": lambda: change(state=listed('["i%d","value",%d]', 98_000)),
    "triples of State at the limit": lambda: change(state=listed('["i%d","value",%d]', 19_990)),
    "triples of a change": lambda: change(listed('["c0","value",%d]', 19_990)),
    "long State": lambda: change(state='[["s","value","%s"]]' % ("x" * (SIZE - 300))),
    "a long value": lambda: change('[["c0","value","%s"]]' % ("x" * (SIZE - 300))),
    "a change of a long id": lambda: change('[["{\\"i\\":\\"%s\\"}","value",1]]' % ("x" * (SIZE - 300))),
    "a change of a long name": lambda: change('[["c0","%s",1]]' % ("x" * (SIZE - 300))),
    "a mount of too many": lambda: mount(listed('["i%d","value",%d]', 98_000)),
    "a mount of many": lambda: mount(listed('["i%d","value",%d]', 49_990)),
    "a mount of one, often": lambda: mount(listed('["c0","value",%d]', 49_990)),
    "an answer": lambda: '{"type":"answer","ref":1,"values":{%s}}' % many('"k%d":%d', 390_000),
}
