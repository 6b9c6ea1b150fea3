"""The table of names and origins, by the rules alone; `tests.attack` sends it to a real server."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from dash_devices.gate.gate import Gate
from dash_devices.gate.head import Head
from dash_devices.origins import parse_host, parse_origin, written_origin

from .table import OPTIONS, Case, cases

PORT = 8050


def scope(kind: str, *headers: tuple[str, str], method: str = "GET", path: str = "/", **more: Any) -> dict[str, Any]:
    """An ASGI scope."""
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    is_socket = {"websocket": {}, "http": {"method": method}}[kind]
    scheme = {"websocket": "ws", "http": "http"}[kind]
    basis = {"type": kind, "path": path, "scheme": scheme, "headers": encoded, "client": ("127.0.0.1", 1)}
    return {**basis, **is_socket, **more}


def gate(**options: Any) -> Gate:
    """One with these options."""
    return Gate(Counter(), **options)


TABLE_GATE = gate(origins=OPTIONS["allowed_origins"], hosts=OPTIONS["allowed_hosts"])


def _headers(case: Case) -> list[tuple[str, str]]:
    cookie = [("cookie", "a=b")] if case.cookie else []
    return [("host", case.host), *([("origin", case.origin)] if case.origin is not None else []), *cookie]


def test_the_table_is_long_and_has_both_kinds() -> None:
    counts = Counter(case.may_open for case in cases())
    assert counts[True] > 100
    assert counts[False] > 300


def test_names_and_origins() -> None:
    assert [case for case in (each.at(PORT) for each in cases()) if not _is_right(case)] == []


def _is_right(case: Case) -> bool:
    opens = TABLE_GATE.rules.refusal(Head(scope("websocket", *_headers(case)))) is None
    posts = TABLE_GATE.rules.refusal(Head(scope("http", *_headers(case), method="POST"))) is None
    reads = TABLE_GATE.rules.refusal(Head(scope("http", *_headers(case)))) is None
    return (opens, posts, reads) == (case.may_open, case.may_open, case.may_read)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 400),
        ([("host", "localhost"), ("host", "evil.example")], 400),
        ([("host", "localhost"), ("host", "localhost")], 400),
        ([("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.example")], 403),
    ],
)
def test_there_is_one_host_and_at_most_one_origin(headers: list[tuple[str, str]], status: int) -> None:
    found = gate().rules.refusal(Head(scope("http", *headers)))
    assert found is not None
    assert found[1].status == status


@pytest.mark.parametrize("path", ["http://localhost/_dash-layout", "*", "", "evil"])
def test_an_address_is_a_path(path: str) -> None:
    found = gate().rules.refusal(Head(scope("http", ("host", "localhost"), path=path)))
    assert found is not None
    assert found[1].status == 400


def test_this_machines_own_names_are_answered_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Bench-7")
    monkeypatch.setattr("socket.getfqdn", lambda name: "bench-7.lab.internal")
    hosts = gate().hosts
    for name, good in (("bench-7", True), ("bench-7.local:80", True), ("bench-7.lab.internal", False)):
        assert (parse_host(name) in hosts) is good
    hosts._full_name()
    assert parse_host("bench-7.lab.internal:8050") in hosts
    monkeypatch.setattr("socket.getfqdn", lambda name: "evil.example")
    hosts._full_name()
    assert parse_host("evil.example") not in hosts


def test_any_name_can_be_asked_for() -> None:
    assert parse_host("evil.example:1") in gate(hosts=["*"]).hosts


@pytest.mark.parametrize(
    ("named", "written"),
    [
        ("https://lab.example", "https://lab.example"),
        ("HTTPS://Lab.Example:443", "https://lab.example"),
        ("http://lab:80", "http://lab"),
        ("http://lab:8050", "http://lab:8050"),
        ("http://bücher.example", "http://xn--bcher-kva.example"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_an_origin_is_taken_as_browsers_write_it(named: str, written: str) -> None:
    assert written_origin(named) == written


@pytest.mark.parametrize(
    "named", ["lab.example", "https://lab.example/", "https://lab.example/app", "https://", "*", "null"]
)
def test_what_is_no_origin_is_an_error_at_once(named: str) -> None:
    with pytest.raises(ValueError, match="allowed_origins: expected an origin as"):
        gate(origins=[named])


@pytest.mark.parametrize("named", ["https://lab.example", "lab example", "", "a..b", "*lab.example:x"])
def test_what_is_no_name_is_an_error_at_once(named: str) -> None:
    with pytest.raises(ValueError, match="allowed_hosts: expected a name"):
        gate(hosts=[named])


def test_ports_of_an_origin_that_nobody_writes() -> None:
    assert parse_origin("http://lab:0") is None
    assert parse_origin("http://lab:80") == parse_origin("http://lab") == ("http", "lab", 80)
