"""Points folded into a figure. The page does the same: `renderer/test/points.test.ts` runs the cases of `points.json` too."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from dash_devices.errors import ModsError
from dash_devices.patches import fold_extend

CASES = json.loads(Path(__file__).with_name("points.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_points_are_folded_into_a_copy(case: dict[str, Any]) -> None:
    figure = {"data": case["traces"], "layout": {"title": "kept"}}
    before = copy.deepcopy(figure)
    folded = fold_extend(figure, case["value"], prepend=case["property"] == "prependData")
    assert folded == {"data": case["want"], "layout": {"title": "kept"}}
    assert figure == before


@pytest.mark.parametrize(
    "value",
    [
        7,
        {},
        [],
        {"y": None},
        {"y": [7]},
        [{"y": [[1]]}, [5]],
        [{"y": [[1]]}, 0],
        [{"y": [[1]]}, [0], {"x": [1]}],
        {"y": [[1]], "dimensions.values": [[1]]},
        {"dimensions[7].values": [[1]]},
        {"dimensions[-1].values": [[1]]},
        {"__proto__.x": [[1]]},
        [{"y": [[1]]}, [True]],
        [{"y": [[1]]}, [0], True],
        {"y": [{"dtype": "f8", "bdata": "AAAA"}]},
        {"y": [{"dtype": "i1", "bdata": "AAAAAA==", "shape": "2, 2"}]},
    ],
)
def test_points_that_do_not_fit_are_refused(value: Any) -> None:
    with pytest.raises(ModsError, match="extendData: expected"):
        fold_extend({"data": [{"y": [0], "dimensions": [{"values": [1]}]}]}, value)
