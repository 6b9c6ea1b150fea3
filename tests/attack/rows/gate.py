"""Who gets in: names and origins, routes, cookies, crowds. What the gate refuses, and what it must not."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Iterator
from typing import Any

from websockets.asyncio.client import connect

from dash_devices.protocol import PATH

from ...gate.apps import TOKEN, ask, forged, log_in, make_app, with_login
from ...gate.table import OPTIONS, Case, cases
from ...soak.rows.common import on_loop
from ...soak.server import Server
from ...soak.swarm import until
from ...soak.table import Check, Context, exactly, told
from ...support import ServerThread
from ..raw import all_of, http_status, socket_status

REFUSED = (400, 401, 403)


# ---- origins ------------------------------------------------------------------------------------------------------------
def origins(context: Context) -> list[Check]:
    """A table of Origins and Hosts: suffix, prefix, case, port, userinfo, IPv6, punycode, dots, ``null``, rebinding."""
    return on_loop(_origins())


async def _origins() -> list[Check]:
    async with Server(options=OPTIONS) as server:
        table = [case.at(server.port) for case in cases()]
        rows = await all_of([functools.partial(_try, server.port, case) for case in table])
        pages = {(case.host, case.origin) for case in table}
    wrong = [(case, kind, status) for case, row in zip(table, rows, strict=True) for kind, status in row]
    accepted = [each for each in wrong if each[2] not in REFUSED]
    refused = [each for each in wrong if each[2] in REFUSED]
    return [
        exactly("false accepts", len(accepted), detail=_words(accepted)),
        exactly("false refusals", len(refused), detail=_words(refused)),
        told(
            "tried", f"{len(pages)} pairs of Host and Origin, each as socket, POST and GET: {3 * len(table)} requests"
        ),
    ]


async def _try(port: int, case: Case) -> list[tuple[str, int]]:
    """What is wrong with the answers to one row: ``(kind, status)``."""
    headers = [("Host", case.host)]
    headers += [("Origin", case.origin)] if case.origin is not None else []
    headers += [("Cookie", "a=b")] if case.cookie else []
    post = ("Content-Type", "application/json")
    answers = {
        "socket": (await socket_status(port, *headers), 101, case.may_open),
        "POST": (await http_status(port, "/_dash-dependencies", *headers, post, method="POST"), 405, case.may_open),
        "GET": (await http_status(port, "/_dash-dependencies", *headers), 200, case.may_read),
    }
    return [
        (kind, got)
        for kind, (got, good, may) in answers.items()
        if (got == good) is not may or (not may and got not in REFUSED)
    ]


def _words(wrong: list[tuple[Case, str, int]]) -> str:
    return "; ".join(f"{kind} {case.host!r} {case.origin!r}: {status}" for case, kind, status in wrong[:3])


# ---- routes -------------------------------------------------------------------------------------------------------------
LISTED = {
    "/",
    "/<path:path>",
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
    "/_dash-dependencies",
    "/_dash-devices/cookie/<nonce>",
    "/_dash-devices/metrics",
    "/_dash-layout",
    "/_dash-update-component",
    "/_favicon.ico",
    "/_reload-hash",
    "/assets/<path:filename>",
    "/static/<path:filename>",
    "/own",  # of the author, in `tests.gate.apps`
    "/view",
}
"""Every route that the server has. A new one is put here when somebody has seen that it may be reached after a login."""


def routes(context: Context) -> list[Check]:
    """Every route and socket of the running app, without a login: refused before anything is touched."""
    app: Any = with_login()
    called: list[str] = []
    with ServerThread(app) as server:
        assert ask(server, "/").status == 401
        rules = list(app.server.url_map.iter_rules())
        for name, view in app.server.view_functions.items():
            app.server.view_functions[name] = _noting(called, name, view)
        answers = on_loop_result(_routes(server.port, rules))
        seen = [len(app.clients), len(list(app._hub.sessions)), len(app.gate.places)]
        checks = [
            exactly(
                "routes that nobody has listed", len({str(rule) for rule in rules} - LISTED), detail=_unlisted(rules)
            ),
            exactly(
                "answers other than 401 without a login",
                sum(status != 401 for _, status in answers),
                detail=_odd(answers),
            ),
            exactly("views, callbacks, clients, places that were touched", len(called) + len(app.touched) + sum(seen)),
            exactly("refusals that were not counted", len(answers) - app.metrics["refused_login"] + 1),
            told("tried", f"{len(answers)} requests to {len(rules)} routes and the socket"),
        ]
        cookie = log_in(server).cookie
        let_in = [ask(server, path, Cookie=cookie).status for path in ("/", "/_dash-layout", "/view")]
    return [*checks, exactly("pages that a login does not open", sum(status != 200 for status in let_in))]


def on_loop_result(coroutine: Any) -> Any:
    """Run something on a loop of its own."""
    with asyncio.Runner() as runner:
        return runner.run(coroutine)


def _noting(called: list[str], name: str, view: Any) -> Any:
    @functools.wraps(view)
    async def noting(*args: Any, **kwargs: Any) -> Any:
        called.append(name)
        return await view(*args, **kwargs)

    return noting


async def _routes(port: int, rules: list[Any]) -> list[tuple[str, int]]:
    host = ("Host", f"127.0.0.1:{port}")
    tried: list[tuple[str, int]] = []
    for what, path, method in _requests(rules):
        if method == "SOCKET":
            tried.append((what, await socket_status(port, host, path=path)))
        else:
            json = ("Content-Type", "application/json")
            tried.append((what, await http_status(port, path, host, json, method=method)))
    return tried


def _requests(rules: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Each route with each of its methods and some that it has not; sockets; and addresses beside them."""
    for rule in rules:
        path = "".join("x" if is_dynamic else part for is_dynamic, part in _parts(str(rule)))
        methods = ["SOCKET"] if rule.websocket else sorted({*rule.methods, "PUT", "DELETE", "PATCH", "BREW"})
        for method in methods:
            yield f"{method} {rule}", path, method
    for path in (f"/{PATH}", f"/{PATH}?token={TOKEN.replace(' ', '+')}", "/own", "/nowhere"):
        yield f"socket {path}", path, "SOCKET"
    for path in (
        "/nowhere",
        "//",
        "/./",
        "/%2e%2e/",
        "/_dash-devices/login/",
        "/_dash-devices/login%2f..",
        "/_dash-devices/Login",
    ):
        yield path, path, "GET"


def _parts(rule: str) -> Iterator[tuple[bool, str]]:
    for piece in rule.split("<"):
        name, end, rest = piece.partition(">")
        yield from ((True, name), (False, rest)) if end else ((False, name),)


def _unlisted(rules: list[Any]) -> str:
    return ", ".join(sorted({str(rule) for rule in rules} - LISTED))


def _odd(answers: list[tuple[str, int]]) -> str:
    return "; ".join(f"{what}: {status}" for what, status in answers if status != 401)[:200]


# ---- cookies ------------------------------------------------------------------------------------------------------------
def cookies(context: Context) -> list[Check]:
    """Expired, revoked, tampered, another app's, ``alg=none``: each over HTTP, as a page, and for the socket."""
    with ServerThread(with_login()) as server, ServerThread(with_login()) as other:
        good = log_in(server).cookie
        name = good.partition("=")[0]
        bad = forged(good)
        bad["of another app"] = f"{name}={log_in(other).cookie.partition('=')[2]}"
        bad["revoked"] = log_in(server, "grace").cookie
        server.app.revoke("grace")
        bad["logged out"] = log_in(server).cookie
        ask(server, "/_dash-devices/logout", "POST", "", Cookie=bad["logged out"], Origin=server.url)
        bad["of nobody"] = log_in(server, "grace").cookie
        del server.app.users["grace"]
        answers = on_loop_result(_cookies(server, {**bad, "good": good}))
        server.app.gate.login.users.seconds = -1
        answers["expired"] = on_loop_result(_cookies(server, {"expired": good}))["expired"]
    goods = answers.pop("good")
    wrong = [f"{kind}: {got}" for kind, got in answers.items() if got != [401, 303, 401]]
    return [
        exactly(
            "bad cookies that are not refused (401; a page: to the login; the socket: 401)",
            len(wrong),
            detail="; ".join(wrong)[:200],
        ),
        exactly("good cookies that are refused", int(goods != [200, 200, 101])),
        exactly("callbacks that ran for them", len(server.app.touched)),
        told("tried", ", ".join(answers)),
    ]


async def _cookies(server: Any, cookies: dict[str, str]) -> dict[str, list[int]]:
    host, origin = ("Host", f"127.0.0.1:{server.port}"), ("Origin", server.url)
    found = {}
    for kind, text in cookies.items():
        cookie = ("Cookie", text)
        found[kind] = [
            await http_status(server.port, "/_dash-layout", host, cookie),
            await http_status(server.port, "/", host, cookie, ("Accept", "text/html")),
            await socket_status(server.port, host, origin, cookie),
        ]
    return found


# ---- too many -----------------------------------------------------------------------------------------------------------
def crowd(context: Context) -> list[Check]:
    """5,000 sockets from one address: 64 are let in, the rest gets 503, others are let in as before."""
    count = context.times(5_000, 500)
    with ServerThread(make_app(trusted_proxies=["127.0.0.1"])) as server:
        return on_loop(_crowd(server, count))


async def _crowd(server: Any, count: int) -> list[Check]:
    url = f"ws://127.0.0.1:{server.port}/{PATH}"
    front = {"X-Forwarded-For": "203.0.113.9"}
    lines = [await connect(url, proxy=None, additional_headers=front) for _ in range(64)]
    host, same = ("Host", f"127.0.0.1:{server.port}"), ("X-Forwarded-For", "203.0.113.9")
    jobs = [functools.partial(socket_status, server.port, host, same) for _ in range(count - 64)]
    answers = Counter(await all_of(jobs, 32))
    other = await socket_status(server.port, host, ("X-Forwarded-For", "203.0.113.10"))
    for line in lines:
        await line.close()
    await until(lambda: not len(server.app.gate.places), 10, "the places")
    return [
        exactly("sockets over 64 that get 503", answers[503], count - 64, str(dict(answers))),
        exactly("another address meanwhile", other, 101),
        exactly("the same address after the 64 are closed", await socket_status(server.port, host, same), 101),
    ]
