"""A Patch does to the server's copy what the renderer's ``actions/patch.ts`` does in a page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

import dash_devices
from dash_devices import Patch
from dash_devices.errors import ModsError
from dash_devices.patches import MAX_GAP, apply_patch

from ..support import Raw


def patched(value: Any, operation: str, location: list[Any], params: dict[str, Any]) -> Any:
    return apply_patch(value, [{"operation": operation, "location": location, "params": params}])


@pytest.mark.parametrize(
    ("value", "operation", "location", "params", "expected"),
    [
        ({}, "Assign", ["layout", "title", "text"], {"value": "x"}, {"layout": {"title": {"text": "x"}}}),
        ({"a": 5}, "Assign", ["a", "b"], {"value": 1}, {"a": {"b": 1}}),
        ({"a": None}, "Assign", ["a", "b"], {"value": 1}, {"a": {"b": 1}}),
        ({}, "Assign", ["a", 0], {"value": 1}, {"a": [1]}),
        ([1], "Assign", [2], {"value": 3}, [1, None, 3]),
        ([1, 2], "Assign", [-1], {"value": 3}, [1, 3]),
        ({"a": 1}, "Assign", [0], {"value": 2}, {"a": 1, "0": 2}),
        ({}, "Merge", ["a", "b"], {"value": {"c": 1}}, {"a": {"b": {"c": 1}}}),
        ({"a": 1}, "Delete", ["b"], {}, {"a": 1}),
        ({"a": 1}, "Delete", ["b", "c"], {}, {"a": 1}),
        ([1, 2], "Delete", [5], {}, [1, 2]),
        ([1, 2], "Delete", [-1], {}, [1]),
        ({}, "Append", ["a"], {"value": 1}, {"a": [1]}),
        ({"a": None}, "Prepend", ["a"], {"value": 1}, {"a": [1]}),
        ([1, 2, 3], "Insert", [], {"index": -1, "value": 9}, [1, 2, 9, 3]),
        ([1, 2, 3], "Insert", [], {"index": -9, "value": 9}, [1, 2, 3, 9]),
        ([1, 2, 3], "Insert", [], {"index": 9, "value": 9}, [1, 2, 3, 9]),
        ([True, 1, 1.0], "Remove", [], {"value": 1}, [True]),
        ("text", "Clear", [], {}, ""),
    ],
)
def test_as_in_a_page(value: Any, operation: str, location: list[Any], params: dict[str, Any], expected: Any) -> None:
    got = patched(value, operation, location, params)
    assert repr(got) == repr(expected)


@pytest.mark.fault("A2")
@pytest.mark.parametrize("value", ["word", [1], None, {"a": 1}])
def test_nothing_but_numbers_is_multiplied(value: Any) -> None:
    """Python would repeat it; a factor may come from a page."""
    with pytest.raises(ModsError, match="cannot Mul"):
        patched(value, "Mul", [], {"value": 60_000_000})
    with pytest.raises(ModsError, match="cannot Mul"):
        patched(3, "Mul", [], {"value": value})


@pytest.mark.fault("A2")
@pytest.mark.parametrize(("index", "is_near"), [(MAX_GAP + 1, True), (MAX_GAP + 2, False), (10**12, False)])
def test_an_index_far_away_makes_no_long_list(index: int, is_near: bool) -> None:
    """It may come from a page, as in ``ctx.triggered_id``."""
    if is_near:
        assert len(patched([1], "Assign", [index], {"value": 2})) == index + 1
        return
    for operation, location in (("Assign", [index]), ("Append", [index]), ("Assign", [index, "a"])):
        with pytest.raises(ModsError, match="near the 1 that there are"):
            patched([1], operation, location, {"value": 2})


def test_numbers_that_grow_without_end_stop_nobody(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = dash_devices.Dash(__name__)
    app.layout = html.Div([dcc.Slider(id="n", value=3), html.Div(id="other")])
    server = serve(app)
    page = raw(server.url).join()
    for _ in range(80):
        patch = Patch()
        patch *= 2
        asyncio.run(app.push_mods_coro({"n": {"value": patch}}))
    app.push_mods({"other": {"children": "alive"}})
    page.until_value("other", "children", "alive")
    late = raw(server.url)
    late.hello()
    assert late.request("layout")["status"] == 200
