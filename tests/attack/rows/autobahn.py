"""The Autobahn test suite against the transport of the push socket. It needs Python 2, so it is run where it is found."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from ...soak.server import ROOT
from ...soak.table import Check, Context, exactly, told
from ...support import answers, free_port, wait_for

COMMAND = "WSTEST"
"""Environment variable: how to call ``wstest``, as in ``WSTEST="python2 /opt/autobahn/bin/wstest"``."""

BINARY = ("1.2.*", "9.2.*", "9.4.*", "9.6.*", "9.8.*")  # closed with 1003, as PROTOCOL.md says
COMPRESSED = ("12.*", "13.*")  # never agreed to
LARGE = ("9.1.6", "9.3.*")  # 16 MiB in one message is just too much; a million fragments take minutes


def autobahn(context: Context) -> list[Check]:
    """The Autobahn test suite against the socket of ``app.run()``, with an echo behind it."""
    command = os.environ.get(COMMAND)
    if not command:
        return [told("Autobahn test suite", f"not tried: set {COMMAND} to the command of wstest (Python 2)")]
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.attack.echo_server", str(port)], cwd=ROOT)
    try:
        wait_for(lambda: answers(port), "the echo server", 30)
        return _judged(command, port)
    finally:
        server.kill()
        server.wait()


def _judged(command: str, port: int) -> list[Check]:
    with tempfile.TemporaryDirectory() as folder:
        spec = {
            "outdir": folder,
            "servers": [{"agent": "dash_devices", "url": f"ws://127.0.0.1:{port}/_dash-devices/socket"}],
            "cases": ["*"],
            "exclude-cases": [*BINARY, *COMPRESSED, *LARGE],
            "exclude-agent-cases": {},
        }
        path = Path(folder) / "spec.json"
        path.write_text(json.dumps(spec))
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment["PYTHONPATH"] = os.environ.get(f"{COMMAND}_PATH", "")
        subprocess.run(
            [*shlex.split(command), "-m", "fuzzingclient", "-s", str(path)],
            env=environment,
            capture_output=True,
            check=True,
        )
        index = json.loads((Path(folder) / "index.json").read_text())["dash_devices"]
    verdicts = Counter(case["behavior"] for case in index.values())
    failed = sorted(name for name, case in index.items() if "FAILED" in (case["behavior"], case["behaviorClose"]))
    return [
        exactly("FAILED cases", len(failed), detail=" ".join(failed[:8])),
        told("cases", ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))),
        told("left out", f"binary and compressed messages, which are not spoken here; {' '.join(LARGE)}"),
    ]
