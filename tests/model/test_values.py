"""Pages with components that change by themselves: both tabs and the server end on the same values, devices hear once.

The page is the real plug-in in Node, the server is the real one without sockets. See `values_world` for what is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from .values_tab import ESBUILD, Node, nodes_in
from .values_world import smallest_fault

HISTORIES = 240  # the soak runs those behind them

pytestmark = pytest.mark.skipif(not ESBUILD.exists(), reason="needs Node and esbuild: run npm ci in renderer/")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Node]]:
    with nodes_in(tmp_path_factory.mktemp("values")) as both:
        yield both


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_values_end_the_same_everywhere(nodes: Sequence[Node], seed: int) -> None:
    assert smallest_fault(nodes, seed) == ""
