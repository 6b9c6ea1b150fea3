"""State files to be damaged, and what comes of opening them: for the unit tests, and for `tests.attack`."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

from dash_devices.errors import ServerError
from dash_devices.generations import Generations
from dash_devices.statefile import VALUE, Row, RowKey

Values = dict[str, bytes]
ENDINGS = ("", "-wal", ".previous", ".lock")  # of the files of a state


def row(name: str) -> RowKey:
    """The key of a value."""
    return (VALUE, name, "value")


def values_of(rows: dict[RowKey, Row]) -> Values:
    """The values in them, by id."""
    return {name: row.body for (kind, name, _), row in rows.items() if kind == VALUE}


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """What a start found: values, what it tells of it, and whether it refused to start."""

    values: Values
    notes: str
    refused: str = ""


def opened(path: Path) -> Opened:
    """Open a state as a start does, and close it."""
    try:
        generations = Generations(path)
    except ServerError as error:
        return Opened({}, "", str(error))
    try:
        file = generations.open()
        values = values_of(file.take_rows())
        file.finish()
    except ServerError as error:
        return Opened({}, "", str(error))
    finally:
        generations.release()
    return Opened(values, " ".join(generations.notes))


class Sample:
    """The files of a small state, as a clean stop or a ``kill -9`` leaves them, in a folder of their own.

    Attributes:
        versions: the values after each commit, oldest first; all of them were acknowledged.
    """

    def __init__(self, folder: Path, *, crashed: bool, commits: int = 4) -> None:
        self.folder = folder
        self.versions: list[Values] = [{}]
        live = folder.with_name(folder.name + "-live")
        live.mkdir()
        generations = Generations(live / "state.db")
        file = generations.open()
        for number in range(commits):
            body = b'"%d %b"' % (number, b"x" * 40)
            file.write({row(f"c{number % 3}"): Row(body, number), row("all"): Row(b"%d" % number, number)})
            generations.acknowledge(file.commits)
            self.versions.append({**self.versions[-1], f"c{number % 3}": body, "all": b"%d" % number})
            if number == commits // 2:
                generations.keep(file)
        if not crashed:
            file.finish()
        shutil.copytree(live, folder)
        if crashed:
            file.close()
        generations.release()
        shutil.rmtree(live)

    @property
    def files(self) -> list[Path]:
        """The files there are."""
        return [path for ending in ENDINGS if (path := self.folder / f"state.db{ending}").exists()]

    def damaged(self, scratch: Path, file: Path, data: bytes) -> tuple[Opened, str]:
        """Open a copy in which one file holds this; what a start made of it, and what is wrong with that."""
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(self.folder, scratch)
        (scratch / file.name).write_bytes(data)
        found = opened(scratch / "state.db")
        return found, self.fault(found, scratch, file.name, data)

    def fault(self, found: Opened, scratch: Path, name: str, data: bytes) -> str:
        """What is wrong with a start; empty when nothing is."""
        if found.refused:
            return f"refused: {found.refused}"
        if not found.notes:
            return "" if found.values == self.versions[-1] else "old values, and nothing says so"
        if found.values not in self.versions:
            return "values that never were"
        if "kept as" in found.notes:
            kept = [path.read_bytes() for path in scratch.iterdir() if ".corrupt-" in path.name]
            return "" if data in kept else "the damaged file was not kept as it was"
        return ""


def flipped(data: bytes, step: int = 1) -> Iterator[tuple[str, bytes]]:
    """Each ``step``-th byte turned over, one at a time."""
    for place in range(0, len(data), step):
        changed = bytearray(data)
        changed[place] ^= 0xFF
        yield f"byte {place}", bytes(changed)


def cut_off(data: bytes, step: int = 1) -> Iterator[tuple[str, bytes]]:
    """Cut off after each ``step``-th byte."""
    for length in range(0, len(data), step):
        yield f"length {length}", data[:length]
