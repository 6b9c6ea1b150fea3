"""HTTP compression through quart-compress, off the loop, and once for files whose name holds their hash."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

from quart import Quart, Response
from quart_compress import Compress


class ThreadedCompress(Compress):  # type: ignore[misc]
    """quart-compress off the loop, and once for files whose name holds their hash."""

    def __init__(self, server: Quart) -> None:
        server.config.setdefault("COMPRESS_CACHE_BACKEND", FingerprintCache)
        server.config.setdefault("COMPRESS_CACHE_KEY", fingerprint_key)
        types = ["text/html", "text/css", "text/xml", "application/json", "application/javascript", "text/javascript"]
        server.config.setdefault("COMPRESS_MIMETYPES", types)
        super().__init__(server)

    async def compress(self, app: Quart, response: Response) -> bytes:
        """The compressed body."""
        data = await response.get_data(as_text=False)
        return await asyncio.get_running_loop().run_in_executor(None, gzipped, data, app.config["COMPRESS_LEVEL"])


def gzipped(data: bytes, level: int) -> bytes:
    """Gzip without a time stamp: the same bytes every time."""
    return gzip.compress(data, level, mtime=0)


class FingerprintCache:
    """Keeps compressed files by their fingerprinted path; everything else has no key and is not kept."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, key: str | None) -> bytes | None:
        """What was kept under the key."""
        return self._kept.get(key) if key else None

    def set(self, key: str | None, value: bytes) -> None:
        """Keep it, if it has a key."""
        if key:
            self._kept[key] = value


def fingerprint_key(asked: Any) -> str | None:
    """The path of a component library's file, which holds version and time of the file; None for all others."""
    return asked.path if "/_dash-component-suites/" in asked.path else None
