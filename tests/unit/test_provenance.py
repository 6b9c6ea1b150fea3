"""Components of code told from those of data, and what that costs."""

from __future__ import annotations

import copy
import json
import pickle
from collections import Counter
from typing import Any
from unittest import mock

import numpy as np
import orjson
import pytest
from dash import Patch, dcc, html

from dash_devices import provenance
from dash_devices.dash_glue.encoding import encode
from dash_devices.encoder import Encoder
from dash_devices.errors import ComponentsError
from dash_devices.provenance import Piece, own_copy

pytestmark = pytest.mark.fault("A2")

KEY = ("list", "children")
PLAIN = {"namespace": "n", "type": "T", "props": {"children": None}}


def item(value: Any) -> bytes:
    """A value, encoded as for all pages."""
    return Encoder(encode, Counter())(KEY, value).encoded


def piece(value: Any = PLAIN) -> Any:
    """The server's value, as a callback gets it."""
    return own_copy(value, KEY, None)


def test_only_what_has_other_components_than_objects_is_looked_through() -> None:
    patch = Patch()
    patch.append(html.B("x"))
    quick = [1.5, "namespace", [{"a": 1}], html.Div([html.B('"namespace":'), dcc.Input(value=1)], id={"a": 1}), patch]
    with mock.patch.object(provenance, "data_in", side_effect=AssertionError):
        for value in quick:
            item(value)
    for value in ([html.B("x"), PLAIN], {'a"namespace': 1, "b": PLAIN}, html.Div([PLAIN])):
        with pytest.raises(ComponentsError):
            item(value)


@pytest.mark.parametrize(
    "value",
    [
        {'"namespace': 1},
        {'a"namespace': {"type": 1, "props": 2}},
        np.array([1]),
        {"namespace": "of a pod", "type": "pod"},
        {1: html.B("x")},
        [html.B("x"), np.array([html.I("y")], dtype=object)],
        (html.B("x"), {"n": np.float64(1)}),
    ],
)
def test_what_looks_a_little_like_it_is_taken(value: Any) -> None:
    item(value)


def test_what_cannot_be_followed_counts_as_data() -> None:
    class Odd:
        """Gives something else each time."""

        def to_plotly_json(self) -> Any:
            return iter([])

    assert provenance.data_in([Odd()], orjson.dumps([PLAIN])) == "[0]"


def test_pieces_stay_pieces() -> None:
    own = piece({"a": [PLAIN, {"label": {**PLAIN, "props": {"children": [PLAIN]}}}]})
    inner = own["a"][1]["label"]
    assert type(own) is dict
    assert type(own["a"][0]) is type(inner) is type(inner["props"]["children"][0]) is Piece
    assert own["a"][0] == PLAIN
    for copied in (
        copy.copy(inner),
        copy.deepcopy(inner),
        inner.copy(),
        inner | {"a": 1},
        pickle.loads(pickle.dumps(inner)),
    ):
        assert type(copied) is Piece
        item(copied)
    for lost in ({**inner}, dict(inner), json.loads(json.dumps(inner)), {"a": 1} | dict(inner)):
        with pytest.raises(ComponentsError):
            item(lost)


def test_data_inside_of_a_piece_is_still_data() -> None:
    own = piece([PLAIN])
    own[0]["props"]["children"] = dict(PLAIN)
    with pytest.raises(ComponentsError, match=r"list\.children\[0\]\.props\.children: "):
        item(own)


def test_what_pages_may_write_as_components_is_no_piece() -> None:
    nested = {**PLAIN, "props": {"id": {"t": 1}, "children": [PLAIN], "title": PLAIN}}
    assert type(own_copy(PLAIN, KEY, lambda key: key == KEY)) is dict
    inner = own_copy(nested, KEY, lambda key: key == ('{"t":1}', "children"))
    assert type(inner) is type(inner["props"]["title"]) is Piece
    assert type(inner["props"]["children"][0]) is dict


@pytest.mark.parametrize(
    ("value", "is_code"),
    [
        (html.Div([html.B("x"), piece()]), True),
        ([html.B("x"), {"a": (piece([PLAIN]),)}], True),
        (html.Div([html.B("x"), PLAIN]), False),
        ([dict(PLAIN)], False),
        ("words", True),
    ],
)
def test_results_of_regular_callbacks_are_code_if_all_of_it_is(value: Any, is_code: bool) -> None:
    assert provenance.is_code([value], encode({"response": {"a": {"b": value}}}).json) == is_code
