"""What JSON may look like before anything is built of it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from dash_devices import codec, strict
from dash_devices.errors import ProtocolError, TooComplexError
from dash_devices.protocol import Change
from dash_devices.strict import Code

CONTAINERS, PARTS = 100, 1_000


def too_complex(raw: bytes) -> bool:
    return strict.is_too_complex(raw, CONTAINERS, PARTS)


def change(value: str, **more: str) -> bytes:
    """A frame with one change, from JSON texts."""
    fields = {"type": '"change"', "n": "1", "values": f'[["a","value",{value}]]', "state": "[]", "at": "0", **more}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}").encode()


# ---- complexity --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_containers_at_their_limit(extra: int) -> None:
    inner = b"[]," * (CONTAINERS - 2 + extra) + b'[" \\"[{,"]'
    assert too_complex(b"[" + inner + b"]") == (extra > 0), "brackets in text are none"
    assert too_complex(b'{"a":' * (CONTAINERS + extra) + b"0" + b"}" * (CONTAINERS + extra)) == (extra > 0)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_parts_at_their_limit(extra: int) -> None:
    assert too_complex(b"[" + b"0," * (PARTS - 1 + extra) + b"0]") == (extra > 0)


KEYS = 60


@pytest.mark.fault("A3")
@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("colon", [":", " :", "\t:"])
def test_keys_at_their_limit(extra: int, colon: str) -> None:
    raw = ",".join(f'"k{n}"{colon}"12:30:00"' for n in range(KEYS + extra))
    assert strict.is_too_complex(b"{%b}" % raw.encode(), CONTAINERS, PARTS, KEYS) == (extra > 0 or colon != ":")


@pytest.mark.fault("A3")
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_texts_at_their_limit(extra: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict, "MAX_TEXTS", 200)
    raw = ",".join([r'"a\"b\\"'] * (200 + extra))
    assert strict.is_too_complex(b"[%b]" % raw.encode(), CONTAINERS, PARTS, KEYS) == (extra > 0), (
        "quotes in text are none"
    )


@pytest.mark.fault("A3")
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_triples_of_a_change_and_of_a_mount_at_their_limit(extra: int) -> None:
    triples = ",".join(['["b","c",1]'] * (codec.MAX_TRIPLES - 1 + extra))
    mounted = ",".join(['["b","c",1]'] * (codec.MAX_MOUNTED + extra))
    for frame, told in (
        (change("1", state=f"[{triples}]"), ("change", 1)),
        (b'{"type":"mount","values":[%b]}' % mounted.encode(), ("", 0)),
    ):
        if extra <= 0:
            codec.decode(frame)
            continue
        with pytest.raises(TooComplexError) as caught:
            codec.decode(frame)
        assert (caught.value.kind, caught.value.number) == told


@pytest.mark.parametrize("text", [",[{" * 10_000, '"' * 10_000, "\\" * 9_999, '\\",[' * 3_000])
def test_text_is_not_taken_for_structure(text: str) -> None:
    assert not too_complex(orjson.dumps({"data": text}))


def test_what_is_small_is_never_too_complex() -> None:
    assert not strict.is_too_complex(b"[" * 300_000)


@pytest.mark.parametrize(
    "raw", [b"[" * 16_000_000, b"[" + b"[]," * 5_000_000 + b"0]", b"[" + b'"",' * 5_000_000 + b"0]"]
)
def test_bombs_are_refused_before_they_are_built(raw: bytes) -> None:
    with pytest.raises(TooComplexError) as caught:
        codec.decode(raw)
    assert caught.value.kind == ""


def test_a_refusal_knows_whose_it_is() -> None:
    for frame, told in (
        (b'{"type":"change","n":17,"values":[["a","value",' + b"[" * 400_000, ("change", 17)),
        (b'{"type":"request","ref":3,"route":"callback",' + b"[" * 400_000, ("request", 3)),
        (b'{"n":17,"type":"change",' + b"[" * 400_000, ("", 0)),
        (b'{"type":"mount","values":' + b"[" * 400_000, ("", 0)),
    ):
        with pytest.raises(TooComplexError) as caught:
            codec.decode(frame)
        assert (caught.value.kind, caught.value.number) == told


@pytest.mark.parametrize("depth", [300, 2_000])
def test_deeper_than_can_be_read_or_written_is_too_complex(depth: int) -> None:
    with pytest.raises(TooComplexError) as caught:
        codec.decode(change("[" * depth + "]" * depth))
    assert (caught.value.kind, caught.value.number) == ("change", 1)


# ---- keys that come twice ----------------------------------------------------------------------------------------------
DOUBLE = [
    change("1", n="1")[:-1] + b',"n":2}',
    change("1")[:-1] + b',"n" :2}',
    change('{"a":1,"a":1}'),
    change('{"a":1,"\\u0061":2}'),
    change('{"":1,"":{}}'),
    change('[{"deep":[{"x":{"y":1,"y":null}}]}]'),
]


@pytest.mark.parametrize("frame", DOUBLE)
@pytest.mark.parametrize("padding", [0, 2 * strict.EXACT_BYTES], ids=["small", "large"])
def test_a_key_that_comes_twice_is_refused(frame: bytes, padding: int) -> None:
    frame = frame.replace(b'"state":[]', b'"state":[["b","c","%b"]]' % (b"x" * padding))
    with pytest.raises(ProtocolError, match="each key once"):
        codec.decode(frame)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_no_honest_value_is_taken_for_one_with_double_keys(value: Any, ascii: bool, indent: int | None) -> None:
    """However it was written: with spaces, with escapes, with other forms of numbers."""
    try:
        text = json.dumps({"type": "answer", "ref": 1, "values": {"v": value}}, ensure_ascii=ascii, indent=indent)
        text.encode()
    except UnicodeEncodeError:
        return
    assert codec.decode(text).values.keys() == {"v"}  # type: ignore[union-attr]


@settings(deadline=None)
@given(VALUES)
def test_nor_is_a_large_one(value: Any) -> None:
    body = {"v": value, "pad": "x" * strict.EXACT_BYTES, "tiny": 0.000001}
    text = json.dumps({"type": "answer", "ref": 1, "values": body}, ensure_ascii=False, separators=(",", ":"))
    try:
        text = text.replace("1e-06", "0.000001")
        raw = text.encode()
    except UnicodeEncodeError:
        return
    assert codec.decode(raw).type == "answer"


# ---- text and numbers --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 4_000, "01", "+1", ".5", "1.", "0x1"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="expected JSON"):
        codec.decode(change(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-0", 0),
        ("-0.0", -0.0),
        ("9007199254740993", 2**53 + 1),
        ("18446744073709551615", 2**64 - 1),
        ("1e-400", 0.0),
        ('"a\\u0000b"', "a\0b"),
        ('"\u202egnp.exe"', "\u202egnp.exe"),
        ('"' + "e" + "\u0301" * 1_000 + '"', "e" + "\u0301" * 1_000),
        ('"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ('"\\\\ud800"', "\\ud800"),
    ],
)
def test_what_is_odd_but_right_is_taken_as_it_is(text: str, value: Any) -> None:
    decoded = codec.decode(change(text))
    assert isinstance(decoded, Change)
    assert decoded.values == [["a", "value", value]]
    assert type(decoded.values[0][2]) is type(value)
    orjson.dumps(decoded.values)


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff", "\\ud800\\ud800", "\\ude00\\ud83d"])
def test_half_a_character_becomes_the_mark_of_one(half: str) -> None:
    """Typed in a field, half an emoji taken away: the page would send it again and again if it were closed for it."""
    decoded = codec.decode(change(f'"a{half}b \\ud83d\\ude00"'))
    assert isinstance(decoded, Change)
    assert decoded.values[0][2] == "a" + "\N{REPLACEMENT CHARACTER}" * half.count("u") + "b \N{GRINNING FACE}"


def test_half_a_character_excuses_nothing_else() -> None:
    for text in ('"\\ud800', '["\\ud800",NaN]', '{"\\ud800":1,"a":1,"a":2}'):
        with pytest.raises(ProtocolError):
            codec.decode(change(text))


# ---- what only code may say --------------------------------------------------------------------------------------------
SCRIPT = {"namespace": "dash_html_components", "type": "Script", "props": {}}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (SCRIPT, Code.COMPONENTS),
        ({"namespace": 1, "type": None, "props": []}, Code.COMPONENTS),
        ([{"label": SCRIPT}], Code.COMPONENTS),
        ({"namespace": "kube-system", "type": "pod"}, Code.NOTHING),
        ([], Code.NOTHING),
        ({"__dash_patch_update": 1}, Code.PATCH),
        ({"a": [{"__dash_patch_update": "__dash_patch_update", "operations": [SCRIPT]}]}, Code.PATCH | Code.COMPONENTS),
        ("__dash_patch_update", Code.NOTHING),
        ({"__proto__": {"polluted": 1}}, Code.PROTOTYPE),
        ([{"a": [{"__proto__": 1}]}], Code.PROTOTYPE),
        ({"a": "__proto__"}, Code.NOTHING),
        ({"___proto___": 1}, Code.NOTHING),
        ({"constructor": {"name": "Ferrari"}}, Code.NOTHING),
        ({"data": [{"type": "bar", "x": [1], "meta": {"props": 1}}], "layout": {}}, Code.NOTHING),
    ],
)
def test_what_a_value_holds_beside_data(value: Any, found: Code) -> None:
    assert strict.code_in(value) == found
    if found:
        assert strict.is_suspect(orjson.dumps(value)), "the quick look never says no wrongly"


@pytest.mark.parametrize(
    "key", ["namespace", "n\\u0061mespace", "__proto__", "\\u005f_proto__", "__dash_patch_updat\\u0065"]
)
@pytest.mark.parametrize("blank", ["", " "])
def test_a_frame_cannot_hide_it_by_the_way_it_is_written(key: str, blank: str) -> None:
    assert codec.decode(change(f'{{"{key}"{blank}:1}}')).is_suspect  # type: ignore[union-attr]


def test_a_frame_of_plain_data_is_not_looked_through() -> None:
    assert not codec.decode(change('{"name":"space","type":"x","props":{},"text":"the namespace"}')).is_suspect  # type: ignore[union-attr]
