"""The server under test as a process: started, asked, killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import orjson
import psutil

from ..support import answers, free_port
from .checker import Journal, Key
from .names import TOKEN
from .swarm import until

ROOT = Path(__file__).parents[2]
MIB = 2**20
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever the environment says


class Server:
    """``async with Server() as server``: `tests.soak.app` on a port that stays the same over its lives.

    Attributes:
        epoch: of this life, once a page was told (see `Server.state`).
        output: the file that gets all it writes.
    """

    def __init__(
        self, *, python: str = sys.executable, options: dict[str, Any] | None = None, early: float = 0.0, rows: int = 0
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._python = python
        self._folder = tempfile.TemporaryDirectory(prefix="soak-")
        self.log = Path(self._folder.name) / "log"
        self.output = Path(self._folder.name) / "output"
        self._environment = {
            **os.environ,
            "SOAK_LOG": str(self.log),
            "SOAK_OPTIONS": json.dumps(options or {}),
            "SOAK_EARLY": str(early),
            "SOAK_ROWS": str(rows),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    async def __aenter__(self) -> Self:
        self.start()
        await self.up()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        """Begin a life. Its own session keeps Ctrl-C away from it: whoever started it ends it."""
        command = [self._python, "-m", "tests.soak.app", str(self.port)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )

    async def up(self, timeout: float = 60.0) -> None:
        """Wait until the port answers."""
        await until(lambda: answers(self.port) or not self.is_alive, timeout, "the server's port")
        if not self.is_alive:
            raise RuntimeError(f"the server ended by itself:\n{self.text[-2000:]}")

    @property
    def is_alive(self) -> bool:
        """Does the process run?"""
        return self.process is not None and self.process.poll() is None

    @property
    def text(self) -> str:
        """All it wrote."""
        return self.output.read_text(errors="replace")

    @property
    def rss(self) -> int:
        """Bytes of memory."""
        return int(self.ps.memory_info().rss)

    @property
    def ps(self) -> psutil.Process:
        """For what psutil tells of it."""
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def kill(self) -> None:
        """``kill -9``."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self, timeout: float) -> int | None:
        """Its exit status; None when it still runs after ``timeout`` seconds."""
        assert self.process is not None
        await until(lambda: not self.is_alive, timeout, strict=False)
        return self.process.poll()

    async def ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Tell the app to do something; see `tests.soak.app.command`."""
        query = urllib.parse.urlencode({key: json.dumps(value) for key, value in arguments.items()})
        return await asyncio.to_thread(self._get, f"{self.url}/soak/{name}?{query}")

    def _get(self, url: str) -> dict[str, Any]:
        with NO_PROXY.open(urllib.request.Request(url, headers=HEADERS), timeout=60) as reply:
            return dict(orjson.loads(reply.read()))

    async def state(self) -> dict[Key, Any]:
        """The values of all shared properties."""
        return {(id, property): value for id, property, value in (await self.ask("state"))["values"]}

    async def quiet_state(self, timeout: float = 60.0) -> dict[Key, Any]:
        """The same, when nothing runs and changes any more."""
        loop = asyncio.get_running_loop()
        deadline, last = loop.time() + timeout, None
        while (now := await self.ask("state"))["values"] != last:
            if loop.time() > deadline:
                raise TimeoutError(f"the state: still changes after {timeout:g} s")
            last = now["values"]
            await asyncio.sleep(0.2)
        return {(id, property): value for id, property, value in now["values"]}

    def history(self) -> History:
        """What it noted so far, in all its lives."""
        return History(self.log)


class History:
    """The log of the app, by life: ``runs`` are the values that callbacks were called with, ``stores`` what it pushed.

    ``caused``: those of the runs that a change caused, and no startup.
    """

    def __init__(self, log: Path) -> None:
        self.runs: defaultdict[str, list[Any]] = defaultdict(list)
        self.caused: defaultdict[str, list[Any]] = defaultdict(list)
        self.stores: defaultdict[str, list[tuple[Key, int, Any]]] = defaultdict(list)
        for line in log.read_bytes().splitlines() if log.exists() else ():
            kind, life, *row = orjson.loads(line)
            if kind == "run":
                self.runs[life].append(row[0])
                if row[1]:
                    self.caused[life].append(row[0])
            else:
                id, property, seq, value = row
                self.stores[life].append(((id, property), seq, value))

    def all_runs(self) -> list[Any]:
        """What ran in any life."""
        return [value for runs in self.runs.values() for value in runs]

    def check(self, journal: Journal, lives: Mapping[str, str], *, complete: Iterable[str] = ()) -> None:
        """Hold what pages saw against it. ``lives``: the life of each epoch; ``complete``: epochs that ended in peace."""
        for epoch, life in lives.items():
            journal.check_order(epoch, self.stores[life])
        journal.check_runs({epoch: self.runs[life] for epoch, life in lives.items()}, complete=complete)
