"""Every line of what may be tried, by the tests that are named for it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

from ...soak.server import ROOT
from ...soak.table import Check, Context
from ..lines import LINES, nodes, rows


def lines(context: Context) -> list[Check]:
    """Bad frames, handshakes, messages, values and files: each line of the list, by its tests."""
    wanted = sorted({node for line in LINES for node in nodes(line)})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *wanted]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not report.exists():
            raise RuntimeError(f"the tests did not run: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        counts = _counts(report)
    return [_check(line, counts) for line in LINES]


def _check(line: str, counts: dict[str, Counter[str]]) -> Check:
    found: Counter[str] = Counter()
    missing = [node for node in nodes(line) if not counts.get(node, Counter())["passed"]]
    for node in nodes(line):
        found += counts.get(node, Counter())
    also = f"; see also {', '.join(rows(line))}" if rows(line) else ""
    words = f"{found['passed']} pass, {found['failed']} fail{also}"
    if missing:
        words += f"; nothing passed of {', '.join(missing)}"
    return Check(line, "all pass", words, not found["failed"] and not missing)


def _counts(report: Path) -> dict[str, Counter[str]]:
    """How many cases of each test passed, failed, or were skipped."""
    counts: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        path = case.get("classname", "").replace(".", "/") + ".py"
        name = case.get("name", "").partition("[")[0]
        kinds = {child.tag for child in case}
        kind = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        counts.setdefault(f"{path}::{name}", Counter())[kind] += 1
    return counts
