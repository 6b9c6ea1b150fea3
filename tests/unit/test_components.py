"""Which components are known, what they belong to, and what has changed of that."""

from __future__ import annotations

from typing import Any

import pytest

from dash_devices import components as module
from dash_devices.components import Components
from dash_devices.differences import differences

PANEL, BOX = ("panel", "children"), ("box", "children")


def div(id: Any, *children: Any) -> dict[str, Any]:
    """A component as JSON."""
    return {"props": {"id": id, "children": list(children)}, "type": "Div", "namespace": "n"}


def known() -> Components:
    """A layout with a panel that has a box in it."""
    made = Components()
    made.load(None, div("root", div("panel", div("row1"), div("box", div("row2")))))
    assert made.take_news() == (["root", "panel", "row1", "box", "row2"], [])
    return made


def test_what_is_shared_has_what_stands_in_it() -> None:
    components = known()
    components.load(BOX, [div("row2"), div("row3")])
    assert components.take_news() == (["row3"], [])
    assert (components.around("row1"), components.around("row2")) == ([], [BOX])
    components.load(PANEL, [div("row1"), div("box", div("old"))])
    assert components.around("row3") == [BOX, PANEL]
    assert "old" not in components, "a shared property knows better what is in it"
    components.load(BOX, [])
    assert components.take_news() == ([], ["row2", "row3"])


def test_a_container_takes_with_it_what_is_inside() -> None:
    components = known()
    components.load(BOX, [div("row3")])
    components.take_news()
    components.load(PANEL, [div("row1")])
    assert components.take_news() == ([], ["box", "row3"])
    assert BOX not in components.owners


def test_what_moves_between_two_looks_is_no_news() -> None:
    components = known()
    components.load(PANEL, [div("row1")])
    components.load(BOX, [])
    components.load(PANEL, [div("box"), div("row1")])
    components.load(BOX, [div("row2")])
    assert components.take_news() == ([], [])
    assert not components.news


def test_in_two_places_it_stays_until_it_has_left_both() -> None:
    components = known()
    components.load(BOX, [div("row1")])
    assert components.around("row1") == [BOX]
    components.load(BOX, [])
    assert components.around("row1") == []
    assert "row1" in components


def test_pages_know_what_the_server_does_not_show() -> None:
    components = known()
    assert components.add_private("A", ["row1", "own"]) == ["own"]
    assert components.add_private("B", ["own"]) == ["own"]
    assert components.forget_private("A") == ["own"]
    assert "own" in components, "the other page shows it"
    assert components.take_news() == (["own"], [])
    components.load(PANEL, [div("own")])
    assert components.forget_private("B") == [], "it is the server's now"
    components.load(PANEL, [])
    assert "own" not in components


def test_what_the_server_took_away_is_not_made_known_by_a_page_that_has_not_heard_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    components = known()
    components.load(PANEL, [div("box")])
    assert components.add_private("A", ["row1"]) == []
    assert components.sent("A", {"row1": div("row1")}, lambda key, value: False) == ["row1"], "it was sent to it since"
    monkeypatch.setattr(module, "MAX_REMOVED", 2)
    components.load(PANEL, [div(name) for name in "abc"])
    components.load(PANEL, [])
    assert components.add_private("B", ["a", "b", "c"]) == ["a"], "not for ever"


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        ([1, 2], [1, 3], [], []),
        ([div("a"), div("b")], [div("c")], ["a", "b"], ["c"]),
        ({"label": div("a")}, {"label": "text"}, ["a"], []),
        (None, [div("a")], [], ["a"]),
        (div("a", div("b")), div("c", div("b")), ["a", "b"], ["c", "b"]),
    ],
)
def test_components_that_differ(before: Any, after: Any, old: list[str], new: list[str]) -> None:
    was, now = differences(before, after, ())
    assert (list(was), list(now)) == (old, new)


def test_what_is_the_same_object_does_not_differ() -> None:
    same, box = div("same", div("inside")), div("box", div("row"), div("other"))
    after = {**box, "props": {**box["props"], "children": [*box["props"]["children"], div("new")]}}
    was, now = differences([same, box], [after, same], ())
    assert (list(was), list(now)) == (["box"], ["box", "new"])
    assert was["box"] is box["props"]
    assert now["box"] is after
    assert list(differences([same, box], [after, same], [BOX])[1]) == ["box"], "the box is shared"
