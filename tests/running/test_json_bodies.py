"""JSON over HTTP: counted before it is decoded, by the same rules as a frame."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

import dash_devices
from dash_devices import PageLimits, strict
from dash_devices.dash_glue import json_bodies

from .hostile import make_app

pytestmark = pytest.mark.fault("A11")
UPDATE, OWN = "/_dash-update-component", "/own"
JSON = {"Content-Type": "application/json", "Host": "localhost", "Origin": "http://localhost"}


def app_of(**options: Any) -> dash_devices.Dash:
    app = make_app(**options)

    @app.server.post(OWN)
    async def own() -> Any:
        from quart import request

        return json.dumps(await request.get_json())

    return app


def post(app: dash_devices.Dash, path: str, body: bytes) -> Any:
    async def ask() -> Any:
        response = await app.server.test_client().post(path, data=body, headers=JSON)
        return response, await response.get_data(as_text=False)

    return asyncio.run(ask())


@pytest.mark.parametrize("path", [UPDATE, OWN])
@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"{}," * strict.MAX_CONTAINERS + b"{}]",
        b"[" + b"1," * strict.MAX_PARTS + b"1]",
        b"[" * 2_000 + b"]" * 2_000,
    ],
    ids=["objects", "numbers", "depth"],
)
def test_more_parts_than_a_frame_may_have_get_413(path: str, body: bytes) -> None:
    app = app_of()
    response, _ = post(app, path, body)
    assert response.status_code == 413
    if b"[[" not in body or path == UPDATE:
        assert app.metrics["refused_json"] == 1


def test_nothing_is_built_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []
    app = app_of()
    monkeypatch.setattr(app.server.json, "loads", built.append)
    monkeypatch.setattr("dash_devices.codec._load", built.append)
    for path in (UPDATE, OWN):
        assert post(app, path, b"[" + b"{}," * strict.MAX_CONTAINERS + b"{}]")[0].status_code == 413
    assert built == []


def test_large_bodies_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    app, under_way, together = app_of(), 0, threading.Event()
    loaded, lock = json_bodies._loaded, threading.Lock()

    def noted(*how: Any) -> Any:
        nonlocal under_way
        with lock:
            under_way += 1
            if under_way > 1:
                together.set()
        together.wait(0.2)  # how long another one could begin meanwhile
        found = loaded(*how)
        with lock:
            under_way -= 1
        return found

    monkeypatch.setattr(json_bodies, "_loaded", noted)
    body = b"[" + b"1," * json_bodies.IN_PLACE + b"1]"

    async def ask() -> list[int]:
        posts = [app.server.test_client().post(OWN, data=body, headers=JSON) for _ in range(3)]
        return [response.status_code for response in await asyncio.gather(*posts)]

    assert asyncio.run(ask()) == [200, 200, 200]
    assert not together.is_set()


@pytest.mark.parametrize(("more", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_a_body_may_be_as_large_as_a_message(more: int, status: int) -> None:
    app = app_of(page_limits=PageLimits(message_bytes=100_000))
    body = json.dumps("x" * (100_000 - 2 + more)).encode()
    assert post(app, OWN, body)[0].status_code == status


@pytest.mark.parametrize("body", [b"{", b"nonsense", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff"])
def test_what_is_no_json_gets_400(body: bytes) -> None:
    app = app_of()
    assert post(app, UPDATE, body)[0].status_code == 400
    assert app.metrics["refused_json"] == 1


def test_a_view_of_the_author_reads_as_before() -> None:
    value = {"a": [1, 2.5, None, "größe"], "b": {"c": True}}
    assert json.loads(post(app_of(), OWN, json.dumps(value).encode())[1]) == value
    assert post(app_of(), OWN, b"{")[0].status_code == 400


def test_a_body_may_be_read_twice() -> None:
    app = app_of()

    @app.server.before_request
    async def hook() -> None:
        from quart import request

        assert await request.get_json() == await request.get_json() == [1]
        assert await request.get_data() == b"[1]"

    assert post(app, OWN, b"[1]")[1] == b"[1]"
