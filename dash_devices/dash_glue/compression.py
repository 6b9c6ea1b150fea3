"""HTTP compression through quart-compress: in threads, and once for each file of a component library."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import threading
from collections import OrderedDict

from quart import Quart, Response
from quart_compress import Compress

SUITE_FILE = "dash_devices_file"
"""Attribute of a response whose body is a file of a component library: ``(package, path)``."""
MOST_BYTES = 32 * 2**20  # of compressed files that are kept; all that come with Dash have 4 MiB


class ThreadedCompress(Compress):  # type: ignore[misc]
    """quart-compress in threads; files of component libraries are kept.

    Its own cache is not used: its keys are made of the request, which is what a client wrote.
    """

    def __init__(self, server: Quart) -> None:
        types = ["text/html", "text/css", "text/xml", "application/json", "application/javascript", "text/javascript"]
        server.config.setdefault("COMPRESS_MIMETYPES", types)
        self.files = FileCache()
        super().__init__(server)

    async def compress(self, app: Quart, response: Response) -> bytes:
        """The compressed body."""
        data = await response.get_data(as_text=False)
        file, level = getattr(response, SUITE_FILE, None), app.config["COMPRESS_LEVEL"]
        loop = asyncio.get_running_loop()
        if file is None:
            return await loop.run_in_executor(None, gzipped, data, level)
        return await loop.run_in_executor(None, self.files.gzipped, file, data, level)


def gzipped(data: bytes, level: int) -> bytes:
    """Gzip without a time stamp: the same bytes every time."""
    return gzip.compress(data, level, mtime=0)


class FileCache:
    """Compressed files, in bounded memory; the one that was not asked for the longest goes first. For several threads.

    Args:
        most: bytes that are kept.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[bytes, bytes]] = OrderedDict()  # digest of the file, and packed

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(len(packed) for _, packed in self._kept.values())

    def gzipped(self, file: tuple[str, str], data: bytes, level: int) -> bytes:
        """The file compressed. What is kept is used only if the file had this content."""
        digest = hashlib.blake2b(data).digest()
        with self._lock:
            known = self._kept.get(file)
            if known is not None and known[0] == digest:
                self._kept.move_to_end(file)
                return known[1]
        packed = gzipped(data, level)
        with self._lock:
            self._kept.pop(file, None)
            self._kept[file] = digest, packed
            while self.size > self._most:
                self._kept.popitem(last=False)
        return packed
