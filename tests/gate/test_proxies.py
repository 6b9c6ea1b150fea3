"""Who may speak for others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from dash_devices.gate.proxies import FORWARDED, TrustedProxies, network_of

from ..support import Raw
from .apps import ask, log_in, make_app, with_login

Headers = dict[str, str]


def unwrapped(trusted: list[str], headers: Headers, peer: str = "127.0.0.1", path: str = "/x") -> dict[str, Any]:
    """What becomes of a scope."""
    encoded = [(name.encode(), value.encode()) for name, value in {"host": "inner:8050", **headers}.items()]
    scope = {"type": "http", "scheme": "http", "path": path, "headers": encoded, "client": (peer, 1) if peer else None}
    return dict(TrustedProxies(trusted).unwrap(scope))


ALL = {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "lab.example",
    "x-forwarded-prefix": "/lab",
    "x-forwarded-user": "root",
    "x-real-ip": "203.0.113.9",
}


@pytest.mark.parametrize("trusted", [[], ["10.0.0.1"], ["unix"]])
def test_from_anybody_else_it_is_as_if_not_said(trusted: list[str]) -> None:
    told = unwrapped(trusted, ALL)
    assert (told["client"], told["scheme"], told["path"]) == (("127.0.0.1", 1), "http", "/x")
    assert "root_path" not in told
    assert told["headers"] == [(b"host", b"inner:8050")], "the code behind must not believe it either"
    assert told[FORWARDED]


@pytest.mark.parametrize(
    ("trusted", "peer"), [("127.0.0.1", "127.0.0.1"), ("10.0.0.0/8", "10.9.8.7"), ("fd00::/8", "fd00::7"),
    ("10.0.0.0/8", "::ffff:10.1.1.1"), ("unix", "")]
)  # fmt: skip
def test_a_trusted_proxy_is_believed(trusted: str, peer: str) -> None:
    told = unwrapped([trusted], ALL, peer)
    assert told["client"] == ("203.0.113.9", 0)
    assert told["scheme"] == "https"
    assert dict(told["headers"])[b"host"] == b"lab.example"
    assert [name for name, _ in told["headers"]].count(b"host") == 1
    assert (told["root_path"], told["path"]) == ("/lab", "/lab/x")
    assert FORWARDED not in told


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),  # what the client wrote itself stands on the left
        ("6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9,10.0.0.2", "203.0.113.9"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ('"[2001:db8::9]"', "2001:db8::9"),
        ("unknown", "10.0.0.1"),
        ("203.0.113.9, unknown", "10.0.0.1"),
        ("203.0.113.9, _hidden, 10.0.0.2", "10.0.0.2"),
        ("<script>", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_none_of_ours(chain: str, client: str) -> None:
    assert unwrapped(["10.0.0.0/8"], {"x-forwarded-for": chain}, "10.0.0.1")["client"][0] == client


@pytest.mark.parametrize(
    "prefix", ['"><script>', "//evil", "/a/../b", "lab", "/lab?x", "https://evil", "/%2e%2e", "/a b", "/"]
)
def test_a_prefix_is_a_plain_path(prefix: str) -> None:
    told = unwrapped(["127.0.0.1"], {"x-forwarded-prefix": prefix})
    assert (told.get("root_path"), told["path"]) == (None, "/x")


def test_a_prefix_that_is_still_there_is_not_added_again() -> None:
    told = unwrapped(["127.0.0.1"], {"x-forwarded-prefix": "/lab"}, path="/lab/x")
    assert (told["path"], told.get("root_path")) == ("/lab/x", None)


def test_what_is_no_address_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match=r"lab\.example"):
        TrustedProxies(["lab.example"])


def test_addresses_that_count_as_one() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.0.0.1") == "10.0.0.1"
    assert network_of("") == network_of("<local>") == ""


def test_a_page_behind_tls_and_a_name(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    server = serve(make_app(trusted_proxies=["127.0.0.1"], allowed_hosts=["lab.example"]))
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "lab.example", "X-Forwarded-For": "203.0.113.9"}
    raw(server.url, origin="https://lab.example", headers=headers).join()
    client = server.app.clients[0]
    assert (client.address, client.host) == ("203.0.113.9", "lab.example")
    for wrong in ({"X-Forwarded-Proto": "http"}, {"X-Forwarded-Host": "evil.example"}):
        with pytest.raises(Exception, match="403"):
            raw(server.url, origin="https://lab.example", headers={**headers, **wrong})


def test_the_login_behind_tls_and_a_prefix(serve: Callable[..., Any]) -> None:
    server = serve(with_login(trusted_proxies=["127.0.0.1"]))
    front = {"X_Forwarded_Proto": "https", "X_Forwarded_Prefix": "/lab", "X_Forwarded_Host": "127.0.0.1"}
    sent = ask(server, "/page", Accept="text/html", **front)
    assert sent.headers["location"] == "/lab/_dash-devices/login?next=/lab/page"
    cookie = log_in(server, **front).headers["set-cookie"]
    assert cookie.startswith("dash-devices-443=")
    assert {"Secure", "Path=/lab/"} <= set(cookie.split("; "))


def test_an_ignored_proxy_is_told_of_once(serve: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    server = serve(make_app())
    with caplog.at_level(logging.WARNING, "dash_devices.gate"):
        for _ in range(3):
            assert ask(server, "/view", X_Forwarded_For="203.0.113.9").status == 200
    assert [record.getMessage() for record in caplog.records if record.name == "dash_devices.gate"] == [
        "127.0.0.1 speaks for others (X-Forwarded-...), and is ignored: if it is your proxy, name it in trusted_proxies="
    ]
