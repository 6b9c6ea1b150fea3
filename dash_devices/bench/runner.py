"""The command: which parts to measure, and what to print and write."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from . import curve, goals, imports, plot, push, report, roundtrip
from .browser import Plan
from .devtools import browser
from .errors import BenchError

QUICK: Final = Plan(warmup=8, spaced=30, burst=20)
INTERRUPTED: Final = 130  # what a shell expects of a program ended by Ctrl-C


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench. 0: measured (the goals are printed, not enforced); 1: could not measure; 130: interrupted."""
    options = parse(argv)
    try:
        run(options)
    except BenchError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; servers and browser are stopped", file=sys.stderr)
        return INTERRUPTED
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("python -m dash_devices bench", description="Measure round trips and pushes.")
    add = parser.add_argument
    add("--rounds", type=positive, help="rounds, each with fresh servers and pages (3; 1 with --quick)")
    add("--quick", action="store_true", help="one round with fewer key presses: a look, not a figure")
    add(
        "--systems", type=chosen(roundtrip.CHOICES), default=list(roundtrip.CHOICES), metavar="A,B", help="some systems"
    )
    add("--layouts", type=chosen(roundtrip.LAYOUTS), default=list(roundtrip.LAYOUTS), metavar="A,B", help="bare,demo")
    add("--only", choices=PARTS, help="measure one part")
    add("--curve", action="store_true", help="also: growing layouts, up to 2,000 shared properties and 500 callbacks")
    add("--fanout", action="store_true", help="also: pushes to 100 clients")
    add("--authenticate", action="store_true", help="ours asks who comes, and who may change the slider")
    add("--out", type=Path, default=Path("bench-results"), help="folder for results.json and roundtrip.svg")
    add("--chromium", help="path of the Chromium to measure in")
    options = parser.parse_args(argv)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def positive(text: str) -> int:
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text}")
    return number


def chosen(known: Iterable[str]) -> Callable[[str], list[str]]:
    """A parser of a comma-separated choice out of known names."""
    names = list(known)

    def parse_names(text: str) -> list[str]:
        picked = text.split(",")
        for name in picked:
            if name not in names:
                raise argparse.ArgumentTypeError(f"expected some of {','.join(names)}, got {name!r}")
        return picked

    return parse_names


def run(options: argparse.Namespace) -> None:
    """Measure each wanted part and print its table at once; then the goals and the files, also of a run that ended early."""
    warn_busy()
    os.environ["BENCH_AUTHENTICATE"] = "1" if options.authenticate else ""
    results: dict[str, Any] = {}
    try:
        for part in PARTS:
            if wanted(options, part):
                results[part] = MEASURES[part](options)
                print(f"\n{TABLES[part](results[part])}\n", flush=True)
    finally:
        if results:
            lines = [line for part, result in results.items() for line in GOALS[part](result)]
            print(report.goals(lines))
            write(options.out, results, lines)


def warn_busy() -> None:
    """Say so when other programs use the machine: that stretches Dash's long paths more than the floor's short one."""
    load, cores = report.load(), os.cpu_count() or 1
    if load > cores / 2:
        print(f"the machine is busy (load {load:.1f} on {cores} cores): the ratios will be off", file=sys.stderr)


def wanted(options: argparse.Namespace, part: str) -> bool:
    """Whether a part is to be measured."""
    if options.only:
        return bool(options.only == part)
    return part != "curve" or bool(options.curve)


def measure_round_trips(options: argparse.Namespace) -> list[roundtrip.Run]:
    """All chosen systems in the chosen layouts."""
    with browser(options.chromium) as chromium:
        return roundtrip.run(chromium, options.systems, options.layouts, options.rounds, plan(options))


def measure_curve(options: argparse.Namespace) -> list[curve.Point]:
    """Growing layouts."""
    with browser(options.chromium) as chromium:
        return curve.run(chromium, options.rounds, plan(options))


def measure_pushes(options: argparse.Namespace) -> list[push.PushRun]:
    """Pushes to one client, and to 100 when asked."""
    return push.run([1, 100] if options.fanout else [1], options.rounds, 50 if options.quick else 200)


def measure_imports(options: argparse.Namespace) -> dict[str, float]:
    """Import times."""
    return imports.run(5 if options.quick else 15)


def plan(options: argparse.Namespace) -> Plan:
    """How many key presses."""
    return QUICK if options.quick else Plan()


def write(folder: Path, results: dict[str, Any], lines: list[goals.Goal]) -> None:
    """Write ``results.json``, and the plot when there were round trips; say where."""
    folder.mkdir(parents=True, exist_ok=True)
    report.write_json(folder / "results.json", goals=[str(line) for line in lines], **results)
    if "roundtrip" in results:
        plot.write(folder / "roundtrip.svg", results["roundtrip"])
    print(f"\nwritten to {folder}/: {', '.join(sorted(file.name for file in folder.iterdir()))}")


PARTS: Final = ("roundtrip", "curve", "push", "import")
MEASURES: Final[dict[str, Callable[[argparse.Namespace], Any]]] = {
    "roundtrip": measure_round_trips,
    "curve": measure_curve,
    "push": measure_pushes,
    "import": measure_imports,
}
TABLES: Final[dict[str, Callable[[Any], str]]] = {
    "roundtrip": report.round_trips,
    "curve": report.curve,
    "push": report.pushes,
    "import": report.imports,
}
GOALS: Final[dict[str, Callable[[Any], Iterable[goals.Goal]]]] = {
    "roundtrip": goals.of_round_trips,
    "curve": goals.of_curve,
    "push": goals.of_pushes,
    "import": goals.of_imports,
}
