"""Files of component libraries, read as they are sent: a slow reader holds one part of a file in memory, not all of it.

Leans on (Dash 4.4.1): ``QuartDashServer.serve_component_suites``; (Quart 0.22): ``FileBody``.
"""

from __future__ import annotations

import mimetypes
import os
import sys
from typing import Any, cast

from dash import _validate
from dash.backends._quart import QuartDashServer
from dash.fingerprint import check_fingerprint
from quart import Response
from quart.wrappers.response import FileBody

from .compression import SUITE_FILE

BUFFER = 65_536  # bytes read at once: Quart's 8 KiB take a thread's turn each
YEAR = 31_536_000  # s


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
        body = FileBody(file, buffer_size=BUFFER)
        headers = {"Content-Length": str(body.size)}
        if has_fingerprint:
            headers["Cache-Control"] = f"public, max-age={YEAR}"
        return Response(body, content_type=kind, headers=headers)
