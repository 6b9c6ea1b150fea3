"""docs/semantics.md has every rule that a test or a mutation names, once and in order, and no other."""

from __future__ import annotations

import re

from ..mutations import LINES, ROWS, UNSWITCHABLE
from ..mutations.row import TOP

NUMBER = re.compile(r"\d+\.\d+")
HEADING = re.compile(r"^### (\d+\.\d+) \S", re.MULTILINE)
TEST = re.compile(r"def test_(\d+)_(\d+)_")


def numbers_on_the_page() -> list[str]:
    return HEADING.findall((TOP / "docs" / "semantics.md").read_text("utf-8"))


def numbers_of_tests() -> set[str]:
    sources = [path.read_text("utf-8") for path in sorted((TOP / "tests").rglob("test_*.py"))]
    return {f"{section}.{number}" for source in sources for section, number in TEST.findall(source)}


def test_the_page_has_the_counted_rules_once_and_in_order() -> None:
    counted = [f"{section}.{number}" for section, count in LINES.items() for number in range(1, count + 1)]
    assert numbers_on_the_page() == counted


def test_each_number_that_a_test_or_a_mutation_names_is_on_the_page() -> None:
    named = {row.line for row in ROWS if NUMBER.fullmatch(row.line)} | set(UNSWITCHABLE) | numbers_of_tests()
    assert len(named) > len(LINES), "tests and mutations name rules"
    assert named - set(numbers_on_the_page()) == set()
