"""What JSON may look like before anything is built of it, and what a parser would pass over. All of it at the speed of C."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

MAX_CONTAINERS: Final = 100_000  # lists and objects of one frame
MAX_PARTS: Final = 900_000  # values of one frame: the State of a regular callback may hold a large figure
MAX_KEYS: Final = 400_000  # of all objects of one frame: each takes up to 170 bytes of memory
MAX_TEXTS: Final = 700_000  # keys among them: each takes up to 130 bytes
DEEPEST: Final = 250  # what is deeper can be read, but not written again
MAX_ID: Final = 4_096  # characters of an id, or of the name of a property
EXACT_BYTES: Final = 65_536  # up to here a frame that is suspected is read again by a parser that sees every key
PATCH_MARK: Final = "__dash_patch_update"
MENDED_BYTES: Final = 262_144  # up to here text with half a character in it is mended

_SMALLEST = 3  # bytes of a list in a list: "[],"
PROTOTYPE: Final = "__proto__"
PROTOTYPE_TEXT: Final = "no value may name __proto__"
MARKS: Final = (
    b'"namespace":',
    b'"__dash_patch_update":',
)  # as orjson writes the keys; one in each component, or Patch
_NESTED = frozenset((dict, list))
_SPACED_KEY = re.compile(rb'"\s+:')
_SPACED_ENDS = (b" :", b"\t:", b"\n:", b"\r:")


def exceeds(raw: bytes, nodes: int) -> bool:
    """Would more be allocated for JSON than one frame may ask for? ``nodes``: how many parts one value may have."""
    return is_too_complex(raw, *(max(limit, nodes) for limit in (MAX_CONTAINERS, MAX_PARTS, MAX_KEYS)))


def is_too_complex(raw: bytes, containers: int = MAX_CONTAINERS, parts: int = MAX_PARTS, keys: int = MAX_KEYS) -> bool:
    """Would more be allocated for it than one frame may ask for?"""
    if len(raw) <= _SMALLEST * containers:
        return False
    if raw.count(b":") > keys and (raw.count(b'":') > keys or _has_spaced_key(raw)):
        return True
    if raw.count(b'"') > (most := 2 * max(MAX_TEXTS, keys)) and _unescaped(raw).count(b'"') > most:
        return True
    if _fits(raw, containers, parts):
        return False
    bare = _unescaped(raw)  # brackets and commas in text are none
    if bare.count(b'"') > 2 * containers:
        return True
    return not _fits(b"".join(bare.split(b'"')[::2]), containers, parts)


def _fits(raw: bytes, containers: int, parts: int) -> bool:
    opened = raw.count(b"[") + raw.count(b"{")
    return opened <= containers and opened + raw.count(b",") <= parts


def _unescaped(raw: bytes) -> bytes:
    return raw.replace(b"\\\\", b"").replace(b'\\"', b"")


def has_double_keys(raw: bytes, decoded: Any) -> bool:
    """Does an object name a key twice? Whoever reads JSON takes one or the other.

    Raises:
        TypeError: it is nested too deeply to be written again.
    """
    if len(raw) <= EXACT_BYTES:
        # what a page writes has no spaces: where the length is the same, nothing was passed over
        return len(orjson.dumps(decoded)) != len(raw) and _names_twice(raw)
    is_plain = raw.isascii() and b"\\u" not in raw
    if is_plain and len(encoded := orjson.dumps(decoded)) == len(raw):
        return False
    bare = _unescaped(raw)
    found, is_spaced = bare.count(b'":'), _has_spaced_key(bare)
    if not is_spaced and found == _count_keys(decoded):
        return False  # text that is no ASCII takes up to six times its size when it is written again
    if not is_plain:
        encoded = orjson.dumps(decoded)
    return len(encoded) != len(raw) and (is_spaced or found != _unescaped(encoded).count(b'":'))


def _has_spaced_key(bare: bytes) -> bool:
    if bare.count(b":") == bare.count(b'":'):
        return False
    return any(end in bare for end in _SPACED_ENDS) and _SPACED_KEY.search(bare) is not None


def _count_keys(decoded: Any) -> int:
    keys, level = 0, [decoded]
    for _ in range(DEEPEST):
        nested: list[Any] = []
        for node in level:
            if type(node) is dict:
                keys += len(node)
                nested.extend(node.values())
            elif type(node) is list:
                nested.extend(node)
        if not nested:
            return keys
        level = nested
    raise TypeError(f"nested more than {DEEPEST} deep")


class _Twice(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _names_twice(raw: bytes) -> bool:
    try:
        json.loads(raw, object_pairs_hook=_once)
    except _Twice:
        return True
    return False


def mended(raw: bytes) -> bytes | None:
    """The same JSON, with U+FFFD for each half of a character (a lone surrogate); None where that is not what is wrong.

    Somebody may take half an emoji away in a text field; JavaScript has no objection, UTF-8 has.
    """
    if b"\\u" not in raw or len(raw) > MENDED_BYTES:
        return None
    try:
        read = json.loads(raw, parse_constant=_no_number, object_pairs_hook=_once)
        text = json.dumps(read, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError, _Twice):
        return None
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _no_number(name: str) -> Any:
    raise ValueError(name)


# ---- what only code may say ------------------------------------------------------------------------------------------
class Code(enum.Flag):
    """What a value holds beside plain data."""

    NOTHING = 0
    COMPONENTS = enum.auto()
    PATCH = enum.auto()
    PROTOTYPE = enum.auto()  # JavaScript that copies it key by key gives objects other ancestors


def is_suspect(raw: bytes) -> bool:
    """Could JSON, written in any way, hold more than plain data? A quick look that never says no wrongly."""
    return b'"namespace"' in raw or b'"__' in raw or b"\\u" in raw


def looks_like_component(node: Mapping[str, Any]) -> bool:
    """Could a renderer take this decoded object for a component?"""
    return "namespace" in node and "type" in node and "props" in node


def is_code(node: Mapping[str, Any]) -> bool:
    """Could a renderer take this decoded object for a component or a Patch?"""
    return looks_like_component(node) or PATCH_MARK in node


def names_prototype(value: Any) -> bool:
    """Does a decoded value name ``__proto__``?"""
    return Code.PROTOTYPE in code_in(value)


def code_in(value: Any) -> Code:
    """What a decoded value holds beside plain data: what a renderer takes for a component or a Patch, or ``__proto__``."""
    found, stack = Code.NOTHING, [value]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            stack.extend([part for part in node.values() if type(part) in _NESTED])
            if looks_like_component(node):
                found |= Code.COMPONENTS
            if PATCH_MARK in node:
                found |= Code.PATCH
            if PROTOTYPE in node:
                found |= Code.PROTOTYPE
        elif type(node) is list:
            stack.extend([part for part in node if type(part) in _NESTED])
    return found
