"""Messages from and to JSON. What a page says is checked field by field, before anything is done with it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, get_type_hints

import orjson

from . import strict
from .errors import ProtocolError, TooComplexError
from .protocol import FROM_PAGE, MAX_DEPTH, MAX_NODES, Answer, Change, FromPage, Mount, Request, Triple


def _is_int(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _is_str(value: Any) -> bool:
    return type(value) is str


def _is_triples(value: Any) -> bool:
    return type(value) is list and all(
        type(t) is list and len(t) == 3 and type(t[0]) is str and type(t[1]) is str for t in value
    )


def _is_object(value: Any) -> bool:
    return type(value) is dict


def _optional(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


_CHECKS: Final[dict[Any, tuple[Callable[[Any], bool], str]]] = {
    int: (_is_int, "a whole number"),
    float: (_is_number, "a number"),
    str: (_is_str, "a string"),
    list[Triple]: (_is_triples, "a list of [id, property, value]"),
    list[Triple] | None: (_optional(_is_triples), "a list of [id, property, value], or null"),
    dict[str, Any]: (_is_object, "an object"),
    str | None: (_optional(_is_str), "a string or null"),
    int | None: (_optional(_is_int), "a whole number or null"),
    float | None: (_optional(_is_number), "a number or null"),
    Any: (lambda _: True, "anything"),
}


def sent_fields(message: Any) -> list[dataclasses.Field[Any]]:
    """The fields of a message, or of its class, that are on the wire."""
    return [field for field in dataclasses.fields(message) if field.metadata.get("sent", True)]


def _plan(cls: type) -> tuple[type, list[tuple[str, bool, Callable[[Any], bool], str]]]:
    hints = get_type_hints(cls)
    return cls, [(f.name, f.default is dataclasses.MISSING, *_CHECKS[hints[f.name]]) for f in sent_fields(cls)]


_PLANS: Final = {cls.type: _plan(cls) for cls in FROM_PAGE}  # type: ignore[attr-defined]
_CHECKED: Final = (Change, Mount, Request, Answer)

MAX_TRIPLES: Final = 20_000  # of a change: the page may make 10,000 components known
MAX_MOUNTED: Final = 50_000  # triples of a mount
_NUMBERED: Final = re.compile(rb'\{"type":"(change|request)","(?:n|ref)":(\d{1,15}),')


def _too_complex(raw: bytes) -> TooComplexError:
    told = _NUMBERED.match(raw)
    return TooComplexError(told[1].decode(), int(told[2])) if told else TooComplexError()


def named(raw: bytes) -> str:
    """``change 5: `` or ``request 5: `` for a frame that begins like one: so a page knows what not to send again."""
    told = _NUMBERED.match(raw)
    return f"{told[1].decode()} {told[2].decode()}: " if told else ""


def _load(raw: bytes) -> Any:
    """JSON, where nothing was passed over and no more is allocated than one frame may ask for."""
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if "limit" in str(error):  # of depth, in the words of any version of orjson
            raise _too_complex(raw) from None
        whole = strict.mended(raw)
        if whole is None or whole == raw:
            raise ProtocolError(f"frame: expected JSON, got {error}; send one JSON object per text frame") from None
        return _load(whole)
    try:
        if strict.has_double_keys(raw, message):
            raise ProtocolError("frame: expected each key once in an object, got one twice")
    except TypeError:  # it cannot be written again: too deep
        raise _too_complex(raw) from None
    return message


def decode(data: str | bytes, nodes: int = MAX_NODES) -> FromPage:
    """Decode one frame of a page. ``nodes``: how many parts a value may have.

    Raises:
        TooComplexError: more parts than may be, before anything was allocated for them.
        ProtocolError: not JSON, not an object, an unknown type, a field missing or of the wrong type, a key twice.
    """
    try:
        raw = data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError as error:
        raise ProtocolError(f"frame: expected text, got {error}") from None
    if strict.exceeds(raw, nodes):
        raise _too_complex(raw)
    message = _load(raw)
    if type(message) is not dict:
        raise ProtocolError(f"frame: expected an object, got {type(message).__name__}")
    kind = message.get("type")
    plan = _PLANS.get(kind) if type(kind) is str else None
    if plan is None:
        raise ProtocolError(f"frame: expected type to be one of {', '.join(_PLANS)}, got {message.get('type')!r:.40}")
    cls, fields = plan
    values = []
    for name, required, check, wanted in fields:
        value = message.get(name)
        if (required and name not in message) or not check(value):
            raise ProtocolError(f"{message['type']}.{name}: expected {wanted}, got {value!r:.40}")
        values.append(value)
    clean = {"is_suspect": False} if cls in _CHECKED and not strict.is_suspect(raw) else {}
    decoded: FromPage = cls(*values, **clean)
    if isinstance(decoded, Change) and len(decoded.values) + len(decoded.state) > MAX_TRIPLES:
        raise _too_complex(raw)
    if isinstance(decoded, Mount) and len(decoded.values) + len(decoded.state or ()) > MAX_MOUNTED:
        raise _too_complex(raw)
    return decoded


def complexity(value: Any, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES) -> tuple[int, int]:
    """Depth and number of nodes of a decoded JSON value; stops counting just past the limits. Does not recurse."""
    depth, nodes, level = 0, 0, [value]
    while level and depth <= max_depth and nodes <= max_nodes:
        nodes += len(level)
        depth += 1
        nested: list[Any] = []
        for item in level:
            if type(item) is dict:
                nested.extend(item.values())
            elif type(item) is list:
                nested.extend(item)
        level = nested
    return depth, nodes


# ---- encoding: values arrive as JSON bytes, so that what goes to many pages is encoded once --------------------------
def triple(id: str, property: str, encoded: bytes) -> bytes:
    """One triple on the wire, from an id, a property and a value that is JSON already."""
    return b"[%b,%b,%b]" % (orjson.dumps(id), orjson.dumps(property), encoded)


def with_seq(triple: bytes, seq: int) -> bytes:
    """An encoded triple with the seq of its value."""
    return b"%b,%d]" % (triple[:-1], seq)


def mods(
    seq: int, triples: Iterable[bytes], events: Iterable[bytes] = (), lost: int = 0, gone: Sequence[str] = ()
) -> bytes:
    """A `Mods` message from encoded triples."""
    return b'{"type":"mods","seq":%d,"mods":[%b],"events":[%b],"lost":%d%b}' % (
        seq,
        b",".join(triples),
        b",".join(events),
        lost,
        b',"gone":%b' % orjson.dumps(gone) if gone else b"",
    )


def props(triples: Iterable[bytes]) -> bytes:
    """A `Props` message from encoded triples."""
    return b'{"type":"props","props":[%b]}' % b",".join(triples)


def ack(n: int, seq: int) -> bytes:
    """An `Ack` message."""
    return b'{"type":"ack","n":%d,"seq":%d}' % (n, seq)


def refusal(n: int, seq: int, code: str, message: str, triples: Iterable[bytes]) -> bytes:
    """A `Refusal` message from encoded triples."""
    return b'{"type":"nack","n":%d,"seq":%d,"code":%b,"message":%b,"values":[%b]}' % (
        n,
        seq,
        orjson.dumps(code),
        orjson.dumps(message),
        b",".join(triples),
    )


def reply(ref: int, status: int, headers: dict[str, str], body: bytes) -> bytes:
    """A `Reply` message. ``body`` is JSON already."""
    return b'{"type":"reply","ref":%d,"status":%d,"headers":%b,"body":%b}' % (
        ref,
        status,
        orjson.dumps(headers),
        body or b"null",
    )


def encode(message: Any) -> bytes:
    """Any message of the server that is not built from encoded parts. What may be left out is, where it is None."""
    values = ((field, getattr(message, field.name)) for field in dataclasses.fields(message))
    said = {field.name: value for field, value in values if value is not None or field.default is dataclasses.MISSING}
    return b'{"type":%b,%b' % (orjson.dumps(message.type), orjson.dumps(said)[1:])


def frame(messages: list[bytes]) -> bytes:
    """One frame out of encoded messages: the message itself, or a JSON array of several."""
    return messages[0] if len(messages) == 1 else b"[%b]" % b",".join(messages)
