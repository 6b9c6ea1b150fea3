"""Builds the browser bundle on the way, where that is needed and possible; everything else is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))
import bundle


class BuildWithBundle(build_py):
    """``build_py`` with a fresh bundle: stale and Node there: built; stale and no Node: the committed one, said so."""

    def run(self) -> None:
        bundle.refresh()
        super().run()


setup(cmdclass={"build_py": BuildWithBundle})
