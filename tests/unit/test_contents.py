"""What is inside of components that are told again."""

from __future__ import annotations

from typing import Any

from dash_devices.again import with_contents
from dash_devices.shared import Entry, Key, SharedMap


def div(id: str, children: Any = None) -> dict[str, Any]:
    """A component as JSON."""
    return {"props": {"id": id, "children": children}, "type": "Div", "namespace": "dash_html_components"}


def shared(**values: Any) -> SharedMap:
    """``id=children``, stored one after the other."""
    made = SharedMap()
    for id, value in values.items():
        made.put(Entry((id, "children"), made.next_seq(), value=value))
    return made


def told(of: SharedMap, *ids: str, outer: Key | None = None) -> list[str]:
    """The ids in the order in which they are told."""
    entries = [entry for id in ids if (entry := of.get((id, "children"))) is not None]
    return [entry.key[0] for entry in with_contents(of, entries, outer)]


def test_contents_come_behind_what_they_are_inside_of_whatever_is_newer() -> None:
    state = shared(deepest="new", deep=div("deepest", "old"), box=[div("x", div("deep"))], other="1")
    assert told(state, "box") == ["box", "deep", "deepest"]
    assert told(state, "deepest", "box") == ["box", "deep", "deepest"]
    assert told(state, "other") == ["other"]


def test_data_is_no_component() -> None:
    state = shared(a="1")
    state.put(Entry(("box", "value"), state.next_seq(), value=div("a")))
    entry = state.get(("box", "value"))
    assert entry is not None
    assert with_contents(state, [entry]) == [entry]


def test_an_old_value_may_hold_what_it_stands_in_now() -> None:
    state = shared(inner=div("outer"), outer=div("inner"))
    assert told(state, "inner", outer=("outer", "children")) == ["inner"]
    assert sorted(told(state, "inner")) == ["inner", "outer"], "nor does it go on for ever"
