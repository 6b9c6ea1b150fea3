"""The server under test, as somebody would write it: ``python -m tests.soak.app PORT``. Public API alone.

It answers on ``/soak/..`` to `tests.soak.server.Server`. Environment: ``SOAK_LOG`` names the file for what it ran and stored
(one JSON line each, written at once so that a ``kill -9`` loses none), ``SOAK_OPTIONS`` holds JSON keywords of ``Dash``,
``SOAK_AUTHENTICATE`` lets in only who shows the token; ``SOAK_EARLY`` pushes per second and thread that begin before the
server runs; ``SOAK_ROWS`` more components are in the layout.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import psutil
from quart import request

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from .names import CONTROLS, SHOWN, TOKEN

real_time, real_monotonic = time.time, time.monotonic
LIFE = f"{random.getrandbits(64):x}"  # so that no two lives of this server show the same

app = dash_devices.Dash(__name__, title="Soak", **json.loads(os.environ.get("SOAK_OPTIONS", "{}")))
app.layout = html.Div(
    [
        *(dcc.Input(id=f"c{i}", value="", debounce=False) for i in range(CONTROLS)),
        *(html.Div(id=f"e{i}") for i in range(CONTROLS)),
        *(html.Div(id=f"p{i}") for i in range(SHOWN)),
        *(dcc.Input(id=id, value="") for id in ("sleep", "driver")),
        *(html.Div(id=id) for id in ("slept", "driven", "life", "stamp", "blob")),
        dcc.Dropdown(["red", "green", "blue"], id="menu"),
        dcc.Textarea(id="notes"),
        dcc.Input(id="ask", value=""),
        html.Div(id="asked"),
        *(html.Div(f"row {i}", id=f"row{i}") for i in range(int(os.environ.get("SOAK_ROWS", "0")))),
        html.Div(style={"height": "3000px"}),
    ],
    id="page",
)
KEYS = [
    *((f"c{i}", "value") for i in range(CONTROLS)),
    *((f"e{i}", "children") for i in range(CONTROLS)),
    *((f"p{i}", "children") for i in range(SHOWN)),
    *((id, "children") for id in ("life", "stamp", "blob")),
]
MAY_CHANGE: dict[str, Any] = {}
if os.environ.get("SOAK_AUTHENTICATE"):
    MAY_CHANGE = {"allow": "operator"}

    @app.authenticate
    async def who(request: dash_devices.AuthRequest) -> dash_devices.Identity | None:
        """Scripts show their token in a header, browsers in a cookie."""
        shown = request.headers.get("authorization"), request.cookies.get("token")
        return (
            dash_devices.Identity("soak", roles=["operator"]) if f"Bearer {TOKEN}" in shown or TOKEN in shown else None
        )


log = os.open(os.environ.get("SOAK_LOG", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note(*row: Any) -> None:
    """Append one line to the log; it survives whatever happens to this process."""
    os.write(log, orjson.dumps(row) + b"\n")


def echo(number: int) -> None:
    """A control whose callback notes what it ran; odd ones are coroutines."""

    def run(value: str) -> str:
        if value:
            note("run", LIFE, value, bool(dash_devices.ctx.triggered))
        return value

    async def run_async(value: str) -> str:
        return run(value)

    inputs = [Input(f"c{number}", "value")]
    listens = app.callback_shared(Output(f"e{number}", "children"), inputs, **MAY_CHANGE)
    listens(run_async if number % 2 else run)


for number in range(CONTROLS):
    echo(number)


@app.callback_shared(Output("slept", "children"), [Input("sleep", "value")])
def sleeps_ten_seconds(value: str) -> str:
    """A slow callback."""
    if value:
        time.sleep(float(value))
    return value


@app.callback_shared(Output("driven", "children"), [Input("driver", "value")])
def hangs_in_its_driver(value: str) -> str:
    """A device that never answers."""
    if value:
        threading.Event().wait()
    return value


@app.callback(Output("asked", "children"), [Input("ask", "value")], prevent_initial_call=True)
def answers(value: Any) -> str:
    """A regular callback: quick, slow, or broken, as it is asked."""
    if value == "slow":
        time.sleep(3)
    if value == "broken":
        raise RuntimeError("it was asked to fail")
    return f"{value!s:.100}"


class Pushers:
    """Threads that push to the shown properties, ``rate`` a second each, until they are told to end."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.threads: list[threading.Thread] = []
        self.counts: Counter[int] = Counter()

    def start(self, threads: int, rate: float, each: int = 0, quiet: bool = False) -> None:
        self.ended.clear()
        self.threads = [
            threading.Thread(target=self.run, args=(number, rate, each, quiet), daemon=True)
            for number in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, number: int, rate: float, each: int, quiet: bool) -> None:
        begin, count = real_monotonic(), 0
        while not self.ended.is_set() and (not each or count < each):
            id, value = f"p{(7 * number + count) % SHOWN}", f"{LIFE} {number} {count}"  # all threads, all properties
            seq = app.push_mods({id: {"children": value}})
            if not quiet:
                note("store", LIFE, id, "children", seq, value)
            count += 1
            self.counts[number] = count
            early = begin + count / rate - real_monotonic()
            if early > 0.001:
                self.ended.wait(early)

    def stop(self) -> int:
        self.ended.set()
        for thread in self.threads:
            thread.join()
        return sum(self.counts.values())


pushers = Pushers()


def shift(seconds: float) -> None:
    """Move the clocks of this process on. What asks them in Python sees it; the event loop's timers have their own clock."""
    time.time = lambda: real_time() + seconds
    time.monotonic = lambda: real_monotonic() + seconds


class Gauge:
    """How long the event loop was held at most, and how much memory the process had at most, since it was last read."""

    def __init__(self) -> None:
        self.held = 0.0
        self.task: asyncio.Task[None] | None = None

    async def watch(self) -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.002)
            self.held = max(self.held, time.thread_time() - began)  # of this thread: the machine may be busy

    def read(self) -> dict[str, Any]:
        self.task = self.task or asyncio.get_running_loop().create_task(self.watch())
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        highest, now = (int(status[name].split()[0]) * 1024 for name in ("VmHWM", "VmRSS"))
        Path("/proc/self/clear_refs").write_text("5")  # the highest begins again at what it has now
        held, self.held = self.held, 0.0
        return {"held": held, "highest": highest, "now": now}


gauge = Gauge()


def census() -> dict[str, Any]:
    """What this process holds on to."""
    gc.collect()
    kinds = Counter(
        type(thing).__name__ for thing in gc.get_objects() if str(type(thing).__module__).startswith("dash_devices")
    )
    process = psutil.Process()
    return {
        "tasks": len(asyncio.all_tasks()),
        "files": process.num_fds(),
        "threads": threading.active_count(),
        "objects": sum(kinds.values()),
        "kinds": dict(kinds.most_common(20)),
        "rss": process.memory_info().rss,
        "clients": len(app.clients),
    }


def state() -> dict[str, Any]:
    """The values of all shared properties, and the metrics."""
    return {"values": [[*key, app.get(*key)] for key in KEYS], "metrics": app.metrics, "pushes": dict(pushers.counts)}


async def command(name: str) -> Any:
    """What ``/soak/<name>?argument=value`` does."""
    arguments = {key: json.loads(value) for key, value in request.args.items()}
    if name == "push":
        app.push_mods({arguments["id"]: {arguments.get("property", "children"): arguments["value"]}})
    elif name == "blob":
        app.push_mods({"blob": {"children": [random.random() for _ in range(arguments["size"] // 20)]}})
    elif name == "start":
        pushers.start(**arguments)
    elif name == "stop":
        return {"pushes": await asyncio.to_thread(pushers.stop)}
    elif name == "alive":
        return {"alive": sum(thread.is_alive() for thread in pushers.threads)}
    elif name == "shift":
        shift(**arguments)
    elif name == "gauge":
        return gauge.read()
    elif name == "stamps":
        keep(asyncio.get_running_loop().create_task(stamp(**arguments)))
    else:
        return census() if name == "census" else state()
    return {}


async def stamp(rate: float, seconds: float) -> None:
    """Push the clock that all processes of this machine share, for those who measure when it arrives."""
    begin = asyncio.get_running_loop().time()
    for number in range(int(rate * seconds)):
        app.push_mods({"stamp": {"children": time.perf_counter_ns()}})
        await asyncio.sleep(max(0.0, begin + (number + 1) / rate - asyncio.get_running_loop().time()))


background: set[asyncio.Task[None]] = set()


def keep(task: asyncio.Task[None]) -> None:
    """A task lives as long as somebody holds it."""
    background.add(task)
    task.add_done_callback(background.discard)


app.server.add_url_rule("/soak/<name>", "soak", command)
app.push_mods({"life": {"children": LIFE}})

if __name__ == "__main__":
    if early := float(os.environ.get("SOAK_EARLY", "0")):
        pushers.start(8, early, quiet=True)
    app.run(port=int(sys.argv[1]))
    pushers.stop()
