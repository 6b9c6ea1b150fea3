"""The speed of this checkout against that of another commit, measured in turn: round trip, push, and push to 100 pages.

Each round measures the old commit, this checkout, and the old commit once more, every time in a fresh server and page and in
another order. Two measurements of the old commit say how far two figures of the same code lie apart on this machine.

    python tools/compare.py HEAD~1 [--rounds 10]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from dash_devices.bench import child, push, roundtrip  # noqa: E402
from dash_devices.bench.browser import Plan  # noqa: E402
from dash_devices.bench.devtools import browser  # noqa: E402

OLD, NEW, AGAIN = "old", "new", "old again"
ORDERS = ((OLD, NEW, AGAIN), (AGAIN, NEW, OLD), (NEW, OLD, AGAIN), (OLD, AGAIN, NEW))
PLAN = Plan(warmup=15, spaced=60, burst=40)
PUSHES = 200


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A second work tree with the commit, removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "old"
        git = ["git", "-C", str(TOP), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(place), commit], check=True)
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=True)


def measures(chromium: object) -> dict[str, Callable[[], float]]:
    """What is measured, as ms: each function starts a server of its own."""

    def trip(phase: str) -> Callable[[], float]:
        def once() -> float:
            [run] = roundtrip.run_one(chromium, "shared-async", "bare", PLAN)  # type: ignore[arg-type]
            trips["burst"] = statistics.median(run.burst)
            return statistics.median(run.spaced)

        return once if phase == "spaced" else lambda: trips["burst"]

    trips: dict[str, float] = {}
    return {
        "round trip, 65 ms apart": trip("spaced"),
        "round trip, back to back": trip("burst"),
        "push": lambda: statistics.median(push.run_one("shared-async", 1, PUSHES).times),
        "push to 100 pages": lambda: statistics.median(push.run_one("shared-async", 100, PUSHES).times),
    }


def compare(commit: str, rounds: int) -> dict[str, dict[str, list[float]]]:
    """ms by what is measured and by whose it is, one for each round."""
    times: dict[str, dict[str, list[float]]] = {}
    with checked_out(commit) as old, browser(None) as chromium:
        roots = {OLD: old, NEW: TOP, AGAIN: old}
        for number in range(rounds):
            for which in ORDERS[number % len(ORDERS)]:
                child.ROOT, child.HERE = roots[which], roots[which] / "dash_devices" / "bench"
                for name, measure in measures(chromium).items():
                    times.setdefault(name, {}).setdefault(which, []).append(measure())
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return times


def table(times: dict[str, dict[str, list[float]]]) -> Iterator[str]:
    """Medians over the rounds, and the medians and ranges of the ratios of each round."""
    yield f"{'':26}{'old ms':>8}{'new ms':>8}{'new / old':>22}{'old again / old':>22}"
    for name, row in times.items():
        middle = [statistics.median(row[which]) for which in (OLD, NEW)]
        ratios = [[a / b for a, b in zip(row[which], row[OLD], strict=True)] for which in (NEW, AGAIN)]
        shown = [f"{statistics.median(r):.3f} ({min(r):.2f} to {max(r):.2f})" for r in ratios]
        yield f"{name:26}{middle[0]:8.3f}{middle[1]:8.3f}{shown[0]:>22}{shown[1]:>22}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    print("\n".join(table(compare(options.commit, options.rounds))))


if __name__ == "__main__":
    main()
