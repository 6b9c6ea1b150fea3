"""The rows of the table: ``ROWS[name](context)`` gives the checks."""

from __future__ import annotations

from collections.abc import Callable

from ...soak.table import Check, Context
from .autobahn import autobahn
from .components import components
from .durable import bad_files, durable_speed, flips, kill9_durable
from .fuzz import fuzz
from .gate import cookies, crowd, origins, routes
from .guesses import caches, guesses
from .half_open import half_open
from .handshakes import handshakes
from .http import http
from .leaks import leaks
from .lines import lines
from .messages import bombs, flood
from .together import together
from .visitors import visitors
from .work import asking, worst
from .xss import xss

Row = Callable[[Context], list[Check]]
ROWS: dict[str, Row] = {
    row.__name__: row
    for row in (
        lines,
        origins,
        routes,
        handshakes,
        cookies,
        crowd,
        guesses,
        caches,
        together,
        half_open,
        http,
        leaks,
        xss,
        components,
        flood,
        bombs,
        asking,
        worst,
        visitors,
        kill9_durable,
        durable_speed,
        bad_files,
        flips,
        autobahn,
        fuzz,
    )
}
