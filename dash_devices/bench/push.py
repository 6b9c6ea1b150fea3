"""Pushes: from the call in a thread of the server to the bytes at raw clients on the same machine."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import selectors
import time
from typing import Final

from ..protocol import PATH
from .child import Child, serve
from .errors import BenchError
from .progress import Progress
from .rawclient import TIMEOUT, RawClient
from .roundtrip import rotated

STAMP: Final = re.compile(rb"@(\d+)@")  # time.monotonic_ns() right before the call; one clock for all processes
SYSTEMS: Final = {"floor": "floor: websockets.broadcast", "shared-async": "ours: push_mods"}
WARMUP: Final = 20


@dataclasses.dataclass(frozen=True, slots=True)
class PushRun:
    """ms from the call until the last of ``clients`` clients had the bytes, for each push."""

    system: str
    clients: int
    times: list[float]


def run(counts: list[int], rounds: int, pushes: int) -> list[PushRun]:
    """Measure floor and ours in turn for each number of clients."""
    turns = [(s, c) for number in range(rounds) for c in counts for s in rotated(list(SYSTEMS), number)]
    progress = Progress(len(turns))
    runs = []
    for system, clients in turns:
        progress.step(f"{SYSTEMS[system]} to {clients}")
        runs.append(run_one(system, clients, pushes))
    progress.close()
    return runs


def run_one(system: str, clients: int, pushes: int) -> PushRun:
    """Measure one system in a fresh server; the next push waits until all have the last one."""
    with contextlib.ExitStack() as stack:
        child = stack.enter_context(serve(system, "bare"))
        connected = [connect(stack, child, system) for _ in range(clients)]
        watcher = stack.enter_context(selectors.DefaultSelector())
        for client in connected:
            watcher.register(client.socket, selectors.EVENT_READ, client)
        times = [push_once(child, watcher, clients) for _ in range(WARMUP + pushes)]
    return PushRun(system, clients, times[WARMUP:])


def connect(stack: contextlib.ExitStack, child: Child, system: str) -> RawClient:
    """A client that has joined and is closed with the stack."""
    path = "/socket" if system == "floor" else f"/{PATH}"
    client = stack.enter_context(contextlib.closing(RawClient(child.port, path)))
    if system != "floor":
        client.join()
    return client


def push_once(child: Child, watcher: selectors.BaseSelector, clients: int) -> float:
    """Let the server push once; ms until the last client has it."""
    asked, waiting, last, stamp = time.monotonic_ns(), clients, 0, 0
    child.push()
    while waiting:
        ready = watcher.select(TIMEOUT)
        if not ready:
            raise BenchError(f"push: expected it at {clients} clients, got none at {waiting} after {TIMEOUT} s")
        for key, _ in ready:
            for found in map(STAMP.search, key.data.receive()):
                if found and int(found[1]) > asked:  # nothing older counts: neither a repeat nor a snapshot
                    waiting, last, stamp = waiting - 1, time.monotonic_ns(), int(found[1])
    for key in watcher.get_map().values():
        key.data.settle()
    return (last - stamp) / 1e6
