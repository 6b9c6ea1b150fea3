"""Files of component libraries, read as they are sent: a slow reader holds one part of a file in memory, not all of it.

Leans on (Dash 4.4.1): ``QuartDashServer.serve_component_suites``; (Quart 0.22): ``ResponseBody``.
"""

from __future__ import annotations

import mimetypes
import os
import sys
from typing import Any, BinaryIO, Self, cast

from dash import _validate
from dash.backends._quart import QuartDashServer
from dash.fingerprint import check_fingerprint
from quart import Response
from quart.wrappers.response import ResponseBody

from .compression import SUITE_FILE

BUFFER = 32_768  # bytes read at once
YEAR = 31_536_000  # s


class SuiteFile(ResponseBody):
    """A file as the body of an answer. Quart's own reads in threads, and leaves the file open where a client leaves."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> Self:
        self._file = open(self.path, "rb")  # noqa: ASYNC230, SIM115 - closed at the exit; a part is read in microseconds
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._file is not None:
            self._file.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        data = self._file.read(BUFFER) if self._file is not None else b""
        if not data:
            raise StopAsyncIteration
        return data


class StreamedSuites(QuartDashServer):
    """Dash's Quart backend, with files of component libraries streamed."""

    def serve_component_suites(self, dash_app: Any, package_name: str, fingerprinted_path: str) -> Response:
        """One file. The answer says which one it is: many paths lead to each, by their fingerprints."""
        path, has_fingerprint = check_fingerprint(fingerprinted_path)
        response = self._file(dash_app, package_name, path, has_fingerprint) or super().serve_component_suites(
            dash_app, package_name, fingerprinted_path
        )
        setattr(response, SUITE_FILE, (package_name, path))
        return cast(Response, response)

    @staticmethod
    def _file(dash_app: Any, package_name: str, path: str, has_fingerprint: bool) -> Response | None:
        """None for what lies in an archive: Dash reads it at once."""
        _validate.validate_js_path(dash_app.registered_paths, package_name, path)
        origin = sys.modules[package_name].__file__
        file = os.path.join(os.path.dirname(origin or ""), *path.split("/"))
        if not os.path.isfile(file):
            return None
        kind = mimetypes.types_map.get(os.path.splitext(path)[1], "application/octet-stream")
        headers = {"Content-Length": str(os.path.getsize(file))}
        if has_fingerprint:
            headers["Cache-Control"] = f"public, max-age={YEAR}"
        return Response(SuiteFile(file), content_type=kind, headers=headers)
