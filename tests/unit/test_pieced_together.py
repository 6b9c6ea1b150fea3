"""Patches and points put no component, no Patch and no ``__proto__`` together out of keys and values that pages may have sent."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from dash import Patch

from dash_devices import html
from dash_devices.dash_glue.encoding import encode
from dash_devices.errors import ModsError
from dash_devices.patches import apply_patch, fold_extend


def patched(value: Any, *patches: Patch) -> Any:
    """The value after these Patches, as the server applies them."""
    for patch in patches:
        value = apply_patch(value, orjson.loads(encode(patch).json)["operations"])
    return value


def assigned(path: list[Any], value: Any) -> Patch:
    patch = outer = Patch()
    for step in path[:-1]:
        outer = outer[step]
    outer[path[-1]] = value
    return patch


def merged(value: dict[str, Any]) -> Patch:
    patch = Patch()
    patch["a"].update(value)
    return patch


COMPONENT = {"namespace": "dash_html_components", "type": "P", "props": {}}


@pytest.mark.fault("A2")
@pytest.mark.parametrize("last", ["namespace", "type", "props"])
def test_no_component_is_made_key_by_key(last: str) -> None:
    begun = {"a": {key: value for key, value in COMPONENT.items() if key != last}}
    with pytest.raises(ModsError, match="made by code"):
        patched(begun, assigned(["a", last], COMPONENT[last]))


@pytest.mark.fault("A2")
def test_nor_merged_nor_in_a_row_of_a_table() -> None:
    begun = patched({}, merged({"namespace": "dash_core_components", "type": "Location"}))
    with pytest.raises(ModsError, match="made by code"):
        patched(begun, merged({"props": {"pathname": "/elsewhere"}}))
    rows = patched([], *(assigned([0, key], COMPONENT[key]) for key in ("namespace", "type")))
    with pytest.raises(ModsError, match="made by code"):
        patched(rows, assigned([0, "props"], {}))


@pytest.mark.fault("A2")
@pytest.mark.parametrize("path", [["a", "__dash_patch_update"], ["a", "__proto__"], ["__proto__", "a"]])
def test_no_patch_and_no_prototype(path: list[Any]) -> None:
    with pytest.raises(ModsError, match="made by code"):
        patched({"a": {}}, assigned(path, True))


@pytest.mark.fault("A2")
@pytest.mark.parametrize("key", ["namespace", "type"])
def test_a_component_becomes_no_other_one(key: str) -> None:
    with pytest.raises(ModsError, match="made by code"):
        patched([COMPONENT], assigned([0, key], "another"))
    assert patched([COMPONENT], assigned([0, key], COMPONENT[key])) == [COMPONENT]


@pytest.mark.fault("A2")
def test_points_make_no_component() -> None:
    with pytest.raises(ModsError, match="made by code"):
        fold_extend({"data": [{"type": "scatter", "props": []}]}, {"namespace": [["x"]]})
    with pytest.raises(ModsError, match="made by code"):
        fold_extend({"data": [{}]}, {"__proto__": [["x"]]})


def test_whole_components_and_their_properties_are_set_as_ever() -> None:
    patch = Patch()
    patch.append(html.P("new"))
    patch[0]["props"]["children"] = "other"
    patch[1] = html.Span("in the place of another")
    rows = patched([COMPONENT, COMPONENT], patch)
    assert [row["type"] for row in rows] == ["P", "Span", "P"]
    assert rows[0]["props"] == {"children": "other"}
    plain = patched({"a": {}}, assigned(["a", "namespace"], "default"), assigned(["a", "type"], "pod"))
    assert plain == {"a": {"namespace": "default", "type": "pod"}}
