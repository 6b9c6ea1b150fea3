"""What a row of the table of seams says."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


class SeamError(Exception):
    """A row that does not fit the sources any more."""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One rule, and the small change that switches it off.

    Attributes:
        line: number of a rule of docs/semantics.md, as ``4.2``; or ``wire 3`` for a rule of ``PROTOCOL.md``.
        rule: in a few words.
        file: under ``dash_devices/``, or under ``renderer/src/`` when it ends in ``.ts``.
        old: text that stands exactly once in the file.
        new: what to put there.
        test: must fail then. The name of a test function, or ``<file>.test.ts::<name>`` for one of ``renderer/test``.
    """

    line: str
    rule: str
    file: str
    old: str
    new: str
    test: str

    @property
    def is_typescript(self) -> bool:
        """Does it change the browser's half?"""
        return self.file.endswith(".ts")

    @property
    def is_vitest(self) -> bool:
        """Is it a test of the browser's half alone that must fail?"""
        return ".test.ts::" in self.test

    @property
    def path(self) -> str:
        """The file, from the top of the project."""
        return f"renderer/src/{self.file}" if self.is_typescript else f"dash_devices/{self.file}"

    @property
    def label(self) -> str:
        """Line and rule, for people and for ``--only``."""
        return f"{self.line} {self.rule}"

    @property
    def node(self) -> str:
        """What to tell pytest: the one file that has the test, and the name.

        Raises:
            SeamError: none has it, or several do.
        """
        files = [path for path, source in _tests() if f"def {self.test}(" in source]
        if len(files) != 1:
            raise SeamError(f"{self.label}: expected {self.test} in one file of tests/, got it in {files}")
        return f"{files[0]}::{self.test}"

    def switched_off(self, source: str) -> str:
        """The source without the rule.

        Raises:
            SeamError: ``old`` stands there not once, or what comes out cannot be compiled.
        """
        count = source.count(self.old)
        if count != 1:
            raise SeamError(f"{self.label}: expected {self.old!r} once in {self.path}, got it {count} times")
        changed = source.replace(self.old, self.new)
        try:
            if not self.is_typescript:
                compile(changed, self.path, "exec")
        except SyntaxError as error:
            raise SeamError(f"{self.label}: {self.path} would be no Python any more: {error}") from error
        return changed


@functools.cache
def _tests() -> list[tuple[str, str]]:
    """Path and source of every file with Python tests."""
    paths = sorted((TOP / "tests").rglob("test_*.py"))
    return [(path.relative_to(TOP).as_posix(), path.read_text("utf-8")) for path in paths]
