"""Pages with components that change by themselves: both tabs and the server end on the same values, devices hear once.

The page is the real plug-in in Node, the server is the real one without sockets. See `values_world` for what is checked.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from .values_tab import Node
from .values_world import Step, World, history, shrunk

HERE = Path(__file__).parent
ESBUILD = HERE.parents[1] / "renderer" / "node_modules" / ".bin" / "esbuild"
HISTORIES = 240

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not ESBUILD.exists(), reason="needs Node and esbuild: run npm ci in renderer/"
)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Node]]:
    script = tmp_path_factory.mktemp("values") / "page.mjs"
    options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning", f"--outfile={script}"]
    subprocess.run([ESBUILD, HERE / "values_page.ts", *options], check=True)
    both = [Node(script), Node(script)]
    yield both
    for node in both:
        node.close()


def fault(nodes: Sequence[Node], steps: list[Step]) -> str:
    """What is wrong at some point of a history; nothing: empty."""
    try:
        World(nodes).run(steps)
    except AssertionError as error:
        return str(error) or "?"
    return ""


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_values_end_the_same_everywhere(nodes: Sequence[Node], seed: int) -> None:
    steps = history(seed)
    if fault(nodes, steps):
        steps = shrunk(steps, lambda shorter: bool(fault(nodes, shorter)))
        raise AssertionError("\n".join((fault(nodes, steps), *map(str, steps))))
