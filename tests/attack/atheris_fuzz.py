"""Coverage-guided fuzzing: ``python -m tests.attack.atheris_fuzz SECONDS FOLDER``. Needs ``pip install atheris``.

New inputs go to FOLDER; beside it, in FOLDER.json, stands how it goes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dash_devices"]):
    from .fuzzing import CORPUS, Target


EACH = 100


def main() -> None:
    """Fuzz until the time is over, or something is raised."""
    seconds, folder = float(sys.argv[1]), Path(sys.argv[2])
    report, target = folder.with_suffix(".json"), Target()

    def one(data: bytes) -> None:
        target(data)
        if target.count % EACH == 0:  # libFuzzer leaves by _exit, past every finally
            report.write_text(json.dumps({"count": target.count, "longest": target.longest}))
        if target.uncaught:
            raise RuntimeError(target.uncaught[-1])

    arguments = [
        f"-max_total_time={int(seconds)}",
        "-max_len=4096",
        "-timeout=5",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *arguments, str(folder), str(CORPUS)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
