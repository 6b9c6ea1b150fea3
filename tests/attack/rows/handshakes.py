"""The request that becomes a socket: what must not, and what is closed at its first word."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from dash_devices.connection import HELLO_SECONDS
from dash_devices.protocol import PATH

from ...gate.apps import TOKEN, ask, make_app, with_login
from ...soak.rows.common import on_loop
from ...soak.table import Check, Context, exactly
from ...support import ServerThread
from ..raw import http_status, socket_status

LOOKALIKES = [
    "https://127.0.0.1:{port}.evil.example",
    "http://127001:{port}",
    "http://127.0.0.1:81",
    "https://user@127.0.0.1:{port}",
]
HOSTILE = '"><script>alert(1)</script>'


def handshakes(context: Context) -> list[Check]:
    """Every line of "Handshake": foreign and forged origins, forwarded headers, large heads, tokens, versions, forms."""
    with ServerThread(make_app()) as server, ServerThread(with_login()) as guarded:
        return on_loop(_handshakes(server, guarded))


async def _handshakes(server: Any, guarded: Any) -> list[Check]:
    port = server.port
    host = ("Host", f"127.0.0.1:{port}")
    own = ("Origin", f"http://127.0.0.1:{port}")

    async def origin(text: str) -> int:
        return await socket_status(port, host, ("Origin", text.replace("{port}", str(port))))

    json, form = ("Content-Type", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")
    evil, callback = ("Origin", "https://evil.example"), "/_dash-update-component"
    many = [(f"X-{number}", "x" * 8_192) for number in range(100)]
    told_status = {
        "a foreign Origin": (await origin("https://evil.example"), 403),
        **{f"Origin {text}": (await origin(text), 403) for text in LOOKALIKES},
        "Origin null": (await origin("null"), 403),
        "no Origin, a cookie": (await socket_status(port, host, ("Cookie", "session=x")), 403),
        "no Origin, no cookie": (await socket_status(port, host), 101),
        "the same with a login": (await socket_status(guarded.port, ("Host", f"127.0.0.1:{guarded.port}")), 401),
        "our own Origin and a cookie": (await socket_status(port, host, own, ("Cookie", "session=x")), 101),
        "100 headers of 8 KiB": (await socket_status(port, host, *many), 431),
        "the same headers over HTTP": (await http_status(port, "/", host, *many), 431),
        "an address of 10 KiB": (await socket_status(port, host, path=f"/{PATH}?{'x' * 10_240}"), 414),
        "the same address over HTTP": (await http_status(port, f"/?{'x' * 10_240}", host), 414),
        "a token in the address": (
            await http_status(guarded.port, "/view?token=" + TOKEN.replace(" ", "%20"), host),
            401,
        ),
        "a form POST of another site": (await http_status(port, callback, host, evil, form, method="POST"), 403),
        "a JSON POST of another site": (await http_status(port, callback, host, evil, json, method="POST"), 403),
        "fetch no-cors of another site": (
            await http_status(port, callback, host, ("Content-Type", "text/plain"), method="POST"),
            403,
        ),
        "an image of another site": (
            await http_status(port, "/_dash-layout", host, ("Sec-Fetch-Site", "cross-site")),
            403,
        ),
    }
    return [
        *(exactly(what, status, wanted) for what, (status, wanted) in told_status.items()),
        *_forwarded(server),
        *await _closes(port),
        exactly("views and callbacks that ran", len(server.app.touched) + len(guarded.app.touched)),
    ]


def _forwarded(server: Any) -> list[Check]:
    """What an untrusted peer says of others."""
    names = (
        "X_Forwarded_Prefix",
        "X_Forwarded_Host",
        "X_Forwarded_For",
        "X_Forwarded_Proto",
        "X_Real_IP",
        "X_Script_Name",
    )
    answer = ask(server, "/", **dict.fromkeys(names, HOSTILE))
    reflected = sum("<script>alert" in text for text in (answer.text, str(answer.headers)))
    local = ask(server, "/_dash-devices/metrics", X_Forwarded_For="127.0.0.1").status
    return [
        exactly("forwarded headers of an untrusted peer that come back in the answer", reflected),
        exactly("the page that is asked for with them", answer.status, 200),
        exactly("metrics for somebody who claims to be this machine", local, 403),
    ]


async def _closes(port: int) -> list[Check]:
    """What is refused after the handshake, by a close code."""
    url = f"ws://127.0.0.1:{port}/{PATH}"
    old = '{"type":"hello","version":0,"page":"p","build":"b"}'
    silent, version, subprotocol = await asyncio.gather(
        _closed(url, None), _closed(url, old), _closed(url, None, additional_headers={"Sec-WebSocket-Protocol": "mqtt"})
    )
    return [
        exactly("no hello: close code", silent[0], 4408),
        Check(
            "no hello: after", f"{HELLO_SECONDS:g} s", f"{silent[2]:.1f} s", 0 <= silent[2] - HELLO_SECONDS < 2, True
        ),
        exactly("an old version: close code", version[0], 4426),
        exactly("a subprotocol: close code", subprotocol[0], 4426),
        exactly(
            "of these two without the hint to reload", sum("reload" not in each[1] for each in (version, subprotocol))
        ),
    ]


async def _closed(url: str, first: str | None, **options: Any) -> tuple[int, str, float]:
    """Close code, reason, and seconds until then."""
    begin = asyncio.get_running_loop().time()
    async with connect(url, proxy=None, **options) as line:
        if first is not None:
            await line.send(first)
        try:
            await asyncio.wait_for(line.recv(), 30)
        except ConnectionClosed as error:
            close = error.rcvd
            return (
                (close.code if close else 1006),
                (close.reason if close else ""),
                asyncio.get_running_loop().time() - begin,
            )
    return 0, "it spoke", 0.0
