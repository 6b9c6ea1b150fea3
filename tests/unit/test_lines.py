"""The list of what may be tried names tests that are there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.attack.lines import LINES, nodes, rows
from tests.attack.rows import ROWS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("line", LINES)
def test_a_line_has_tests_that_are_there(line: str) -> None:
    """And rows, where it names some."""
    assert nodes(line)
    for node in nodes(line):
        path, _, name = node.partition("::")
        functions = {n.name for n in ast.parse((ROOT / path).read_text()).body if isinstance(n, ast.FunctionDef)}
        assert name in functions, node
    assert set(rows(line)) <= set(ROWS)
