"""Durable state under attack: killed, full and broken disks, flipped bytes; and how fast it is."""

from __future__ import annotations

import logging
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...soak.names import CONTROLS
from ...soak.rows.common import equal_within, model_checks, on_loop
from ...soak.server import Server
from ...soak.swarm import Swarm, steadily, until
from ...soak.table import Check, Context, at_most, exactly, quantile, told
from ...state_files import ENDINGS, Sample, cut_off, flipped, opened
from ..disk_user import CHANGES

ROOT = Path(__file__).parents[3]
WRITERS = 20


# ---- kill -9 ------------------------------------------------------------------------------------------------------------
def kill9_durable(context: Context) -> list[Check]:
    """``kill -9`` under 20 writers with durable state, again and again: nothing acknowledged is lost, nothing runs twice."""
    return on_loop(_kill9(context))


async def _kill9(context: Context) -> list[Check]:
    cycles = context.times(100, 3)
    lost: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.db"
        async with Server(options={"state": str(state)}) as server, Swarm(server.port, WRITERS) as swarm:
            await swarm.join()
            newest = _newest_acks(swarm)
            for cycle in range(cycles):
                await _write(swarm, random.uniform(0.2, 0.8), f"{cycle}")
                server.kill()
                await until(lambda: all(tab.wire is None for tab in swarm), 10, "the end of all lines")
                under_way = {v for tab in swarm for p in tab.page.pending.values() for _, _, v in p.message["values"]}
                server.start()
                await server.up()
                lost += _missing(await server.state(), newest, under_way)
                newest.clear()
                await until(lambda: all(tab.page.is_up and not tab.page.pending for tab in swarm), 30, "all pages")
                _, values = await equal_within(swarm, server, 30)
            swarm.journal.check_equal({tab.page.name: tab.page.shows for tab in swarm}, values)
            runs = Counter(value for life in server.history().caused.values() for value in life)
            text = server.text
        aside = [name for name in os.listdir(folder) if "corrupt" in name]
    twice = [value for value, count in runs.items() if count > 1]
    return [
        exactly(f"acknowledged changes lost in {cycles} kills", len(lost), detail="; ".join(lost[:3])),
        exactly("changes that a callback ran for twice", len(twice), detail=", ".join(twice[:3])),
        exactly("changes told 'not confirmed'", len(swarm.journal.unconfirmed)),
        exactly("starts that did not take the file as it was", len(aside) + text.count("is damaged")),
        *model_checks(swarm.journal),
        told("changes", f"{len(swarm.journal.acks)} acknowledged, {len(swarm.journal.kept)} settled by the next life"),
        told("refused", ", ".join(f"{code} {count}" for code, count in swarm.journal.refused.items()) or "none"),
    ]


async def _write(swarm: Swarm, seconds: float, label: str) -> None:
    def change(number: int) -> None:
        tab = swarm.tabs[number % WRITERS]
        tab.change(f"c{random.randrange(CONTROLS)}", f"{label} {tab.page.name} {number}")

    await steadily(500, seconds, change)


def _newest_acks(swarm: Swarm) -> dict[str, tuple[int, str]]:
    """By control: the highest seq that was acknowledged in this life, and the value there. Kept up to date."""
    newest: dict[str, tuple[int, str]] = {}

    def watch(tab: Any) -> None:
        settle = tab.page._settle

        def settled(n: int, seq: int, values: Any = ()) -> None:
            if not values:
                for id, _, value in tab.page.pending[n].message["values"]:
                    newest[id] = max(newest.get(id, (-1, "")), (seq, value))
            settle(n, seq, values)

        tab.page._settle = settled

    for tab in swarm:
        watch(tab)
    return newest


def _missing(state: dict[Any, Any], newest: dict[str, tuple[int, str]], under_way: set[str]) -> Iterator[str]:
    """Controls that hold neither the newest acknowledged value nor one whose ack was under way."""
    for id, (_, value) in newest.items():
        found = state[id, "value"]
        if found != value and found not in under_way:
            yield f"{id} holds {found!r}, acknowledged was {value!r}"


# ---- speed --------------------------------------------------------------------------------------------------------------
def durable_speed(context: Context) -> list[Check]:
    """20 writers, 2,000 durable changes a second: how long until the ack."""
    return on_loop(_speed(context))


async def _speed(context: Context) -> list[Check]:
    seconds = context.seconds(10, 2)
    with tempfile.TemporaryDirectory() as folder:
        state = str(Path(folder) / "state.db")
        async with Server(options={"state": state}) as server, Swarm(server.port, WRITERS) as swarm:
            await swarm.join()
            await _offered(swarm, 200, 1)  # warm
            rate, times = await _offered(swarm, 2_100, seconds)
            commits = (await server.ask("state"))["metrics"]["state_commits"]
    return [
        at_most("ack of a durable change, p99", quantile(times, 0.99), 30, "ms", n=len(times)),
        Check("acknowledged a second", ">= 2000", f"{rate:.0f}", rate >= 2_000, True),
        told("the same, median", f"{quantile(times, 0.5):.1f} ms"),
        told("commits", f"{commits}, of {len(times) / max(1, commits):.0f} changes each"),
    ]


async def _offered(swarm: Swarm, rate: float, seconds: float) -> tuple[float, list[float]]:
    """Make so many changes a second, in turn; how many were answered a second, and ms until each answer."""
    times: list[float] = []
    begun: dict[tuple[str, int], float] = {}
    clock = time.perf_counter

    def change(number: int) -> None:
        tab = swarm.tabs[number % WRITERS]
        begun[tab.page.name, tab.page.n + 1] = clock()
        tab.change(f"c{number % CONTROLS}", f"{number}")

    def listen(tab: Any) -> None:
        settle = tab.page._settle

        def settled(n: int, seq: int, values: Any = ()) -> None:
            times.append((clock() - begun.pop((tab.page.name, n), math.nan)) * 1000)
            settle(n, seq, values)

        tab.page._settle = settled

    for tab in swarm:
        listen(tab)
    start = clock()
    await steadily(rate, seconds, change)
    await until(lambda: not any(tab.page.pending for tab in swarm), 30, "all answers")
    return len(times) / (clock() - start), times


# ---- bytes --------------------------------------------------------------------------------------------------------------
def flips(context: Context) -> list[Check]:
    """Each byte of the state's files turned over, and each length cut off: no wrong value, the bad file kept."""
    step = max(1, round(1 / context.scale)) if not context.short else 499
    with tempfile.TemporaryDirectory() as folder:
        jobs = [
            (folder, crashed, ending, step, part)
            for crashed in (False, True)
            for ending in ENDINGS
            for part in range(8)
        ]
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(_damage, jobs))
    faults = [fault for result in results for fault in result[2]]
    return [
        exactly(
            "starts with a wrong value, a crash, or a bad file that is not kept",
            len(faults),
            detail="; ".join(faults[:3]),
        ),
        told("starts", f"{sum(result[0] for result in results)}, every {step}. byte"),
        told("of them noticed the damage and said so", f"{sum(result[1] for result in results)}"),
    ]


def _damage(job: tuple[str, bool, str, int, int]) -> tuple[int, int, list[str]]:
    """One part of the bytes of one file: how many starts, how many told of damage, and what was wrong."""
    logging.disable(logging.CRITICAL)
    folder, crashed, ending, step, part = job
    own = Path(folder) / f"{crashed}{ending}{part}"
    sample = Sample(own, crashed=crashed, commits=2)
    file = own / f"state.db{ending}"
    starts, noticed, faults = 0, 0, []
    for number, (what, data) in enumerate(_damages(file, step)):
        if number % 8 == part:
            found, fault = sample.damaged(own.with_name(own.name + "-scratch"), file, data)
            starts, noticed = starts + 1, noticed + bool(found.notes)
            faults += [f"{file.name} {what}: {fault}"] if fault else []
    return starts, noticed, faults


def _damages(file: Path, step: int) -> Iterator[tuple[str, bytes]]:
    if file.exists():
        data = file.read_bytes()
        few = 97 * step if file.name.endswith(".previous") else step  # nobody looks at it while the file is whole
        yield from flipped(data, few)
        yield from cut_off(data, few)


# ---- the disk -----------------------------------------------------------------------------------------------------------
CALLS = {
    "write": "write,pwrite64",
    "sync": "fsync,fdatasync",
    "open": "openat",
    "rename": "rename",
    "truncate": "ftruncate",
    "remove": "unlink",
    "read": "read,pread64",
}
ERRORS = ("EIO", "ENOSPC")


def bad_files(context: Context) -> list[Check]:
    """Each write, sync, open, rename of the state's files fails once: nothing acknowledged that is not on disk."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = _calls(Path(folder) / "count")
        points = [(call, n, error) for call, count in counts.items() for n in range(1, count + 1) for error in ERRORS]
        chosen = points if context.scale >= 1 and not context.short else points[:: 23 if context.short else 3]
        runs = list(pool.map(lambda point: _failing(Path(folder), *point), chosen))
    faults = [fault for _, fault in runs if fault]
    outcomes = Counter(outcome for outcome, _ in runs)
    return [
        exactly(
            "runs that lost what was acknowledged, crashed, or did not recover",
            len(faults),
            detail="; ".join(faults[:3]),
        ),
        exactly("calls that never failed", sum(count == 0 for call, count in counts.items() if call != "remove")),
        told(
            "runs", f"{len(runs)} of {len(points)}: " + ", ".join(f"{call} {count}" for call, count in counts.items())
        ),
        told("outcomes", ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())),
    ]


@contextmanager
def _files(folder: Path) -> Iterator[list[str]]:
    """A state that was killed; gives the paths that strace looks at."""
    Sample(folder, crashed=True)
    endings = (*ENDINGS, ".draft", ".draft-wal", ".draft-journal", "-journal")
    yield [part for ending in endings for part in ("-P", str(folder / f"state.db{ending}"))] + ["-P", str(folder)]


def _trace(folder: Path, options: list[str]) -> subprocess.CompletedProcess[str]:
    with _files(folder) as paths:
        command = ["strace", "-f", "-qq", "-o", str(folder / "trace"), *paths, *options]
        return subprocess.run(
            [*command, sys.executable, "-m", "tests.attack.disk_user", str(folder / "state.db")],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )


def _need_strace() -> None:
    if shutil.which("strace") is None:
        raise RuntimeError("strace: expected it on the PATH, got none; apt-get install strace")


def _calls(folder: Path) -> dict[str, int]:
    """How often each kind of call is made, in the thread that makes most of them."""
    _need_strace()
    done = _trace(folder, ["-e", f"trace={','.join(CALLS.values())}"])
    if "end" not in done.stdout:
        raise RuntimeError(f"strace: expected a run to its end, got {done.stdout[-300:]} {done.stderr[-300:]}")
    lines = re.findall(r"^(\d+) +(\w+)\(", (folder / "trace").read_text(), re.M)
    by_thread = Counter(
        (thread, kind) for thread, call in lines for kind, names in CALLS.items() if call in names.split(",")
    )
    return {kind: max((n for (_, of), n in by_thread.items() if of == kind), default=0) for kind in CALLS}


def _failing(folder: Path, call: str, n: int, error: str) -> tuple[str, str]:
    """One run in which the ``n``-th call of a kind fails, once per thread: its outcome, and what is wrong with it."""
    own = folder / f"{call}-{n}-{error}"
    names = CALLS[call]
    done = _trace(own, ["-e", f"trace={names}", "-e", f"inject={names}:error={error}:when={n}"])
    lines = done.stdout.splitlines()
    last = lines[-1] if lines else ""
    acked = max((int(line.split()[1]) for line in lines if line.startswith("ack")), default=-1)
    found = opened(own / "state.db")
    aside = any(".corrupt-" in path.name for path in own.iterdir())
    fault = ""
    if not last.startswith(("end", "refused")) or done.returncode:
        fault = f"crashed: {done.stderr[-300:]}"
    elif last.startswith("end") and acked + 1 != CHANGES:
        fault = "it did not recover"
    elif acked >= 0 and found.values.get("a") != b'"new %d"' % acked:
        fault = f"acknowledged {acked}, on disk {found.values.get('a')!r}"
    elif not aside and found.values.get("all") != b"3":
        fault = f"the values from before are gone: {found}"
    outcome = "refused to start" if last.startswith("refused") else "went on with the copy" if aside else "went on"
    return outcome, f"{call} {n} {error}: {fault}" if fault else ""
