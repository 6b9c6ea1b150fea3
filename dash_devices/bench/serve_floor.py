"""The floor: the least that can carry a slider's value to a server and its answer into a page.

Run as a script by the bench, in a process that imports neither Dash nor this package: ``python serve_floor.py PORT``.
A line ``push`` on standard input broadcasts one stamped message; the end of standard input ends the process.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

PAGE = b"""<!doctype html><meta charset="utf-8"><title>floor</title>
<input id="power" type="range" min="0" max="100" value="40"><div id="reading"></div>
<script>
const power = document.getElementById("power"), reading = document.getElementById("reading");
const socket = new WebSocket(`ws://${location.host}/socket`);
socket.onopen = () => socket.send(power.value);
socket.onmessage = (event) => { reading.textContent = event.data; };
power.oninput = () => socket.send(power.value);
// A synthetic key does not move a native control, so the page moves it as the browser would.
power.onkeydown = (event) => {
  if (event.key === "ArrowRight") power.stepUp(); else power.stepDown();
  power.dispatchEvent(new Event("input"));
};
</script>"""

# Cross-origin isolation gives the page a clock of 5 us instead of 100 us.
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Connection": "close",
}


def page(connection: ServerConnection, request: Request) -> Response | None:
    """Answer anything that is not the socket with the page."""
    if request.path == "/socket":
        return None
    headers = Headers({**HEADERS, "Content-Length": str(len(PAGE))})
    return Response(HTTPStatus.OK.value, HTTPStatus.OK.phrase, headers, PAGE)


async def echo(connection: ServerConnection) -> None:
    """Answer each value with the text that the page shows."""
    async for value in connection:
        await connection.send(f"{value!s} W")


async def main(port: int) -> None:
    """Serve on 127.0.0.1 until standard input ends."""
    async with serve(echo, "127.0.0.1", port, process_request=page, compression=None, backlog=2048) as server:
        loop = asyncio.get_running_loop()

        def push() -> None:
            stamp = time.monotonic_ns()
            loop.call_soon_threadsafe(lambda: broadcast(server.connections, f'["reading","children","@{stamp}@"]'))

        threading.Thread(target=obey, args=(push,), daemon=True).start()
        await server.serve_forever()


def obey(push: Callable[[], None]) -> None:
    """Call ``push`` for each line on standard input and end the process with it."""
    for _ in sys.stdin:
        push()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
