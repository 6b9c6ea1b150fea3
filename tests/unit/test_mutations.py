"""The table of seams fits the sources: every seam is there once, every test has a name that exists."""

from __future__ import annotations

import pytest

from ..mutations import LINES, ROWS, UNSWITCHABLE
from ..mutations.row import TOP, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_a_row_fits_the_sources(row: Row) -> None:
    source = (TOP / row.path).read_text("utf-8")
    assert row.switched_off(source) != source
    if row.is_vitest:
        file, _, name = row.test.partition("::")
        assert f'test("{name}",' in (TOP / "renderer" / "test" / file).read_text("utf-8")
    else:
        assert row.node


def test_every_line_of_the_contract_has_a_row_or_a_reason() -> None:
    lines = {f"{section}.{number}" for section, count in LINES.items() for number in range(1, count + 1)}
    assert lines - {row.line for row in ROWS} - set(UNSWITCHABLE) == set()


def test_no_row_comes_twice() -> None:
    assert len({(row.label, row.test) for row in ROWS}) == len(ROWS)
