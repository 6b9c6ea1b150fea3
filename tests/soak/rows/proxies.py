"""Behind nginx and haproxy, as their users set them up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys

from ..fronts import FORMS, Form, front, install, trusting
from ..server import ROOT, Server
from ..swarm import Swarm, until
from ..table import Check, Context, exactly
from .common import on_loop

SUMMARY = re.compile(r"(\d+) (passed|failed|error)s?\b")
# what brings a line, a prefix or a server of its own does not go through the one in front
OWN_LINE = [
    "tests/browser/test_durable.py",
    "tests/browser/test_survival.py",
    "tests/browser/test_survival_hash.py",
    "tests/browser/test_survival_labels.py",
    "tests/semantics/test_10_reconnect.py",
]


def proxies(context: Context) -> list[Check]:
    """nginx and haproxy, each at the root, below a prefix and with TLS: the browser's tests, and pages that do nothing."""
    install()
    checks = on_loop(_idle(context))
    return checks + [_tests(form) for form in FORMS]


async def _idle(context: Context) -> list[Check]:
    """Five pages behind each of the six, all at once, with nothing to say."""
    seconds = context.seconds(120, 12)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(options={"trusted_proxies": ["127.0.0.1"]}))
        swarms = []
        for form in FORMS:
            url = stack.enter_context(front(form, server.port))
            port = int(url.split(":")[2].partition("/")[0])
            secure = trusting() if form.kind == "tls" else None
            swarm = Swarm(port, 5, path=f"{form.prefix}_dash-devices/socket", ssl=secure)
            await stack.enter_async_context(swarm)
            await swarm.join()
            swarms.append(swarm)
        await asyncio.sleep(seconds)
        lost = [sum(len(tab.closes) for tab in swarm) for swarm in swarms]
        await server.ask("push", id="p0", value="awake")
        for swarm in swarms:
            await until(
                lambda swarm=swarm: all(tab.page.shows["p0", "children"] == "awake" for tab in swarm), 5, strict=False
            )
        awake = [sum(tab.page.shows["p0", "children"] == "awake" for tab in swarm) for swarm in swarms]
    return [
        exactly(f"{form}: lines of 5 pages lost in {seconds:.0f} s without a word; all hear the next push", n + 5 - a)
        for form, n, a in zip(FORMS, lost, awake, strict=True)
    ]


def _tests(form: Form) -> Check:
    """The browser's tests through one of them."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.soak.through",
        "-m",
        "browser",
    ]
    folders = os.environ.get("SOAK_TESTS", "tests/browser tests/semantics").split()
    without = [f"--ignore={path}" for path in OWN_LINE]
    environment = {**os.environ, "SOAK_FRONT": str(form)}
    done = subprocess.run(
        [*command, *without, *folders], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    counts = {word: int(number) for number, word in SUMMARY.findall(done.stdout.rstrip().rpartition("\n")[2])}
    failed = counts.get("failed", 0) + counts.get("error", 0) + (not counts.get("passed"))
    if failed:
        print(done.stdout, done.stderr, file=sys.stderr)
    names = ", ".join(re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", done.stdout, re.MULTILINE)[:4])
    return exactly(f"{form}: browser tests that fail, of {sum(counts.values())}", failed, detail=names)
