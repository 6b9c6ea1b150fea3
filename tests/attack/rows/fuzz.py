"""From frame to dispatch with inputs that nobody thought of."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from ...soak.server import MIB, ROOT
from ...soak.table import Check, Context, at_most, exactly, told
from ..fuzzing import MOST_SECONDS, corpus

FRAMES: list[dict[str, Any]] = json.loads((ROOT / "tests" / "frames.json").read_text("utf-8"))["from_page"]["valid"]
NAMES = [
    "a",
    "plot",
    "panel",
    "own",
    "shown",
    '{"index":0,"type":"g"}',
    '{"index":["ALL"],"type":"g"}',
    "{",
    "__proto__",
    "",
]
PROPERTIES = ["value", "children", "extendData", "figure", "id", "__class__", ""]
FIELDS = sorted({name for frame in FRAMES for name in frame})
GROWTH = 8.0  # MiB; from when all has run once

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([*NAMES, 2**53])
)
COMPONENT = st.fixed_dictionaries(
    {
        "namespace": st.just("x"),
        "type": st.just("Div"),
        "props": st.dictionaries(st.text(max_size=4), SCALARS, max_size=3),
    }
)
PATCH = st.fixed_dictionaries(
    {"__dash_patch_update": st.just("__dash_patch_update"), "operations": st.lists(SCALARS, max_size=2)}
)
JSON = st.recursive(
    SCALARS | COMPONENT | PATCH,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
TRIPLES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(PROPERTIES), JSON), max_size=4)
CHANGE = st.fixed_dictionaries(
    {
        "type": st.just("change"),
        "n": st.integers(0, 4),
        "values": TRIPLES,
        "state": TRIPLES,
        "at": st.just(0) | st.floats(),
    }
)
MOUNT = st.fixed_dictionaries({"type": st.just("mount"), "values": TRIPLES})
REQUEST = st.fixed_dictionaries(
    {
        "type": st.just("request"),
        "ref": st.integers(0, 3),
        "route": st.sampled_from(["layout", "dependencies", "callback", "no"]),
        "query": st.text(max_size=8),
        "body": JSON
        | st.just(
            {
                "output": "own.children",
                "outputs": {"id": "own", "property": "children"},
                "inputs": [{"id": "a", "property": "n_blur", "value": 1}],
                "changedPropIds": ["a.n_blur"],
            }
        ),
    }
)
MUTATED = st.builds(
    lambda frame, changes, gone: {name: value for name, value in {**frame, **changes}.items() if name not in gone},
    st.sampled_from(FRAMES),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2),
    st.sets(st.sampled_from(FIELDS), max_size=1),
)
TEXTS = (CHANGE | MOUNT | REQUEST | MUTATED).map(lambda frame: json.dumps(frame).encode())


def _spoiled(frame: bytes, place: int, rest: bytes) -> bytes:
    place %= len(frame) + 1
    return frame[:place] + rest + frame[place + len(rest) :]


SPOILED = st.builds(_spoiled, TEXTS, st.integers(0, 2_000), st.binary(min_size=1, max_size=4))
INPUTS = st.lists(TEXTS | SPOILED | st.binary(max_size=40), min_size=1, max_size=5).map(b"\n".join)


class Child:
    """The target in its own process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.attack.fuzz_child"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, data: bytes) -> None:
        """One input. An empty one is none: its length would ask for the state."""
        assert self._process.stdin is not None
        if data:
            self._process.stdin.write(len(data).to_bytes(4, "big") + data)

    def state(self) -> dict[str, Any]:
        """How it goes, once all inputs are done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(bytes(4))
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def _hypothesis(child: Child, seconds: float) -> dict[str, Any]:
    end = time.monotonic() + seconds

    @settings(
        max_examples=500,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(INPUTS)
    def some(data: bytes) -> None:
        if time.monotonic() < end:
            child(data)

    while time.monotonic() < end:
        some()
    return child.state()


def _guided(seconds: float) -> list[Check]:
    """Coverage-guided, in a process of its own: atheris ends it when something is raised."""
    if importlib.util.find_spec("atheris") is None:
        return [told("coverage-guided", "not tried: pip install atheris")]
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs"
        inputs.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "tests.attack.atheris_fuzz", f"{seconds:g}", str(inputs)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        found = len(list(Path(inputs).iterdir()))
        report = Path(f"{inputs}.json")
        result = json.loads(report.read_text()) if report.exists() else {"count": 0, "longest": math.nan}
    detail = "" if done.returncode == 0 else done.stderr[-300:].replace("\n", " ")
    return [
        Check("coverage-guided: ends in peace", "yes", detail or "yes", done.returncode == 0 and result["count"] > 0),
        at_most(
            "coverage-guided: slowest input", result["longest"] * 1000, MOST_SECONDS * 1000, "ms", n=result["count"]
        ),
        told("coverage-guided: inputs that reach something new", str(found)),
    ]


def fuzz(context: Context) -> list[Check]:
    """Frame to dispatch with hypothesis and, where it is installed, atheris: nothing uncaught, nothing slow, nothing kept."""
    seconds = context.seconds(300, 10)
    is_guided = importlib.util.find_spec("atheris") is not None
    child, kept = Child(), corpus()
    for data in kept:
        child(data)
    before = _hypothesis(child, seconds * 0.1)
    after = _hypothesis(child, seconds * (0.4 if is_guided else 0.9))
    child.close()
    grown = (after["rss"] - before["rss"]) / MIB
    return [
        exactly("uncaught", len(after["uncaught"]), detail="; ".join(after["uncaught"][:2])),
        at_most("slowest input", after["longest"] * 1000, MOST_SECONDS * 1000, "ms", n=after["count"]),
        at_most("memory, from the first tenth on", grown, GROWTH, "MiB"),
        told("inputs kept in the corpus", str(len(kept))),
        *_guided(seconds * 0.5),
    ]
