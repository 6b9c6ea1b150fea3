"""The wire: every literal frame in both directions, and that the frames, the page and the generated file agree."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from dash_devices import codec, protocol
from dash_devices.errors import ProtocolError

TOP = Path(__file__).resolve().parents[2]
FRAMES = json.loads((TOP / "tests" / "frames.json").read_text("utf-8"))
VALID: list[dict[str, Any]] = FRAMES["from_page"]["valid"]
INVALID: list[dict[str, Any]] = FRAMES["from_page"]["invalid"]
SERVER_FRAMES: list[Any] = FRAMES["from_server"]
SERVER: list[dict[str, Any]] = [m for f in SERVER_FRAMES for m in (f if isinstance(f, list) else [f])]
BY_TYPE: dict[str, Any] = {cls.type: cls for cls in (*protocol.FROM_PAGE, *protocol.FROM_SERVER)}  # type: ignore[attr-defined]


def compact(value: Any) -> bytes:
    """JSON as the wire has it: no spaces, UTF-8 as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def build(message: dict[str, Any]) -> Any:
    """The dataclass of a message of the server."""
    fields = {key: value for key, value in message.items() if key != "type"}
    if "watch" in fields:
        fields["watch"] = [protocol.Watch(**watch) for watch in fields["watch"]]
    if "limits" in fields:
        fields["limits"] = protocol.Limits(**fields["limits"])
    return BY_TYPE[message["type"]](**fields)


def names(frames: list[dict[str, Any]]) -> list[str]:
    """Readable test ids."""
    return [f"{index}-{frame.get('type', frame.get('reason'))}" for index, frame in enumerate(frames)]


@pytest.mark.parametrize("frame", VALID, ids=names(VALID))
def test_decodes_frames_of_a_page(frame: dict[str, Any]) -> None:
    message = codec.decode(compact(frame))
    assert message.type == frame["type"]
    assert codec.decode(compact(frame).decode()) == message, "text and bytes are the same"
    for field in codec.sent_fields(message):
        assert getattr(message, field.name) == frame.get(field.name)


@pytest.mark.parametrize("case", INVALID, ids=names(INVALID))
def test_refuses_frames_of_a_page(case: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="expected") as caught:
        codec.decode(case["frame"])
    assert caught.value.code == case["code"]


@pytest.mark.parametrize("frame", VALID, ids=names(VALID))
def test_every_field_is_checked(frame: dict[str, Any]) -> None:
    """A field that is missing, unless it is optional, or has another type, unless it is a value."""
    cls = BY_TYPE[frame["type"]]
    for field in codec.sent_fields(cls):
        wrong = [{**frame, field.name: bad} for bad in ([[1]], "no", {}, None)]
        without = {key: value for key, value in frame.items() if key != field.name}
        if field.default is dataclasses.MISSING:
            with pytest.raises(ProtocolError, match=field.name):
                codec.decode(compact(without))
        refused = [frame for frame in wrong if _refused(frame)]
        assert len(refused) >= (0 if typing.get_type_hints(cls)[field.name] is Any else 2), field.name


def _refused(frame: dict[str, Any]) -> bool:
    try:
        codec.decode(compact(frame))
    except ProtocolError:
        return True
    return False


def test_unknown_fields_are_ignored() -> None:
    for frame in VALID:
        assert codec.decode(compact({**frame, "later": 1})) == codec.decode(compact(frame))


@pytest.mark.parametrize("message", SERVER, ids=names(SERVER))
def test_encodes_messages_of_the_server(message: dict[str, Any]) -> None:
    assert codec.encode(build(message)) == compact(message)


def _triples(values: list[list[Any]]) -> list[bytes]:
    mods = [(codec.triple(id, property, compact(value)), seq) for id, property, value, *seq in values]
    return [codec.with_seq(encoded, *seq) if seq else encoded for encoded, seq in mods]


PARTS: dict[str, Any] = {
    "mods": lambda m: codec.mods(m["seq"], _triples(m["mods"]), _triples(m["events"]), m["lost"], m.get("gone", ())),
    "props": lambda m: codec.props(_triples(m["props"])),
    "ack": lambda m: codec.ack(m["n"], m["seq"]),
    "nack": lambda m: codec.refusal(m["n"], m["seq"], m["code"], m["message"], _triples(m["values"])),
    "reply": lambda m: codec.reply(m["ref"], m["status"], m["headers"], compact(m["body"])),
}


@pytest.mark.parametrize("kind", PARTS)
def test_building_from_encoded_parts_gives_the_same_bytes(kind: str) -> None:
    messages = [message for message in SERVER if message["type"] == kind]
    assert messages
    for message in messages:
        assert PARTS[kind](message) == compact(message) == codec.encode(build(message))


def test_a_reply_without_body_is_null() -> None:
    assert json.loads(codec.reply(1, 204, {}, b""))["body"] is None


def test_one_frame_carries_one_message_or_several() -> None:
    for frame in SERVER_FRAMES:
        messages = frame if isinstance(frame, list) else [frame, frame]
        encoded = [compact(message) for message in messages]
        assert codec.frame(encoded[:1]) == compact(messages[0])
        if len(messages) > 1:
            assert codec.frame(encoded) == compact(messages)


def test_frames_cover_every_message() -> None:
    assert {frame["type"] for frame in VALID} == {cls.type for cls in protocol.FROM_PAGE}  # type: ignore[attr-defined]
    assert {message["type"] for message in SERVER} == {cls.type for cls in protocol.FROM_SERVER}  # type: ignore[attr-defined]


def test_every_message_class_has_a_direction() -> None:
    sent = {cls for cls in vars(protocol).values() if isinstance(cls, type) and hasattr(cls, "type")}
    assert sent == {*protocol.FROM_PAGE, *protocol.FROM_SERVER}
    assert set(typing.get_args(protocol.FromPage)) == set(protocol.FROM_PAGE)
    assert set(typing.get_args(protocol.FromServer)) == set(protocol.FROM_SERVER)


def test_the_literal_frames_of_the_page_are_tested() -> None:
    blocks = re.findall(r"^```\n(.*?)^```", (TOP / "PROTOCOL.md").read_text("utf-8"), re.S | re.M)
    lines = [line for block in blocks for line in block.splitlines()]
    shown = [match for line in lines if (match := re.fullmatch(r"[A-Z]([<>]) (.*)", line))]
    assert len(shown) > 10
    for arrow, text in (match.groups() for match in shown):
        frame = json.loads(text)
        assert frame in (VALID if arrow == ">" else SERVER_FRAMES), text
        assert compact(frame).decode() == text, "the page shows what is on the wire, byte for byte"


def test_the_tables_of_the_page_name_every_message_and_code() -> None:
    page = (TOP / "PROTOCOL.md").read_text("utf-8")
    for cls in BY_TYPE.values():
        row = re.search(rf"^\| `{cls.type}` \| (.*?) \|", page, re.M)
        assert row, cls.type
        assert re.findall(r"`(\w+)\??`", row[1]) == [field.name for field in codec.sent_fields(cls)]
    codes = {value for name, value in vars(protocol.Close).items() if name.isupper()}
    closing = page.partition("## Closing")[2].partition("##")[0]
    assert codes <= {int(code) for code in re.findall(r"\b\d{4}\b", closing)}


def test_the_generated_typescript_is_fresh() -> None:
    command = [sys.executable, str(TOP / "tools" / "generate_protocol.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("value", "depth", "nodes"),
    [
        (1, 1, 1),
        ("text", 1, 1),
        (None, 1, 1),
        ([], 1, 1),
        ({}, 1, 1),
        ([1, 2], 2, 3),
        ({"a": [1, {"b": 2}]}, 4, 5),
        ([[], [], [[]]], 3, 5),
    ],
)
def test_complexity(value: Any, depth: int, nodes: int) -> None:
    assert codec.complexity(value) == (depth, nodes)


def test_complexity_stops_just_past_the_limits() -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    assert codec.complexity(deep)[0] == protocol.MAX_DEPTH + 1
    wide = [[0] * 1000] * 1000
    assert codec.complexity(wide)[1] > protocol.MAX_NODES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
FIELDS = sorted({field.name for cls in protocol.FROM_PAGE for field in codec.sent_fields(cls)})
MUTATED = st.builds(
    lambda frame, changes, gone: {key: value for key, value in {**frame, **changes}.items() if key not in gone},
    st.sampled_from(VALID),
    st.dictionaries(st.sampled_from([*FIELDS, "type"]), JSON, max_size=2),
    st.sets(st.sampled_from([*FIELDS, "type"]), max_size=1),
)


def _decodes_or_refuses(data: str | bytes) -> None:
    try:
        message = codec.decode(data)
    except ProtocolError as error:
        assert str(error)
        assert 4000 <= error.code < 5000
    else:
        assert isinstance(message, protocol.FROM_PAGE)


@given(st.binary(max_size=60) | st.text(max_size=60))
@example(b"[" * 100_000)
@example(b'{"type":{}}')
@example('{"type":"\\ud800"}')
@example("\ud800")
def test_decode_raises_only_protocol_errors(data: str | bytes) -> None:
    _decodes_or_refuses(data)


@given(MUTATED)
def test_decode_of_mutated_frames_raises_only_protocol_errors(frame: dict[str, Any]) -> None:
    _decodes_or_refuses(json.dumps(frame))
