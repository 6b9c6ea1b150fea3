"""``python -m tests.attack.holders PORT COUNT``: keeps so many half-open handshakes, and begins those again that are cut.

A process of its own, so that what it takes is not measured at the probe. At its end (SIGTERM) it prints how many it began.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

from dash_devices.protocol import PATH

BEGINNINGS = [
    b"",
    b"GET",
    f"GET /{PATH} HTTP/1.1\r\nHost: 127".encode(),
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 4_000,
    b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


class Holders:
    """The lines. ``begun`` and ``cut``: how many."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.begun = 0
        self.cut = 0

    async def hold(self, number: int) -> None:
        """Keep one line; begin another when it is cut."""
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    self.begun += 1
                    writer.write(BEGINNINGS[number % len(BEGINNINGS)])
                    await reader.read()
                    self.cut += 1
                finally:
                    writer.close()


async def main(port: int, count: int) -> None:
    """Until SIGTERM."""
    holders, stop = Holders(port), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = [asyncio.create_task(holders.hold(number)) for number in range(count)]
    await stop.wait()
    print(f"{holders.begun} begun, {holders.cut} cut by the server")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
