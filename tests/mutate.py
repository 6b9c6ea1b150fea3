"""Switches each rule of the product off, one at a time, and must see its test fail.

The rules, the seams and the tests are one table: `mutations`. A test that does not notice is a hole in the tests.
"""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
import os
import queue
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

from mutations import ROWS, UNSWITCHABLE
from mutations.row import Row, SeamError
from mutations.workshop import RunError, Workshop

WIDTH = 24
INTERRUPTED = 130
BROKEN = "its test fails with all rules on"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came of one row. ``problem``: why it could not be tried."""

    row: Row
    caught: bool
    seconds: float
    problem: str = ""

    @property
    def word(self) -> str:
        """One word for the table."""
        return "CANNOT TELL" if self.problem else "caught" if self.caught else "NOT CAUGHT"


class Bench:
    """Some workshops that try rows side by side."""

    def __init__(self, folder: Path, count: int) -> None:
        self.shops = [Workshop(folder / str(number)) for number in range(count)]
        self._free: queue.SimpleQueue[Workshop] = queue.SimpleQueue()
        for shop in self.shops:
            self._free.put(shop)

    def control(self, rows: Sequence[Row]) -> set[str]:
        """Run all tests with all rules on. Returns those that fail even so."""
        vitest = list(dict.fromkeys(row.test for row in rows if row.is_vitest))
        pytest = list(dict.fromkeys(row.node for row in rows if not row.is_vitest))
        failed = self.shops[0].vitest(vitest)[1] & set(vitest) if vitest else set()
        return failed | set(self.shops[0].pytest(pytest)[1] if pytest else ())

    def try_all(self, rows: Sequence[Row]) -> Iterator[Verdict]:
        """The verdicts, as they come."""
        with ThreadPoolExecutor(len(self.shops)) as pool:
            tried: list[Future[Verdict]] = [pool.submit(self._try, row) for row in rows]
            try:
                for future in as_completed(tried):
                    yield future.result()
            except BaseException:  # Ctrl-C: what runs is ended, what waits does not begin
                pool.shutdown(wait=False, cancel_futures=True)
                self.stop()
                raise

    def stop(self) -> None:
        """End all that runs."""
        for shop in self.shops:
            shop.stop()

    def _try(self, row: Row) -> Verdict:
        shop, begun = self._free.get(), time.monotonic()
        try:
            return Verdict(row, shop.catches(row), time.monotonic() - begun)
        except (SeamError, RunError) as error:
            return Verdict(row, False, time.monotonic() - begun, str(error))
        finally:
            self._free.put(shop)


def show(done: int, total: int, text: str) -> None:
    """One step of the progress bar: drawn again on a terminal, a line elsewhere."""
    full = WIDTH * done // max(total, 1)
    start, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
    print(
        f"{start}[{'#' * full}{'.' * (WIDTH - full)}] {done}/{total} {text:.70}", end=end, file=sys.stderr, flush=True
    )


def report(verdicts: Sequence[Verdict]) -> None:
    """The table, and what was not switched off and why."""
    place = {row: number for number, row in enumerate(ROWS)}
    width = max(len(verdict.row.label) for verdict in verdicts)
    print(f"\n{'rule':{width}}  {'':11}  seconds")
    for verdict in sorted(verdicts, key=lambda verdict: place[verdict.row]):
        print(f"{verdict.row.label:{width}}  {verdict.word:11}  {verdict.seconds:7.1f}")
        if not verdict.caught:
            print(f"    {verdict.row.path}, {verdict.row.test}\n    {verdict.problem}")
    print("\nnot switched off by a small change:")
    for line, reason in UNSWITCHABLE.items():
        print(f"  {line}  {reason}")
    caught = sum(verdict.caught for verdict in verdicts)
    print(f"\n{caught} of {len(verdicts)} rules caught")


def try_rows(rows: Sequence[Row], jobs: int) -> int:
    """Control run, then each row; the exit status."""
    total = len(rows)
    with tempfile.TemporaryDirectory(prefix="dash-devices-mutate-") as folder:
        bench = Bench(Path(folder), min(jobs, len(rows)))
        try:
            show(0, total, "control run: all rules on")
            failed = bench.control(rows)
            verdicts = [Verdict(row, False, 0.0, BROKEN) for row in rows if row.test in failed]
            rows = [row for row in rows if row.test not in failed]
            for verdict in bench.try_all(rows):
                verdicts.append(verdict)
                show(len(verdicts), total, f"{verdict.word}: {verdict.row.label}")
        except (RunError, SeamError) as error:
            print(f"\ncontrol run: {error}", file=sys.stderr)
            return 1
        finally:
            bench.stop()
    report(verdicts)
    return int(not all(verdict.caught for verdict in verdicts))


def main() -> int:
    """0: every rule was caught; 1: one was not, or could not be tried; 2: nothing to do; 130: interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="*", help="rows whose line and rule match, as in '4.*'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many to try side by side")
    parser.add_argument("--list", action="store_true", help="only show the rows")
    wanted = parser.parse_args()
    rows = [row for row in ROWS if fnmatch.fnmatch(row.label, wanted.only) or wanted.only in row.label]
    if not rows or wanted.list:
        print(*(f"{row.label}: {row.test}" for row in rows), sep="\n")
        return 0 if rows else 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return try_rows(rows, max(1, wanted.jobs))
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
