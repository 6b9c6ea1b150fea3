"""What this machine says about itself, read through psutil. Knows nothing of Dash."""

from __future__ import annotations

import collections
import dataclasses
import platform
import time
from collections.abc import Callable
from typing import Any, Final

import psutil  # type: ignore[import-untyped,unused-ignore]

SPAN: Final = 0.5
"""Seconds over which rates are taken: the kernel counts in steps of 10 ms, so a shorter span is only noise."""
SLOW: Final = 1.0
"""Seconds between two looks at what is slow to read and slow to change."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One look at the machine.

    Attributes:
        at: epoch seconds.
        cores: per core, percent of the time that it was busy.
        memory, swap, disk: percent used; ``disk`` is the one this program runs from.
        load: processes that want to run, mean of the last minute.
        down, up, loopback: bytes per second received, sent, and sent from the machine to itself.
        processes: how many there are.
        temperature: degrees Celsius of the hottest sensor; None where there is none.
    """

    at: float
    cores: tuple[float, ...]
    memory: float
    swap: float
    disk: float
    load: float
    down: float
    up: float
    loopback: float
    processes: int
    temperature: float | None

    @property
    def processor(self) -> float:
        """Mean of all cores, percent."""
        return sum(self.cores) / len(self.cores)


class Slope:
    """The rate per second of a growing counter, over the last `SPAN` seconds."""

    def __init__(self) -> None:
        self._seen: collections.deque[tuple[float, float]] = collections.deque()

    def add(self, at: float, value: float) -> float:
        """Take in the counter at a time in seconds; return its rate, 0 for the first."""
        self._seen.append((at, value))
        while len(self._seen) > 2 and self._seen[1][0] <= at - SPAN:
            self._seen.popleft()
        then, before = self._seen[0]
        return max(0.0, value - before) / (at - then) if at > then else 0.0


class Slopes:
    """Several `Slope`s by name, made when a name is first seen: cores and network cards come and go."""

    def __init__(self) -> None:
        self._slopes: dict[str, Slope] = collections.defaultdict(Slope)

    def add(self, at: float, name: str, value: float) -> float:
        """`Slope.add` of the one with this name."""
        return self._slopes[name].add(at, value)


class Machine:
    """The sensors of this machine. To be used from one thread at a time."""

    def __init__(self) -> None:
        self._slopes = Slopes()
        self._slow_at = float("-inf")
        self._slow: tuple[float, int, float | None] = (0.0, 0, None)

    def read(self) -> Reading:
        """Look at everything once; takes about a millisecond."""
        now = time.monotonic()
        disk, processes, temperature = self._slow_values(now)
        down, up, loopback = self._network(now)
        return Reading(
            at=time.time(),
            cores=self._cores(now),
            memory=psutil.virtual_memory().percent,
            swap=psutil.swap_memory().percent,
            disk=disk,
            load=psutil.getloadavg()[0],
            down=down,
            up=up,
            loopback=loopback,
            processes=processes,
            temperature=temperature,
        )

    def _cores(self, now: float) -> tuple[float, ...]:
        times = enumerate(psutil.cpu_times(percpu=True))
        return tuple(min(100.0, 100 * self._slopes.add(now, f"core {i}", _busy(core))) for i, core in times)

    def _network(self, now: float) -> tuple[float, float, float]:
        down, up, loopback = 0, 0, 0
        for name, card in psutil.net_io_counters(pernic=True).items():
            if name.startswith("lo"):
                loopback += card.bytes_sent
            else:
                down, up = down + card.bytes_recv, up + card.bytes_sent
        add = self._slopes.add
        return add(now, "down", down), add(now, "up", up), add(now, "loopback", loopback)

    def _slow_values(self, now: float) -> tuple[float, int, float | None]:
        if now - self._slow_at >= SLOW:
            self._slow_at = now
            self._slow = (psutil.disk_usage(".").percent, len(psutil.pids()), hottest())
        return self._slow


def _busy(core: Any) -> float:
    """Seconds that a core was busy since the machine started. Guests are counted in ``user`` already."""
    idle = ("idle", "iowait", "guest", "guest_nice")
    return float(sum(core) - sum(getattr(core, name, 0.0) for name in idle))


def hottest() -> float | None:
    """Degrees Celsius of the hottest sensor; None where the machine or its system shows none."""
    read: Callable[[], dict[str, list[Any]]] = getattr(psutil, "sensors_temperatures", dict)
    values = [sensor.current for chip in read().values() for sensor in chip if sensor.current]
    return max(values, default=None)


def core_count() -> int:
    """How many cores a `Reading` has."""
    return len(psutil.cpu_times(percpu=True))


def facts() -> dict[str, str]:
    """What does not change while the program runs, in words, by name."""
    memory, disk = psutil.virtual_memory().total, psutil.disk_usage(".").total
    return {
        "Host": platform.node(),
        "System": f"{platform.system()} {platform.release()}",
        "Architecture": platform.machine(),
        "Processor": processor_name(),
        "Cores": f"{core_count()} logical, {psutil.cpu_count(logical=False) or core_count()} physical",
        "Memory": f"{memory / 2**30:.1f} GiB",
        "Swap": f"{psutil.swap_memory().total / 2**30:.1f} GiB",
        "Disk": f"{disk / 1e9:.0f} GB",
        "Network": ", ".join(sorted(psutil.net_if_addrs())),
        "Running since": time.strftime("%d %B %Y, %H:%M", time.localtime(psutil.boot_time())),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "psutil": psutil.__version__,
    }


def processor_name() -> str:
    """The model of the processor in the maker's words, else the architecture."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    except OSError:  # not Linux
        names = []
    return next(filter(None, names), platform.processor() or platform.machine())
