"""Guesses at passwords from one address and from many, and paths that are made up to fill caches."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter
from typing import Any

from werkzeug.security import generate_password_hash

from dash_devices import User

from ...gate.apps import PASSWORD, with_login
from ...soak.rows.common import on_loop
from ...soak.server import MIB, Server
from ...soak.table import Check, Context, at_most, exactly, quantile, told
from ...support import ServerThread
from ..raw import all_of, head, http_status, status_of

NEW_PAGE = 50.0  # ms
RIGHT = 303


def guesses(context: Context) -> list[Check]:
    """Guesses from 60 addresses at once, hashed as in earnest: who knows the password logs in, others are served."""
    app: Any = with_login(trusted_proxies=["127.0.0.1"])
    app.users.update({name: User(generate_password_hash(PASSWORD)) for name in ("ada", "grace")})
    with ServerThread(app) as server:
        return on_loop(_guesses(server.port, context.seconds(10, 2)))


async def _guesses(port: int, seconds: float) -> list[Check]:
    alone = await _alternate(port)
    end = asyncio.get_running_loop().time() + seconds
    crowd = [asyncio.create_task(_guess(port, f"198.51.100.{number}", end)) for number in range(60)]
    answers, times = Counter[int](), list[float]()
    number = 0
    while asyncio.get_running_loop().time() < end:
        number += 1
        answers[await _try(port, f"203.0.113.{number % 250}", "ada", PASSWORD)] += 1
        began = time.perf_counter()
        await http_status(port, "/_dash-devices/login", ("Host", f"127.0.0.1:{port}"))
        times.append((time.perf_counter() - began) * 1000)
    tried = sum(await asyncio.gather(*crowd), Counter[int]())
    return [
        at_most("guesses until 429, with logins of one's own between", alone, 5, "guesses", is_timed=False, digits=0),
        exactly(
            "right passwords from new addresses that are refused",
            answers.total() - answers[RIGHT],
            0,
            str(dict(answers)),
        ),
        at_most("the login page meanwhile, p99", quantile(times, 0.99), NEW_PAGE, "ms", n=len(times)),
        told("guesses", f"{tried.total()}, of these looked at {tried[401]}"),
    ]


async def _alternate(port: int) -> int:
    """How many guesses at ada's password one address has, whose owner logs in with his own between them."""
    for number in range(40):
        if await _try(port, "192.0.2.1", "ada", "x") == 429:
            return number
        await _try(port, "192.0.2.1", "grace", PASSWORD)
    return 40


async def _guess(port: int, address: str, end: float) -> Counter[int]:
    answers = Counter[int]()
    while asyncio.get_running_loop().time() < end:
        answers[await _try(port, address, "ada", "x")] += 1
        await asyncio.sleep(0.25)
    return answers


async def _try(port: int, address: str, name: str, password: str) -> int:
    body = f"name={name}&password={password.replace(' ', '+')}"
    headers = [("Host", f"127.0.0.1:{port}"), ("X-Forwarded-For", address), ("Connection", "close")]
    headers += [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(body)))]
    return await status_of(port, head("/_dash-devices/login", headers, "POST") + body.encode(), 30.0)


def caches(context: Context) -> list[Check]:
    """Made-up fingerprints of the largest file, and made-up pages: memory does not grow with them."""
    return on_loop(_caches(context.times(150, 30)))


async def _caches(count: int) -> list[Check]:
    async with Server() as server:
        await _ask_for(server.port, 8, "0")
        before = server.rss
        await _ask_for(server.port, count, "1")
        return [
            at_most(
                f"memory of {count} made-up paths of each kind", (server.rss - before) / MIB, 16, "MiB", is_timed=False
            )
        ]


async def _ask_for(port: int, count: int, mark: str) -> None:
    suites = "/_dash-component-suites/"
    paths = [f"{suites}plotly/package_data/plotly.v1m{mark}{number:x}.min.js" for number in range(count)]
    paths += [f"/page{mark}{number:x}{suites}x" for number in range(count)]
    headers = (("Host", f"127.0.0.1:{port}"), ("Accept-Encoding", "gzip"))
    await all_of([functools.partial(http_status, port, path, *headers) for path in paths], 4)
