"""A copy of the project, in which rules are switched off and tests are run. The project itself is never touched."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path

from .row import TOP, Row

COPIED = ("dash_devices", "tests", "examples", "tools", "docs", "renderer")
IGNORED = shutil.ignore_patterns("node_modules", "__pycache__", ".*", "*.pyc")
BUNDLE = "dash_devices/static/dash_devices.min.js"
SECONDS = 600.0  # for one run; longer is a hang


class RunError(Exception):
    """The tests could not be run: neither passed nor failed."""


class Workshop:
    """One copy in ``folder``. Not for several threads, but for `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._group = 0  # process group of what runs now
        self._stopped = False
        self._output = folder / "output.txt"
        # no byte code is written: a change of equal size within one second would not be seen
        self._environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"}
        _copy(folder)
        self._warm = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm.py")), str(self._output)],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def catches(self, row: Row) -> bool:
        """Does the row's test fail without the rule?

        Raises:
            SeamError: the row does not fit the sources.
            RunError: the test did not fail but broke, hung, or is not there.
        """
        with self._without(row):
            if row.is_vitest:
                return row.test in self.vitest([row.test])[1]
            return bool(self.pytest([row.node], "--exitfirst")[1])

    @contextlib.contextmanager
    def _without(self, row: Row) -> Iterator[None]:
        path, bundle = self.folder / row.path, self.folder / BUNDLE
        source, built = path.read_text("utf-8"), bundle.read_bytes()
        path.write_text(row.switched_off(source), "utf-8")
        try:
            if row.is_typescript and not row.is_vitest:
                self._node("build.mjs")
            yield
        finally:
            path.write_text(source, "utf-8")
            bundle.write_bytes(built)

    def pytest(self, tests: Iterable[str], *options: str) -> tuple[list[str], list[str]]:
        """Run tests. Returns the functions that passed, and those whose own code failed; one name per case.

        Raises:
            RunError: a test was skipped, was not found, or broke before its own code ran.
        """
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        status = self._fork(["-q", "-p", "no:cacheprovider", f"--junitxml={report}", *options, *tests])
        said = self._output.read_text("utf-8", "replace")[-3000:]
        if status not in (0, 1) or not report.exists():
            raise RunError(f"pytest ended with status {status}:\n{said}")
        cases = list(ET.parse(report).iter("testcase"))
        failed = [_name(case) for case in cases if case.find("failure") is not None]
        passed = [
            _name(case) for case in cases if all(case.find(tag) is None for tag in ("failure", "error", "skipped"))
        ]
        if not failed and len(passed) < max(1, len(cases)):
            raise RunError(f"a test was skipped, or broke outside of its own code:\n{said}")
        return passed, failed

    def _fork(self, arguments: list[str]) -> int:
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(json.dumps(arguments) + "\n")
        self._warm.stdin.flush()
        with self._running(int(self._warm.stdout.readline() or 0)):
            return int(self._warm.stdout.readline() or -signal.SIGKILL)

    def vitest(self, tests: list[str]) -> tuple[set[str], set[str]]:
        """Run tests of ``renderer/test``. Returns those that passed and those that failed.

        Raises:
            RunError: it could not be run.
        """
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        names = "|".join(f"^{_escaped(test.partition('::')[2])}$" for test in tests)
        files = sorted({f"test/{test.partition('::')[0]}" for test in tests})
        options = ["-t", names, "--reporter=json", f"--outputFile={report}"]
        said = self._node("node_modules/vitest/vitest.mjs", "run", *files, *options, may_fail=True)
        if not report.exists():
            raise RunError(f"vitest made no report:\n{said}")
        found: dict[str, set[str]] = {"passed": set(), "failed": set()}
        for file in json.loads(report.read_text("utf-8"))["testResults"]:
            for case in file["assertionResults"]:
                found.setdefault(case["status"], set()).add(f"{Path(file['name']).name}::{case['title']}")
        if not set(tests) <= found["passed"] | found["failed"]:
            raise RunError(f"vitest did not run all of {tests}:\n{said}")
        return found["passed"], found["failed"]

    def _node(self, *command: str, may_fail: bool = False) -> str:
        with self._output.open("wb") as stream:
            process = subprocess.Popen(
                ["node", *command],
                cwd=self.folder / "renderer",
                env=self._environment,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        with self._running(process.pid):
            status = process.wait()
        said = self._output.read_text("utf-8", "replace")[-3000:]
        if status and (status < 0 or not may_fail):
            raise RunError(f"node {command[0]} ended with status {status}:\n{said}")
        return said

    @contextlib.contextmanager
    def _running(self, group: int) -> Iterator[None]:
        """A process group runs: it is ended when it takes too long, and whatever it leaves behind with it."""
        if not group or self._stopped:
            raise RunError("stopped")
        timer = threading.Timer(SECONDS, _kill, [group])
        timer.start()
        self._group = group
        try:
            yield
        finally:
            self._group = 0
            timer.cancel()
            _kill(group)

    def stop(self) -> None:
        """End what runs here, from any thread; nothing can be run here any more."""
        self._stopped = True
        if self._group:
            _kill(self._group)
        self._warm.kill()
        self._warm.wait()


def _copy(folder: Path) -> None:
    for name in COPIED:
        shutil.copytree(TOP / name, folder / name, ignore=IGNORED)
    for path in (*TOP.glob("*.toml"), *TOP.glob("*.md"), *TOP.glob("*.py"), TOP / "Makefile"):
        shutil.copy(path, folder)
    modules = TOP / "renderer" / "node_modules"
    if modules.is_dir():
        (folder / "renderer" / "node_modules").symlink_to(modules)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # nothing is left
        os.killpg(group, signal.SIGKILL)


def _name(case: ET.Element) -> str:
    return case.get("name", "").partition("[")[0]


def _escaped(name: str) -> str:
    return re.sub(r"[.*+?^${}()|[\]\\]", r"\\\g<0>", name)
