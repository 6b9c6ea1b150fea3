"""A server with durable state and one page that changes a control: ``python -m tests.attack.disk_user FILE``.

Run by `tests.attack.rows.durable` with a disk that fails at one moment. Prints what the page was told, one line each.
"""

from __future__ import annotations

import logging
import sys
import time

from dash_devices.errors import ServerError

from ..durable.support import make_app
from ..support import Raw, ServerThread

CHANGES = 5
PATIENCE = 20.0  # s that a refused change is made again


def use(state: str) -> None:
    """Change a control until each change was acknowledged; a refusal is an answer too."""
    with ServerThread(make_app(state=state)) as server, Raw(server.url) as page:
        page.join()
        until = time.monotonic() + PATIENCE
        number = 0
        while number < CHANGES and time.monotonic() < until:
            n = page.change("a", "value", f"new {number}")
            answer = page.receive()
            while answer.get("n") != n:
                answer = page.receive()
            print(answer["type"], number, flush=True)
            if answer["type"] == "ack":
                number += 1
            else:
                time.sleep(0.2)  # not for the server: so that a disk in trouble is not asked without end


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    try:
        use(sys.argv[1])
        print("end", flush=True)
    except ServerError as error:
        print("refused", error, flush=True)
