"""``app.authenticate``: asked before anything is touched, over HTTP and for the socket; whatever goes wrong refuses."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import dash_devices
from dash_devices import AuthRequest, Identity, Refuse
from dash_devices.gate import gate as gate_module
from dash_devices.gate.door import MAX_DRAINED

from ..running.support import hypercorn, uvicorn
from ..semantics.helpers import ask_regular
from ..support import TIMEOUT, Raw, ServerThread
from .apps import ask, make_app, with_login

Serve = Callable[..., Any]
MakeRaw = Callable[..., Raw]
UNDER = {"run": ServerThread, "uvicorn": lambda app: uvicorn(app.asgi), "hypercorn": lambda app: hypercorn(app.asgi)}


def refused_socket(raw: MakeRaw, server: Any, **headers: str) -> int:
    """The status that a handshake is refused with."""
    with pytest.raises(InvalidStatus) as refused:
        raw(server.url, headers=headers)
    return int(refused.value.response.status_code)


@pytest.mark.parametrize("is_async", [False, True])
def test_it_is_shown_the_request(serve: Serve, raw: MakeRaw, is_async: bool) -> None:
    app, seen = make_app(), []

    def who(request: AuthRequest) -> str:
        seen.append(request)
        return "ada"

    async def who_async(request: AuthRequest) -> str:
        await asyncio.sleep(0)
        return who(request)

    app.authenticate(who_async if is_async else who)
    server = serve(app)
    assert ask(server, "/view?x=1", X_Own="mine", Cookie="colour=red").text == "ada"
    http = seen.pop()
    assert (http.method, http.path, http.query, http.is_socket) == ("GET", "/view", "x=1", False)
    assert (http.headers["x-own"], http.cookies["colour"]) == ("mine", "red")
    assert (http.address, http.scheme, http.host) == ("127.0.0.1", "http", f"127.0.0.1:{server.port}")
    page = raw(server.url, headers={"X-Own": "mine"}).join()
    assert seen[0].is_socket
    assert len(seen) == 1, "asked once for a socket, not for what travels over it"
    assert (app.clients[0].username, app.clients[0].authentication) == ("ada", "ada")
    assert (
        ask_regular(page, "own.children", [("go", "n_clicks", 1)])["body"]["response"]["own"]["children"] == "ada ada"
    )


@pytest.mark.parametrize("under", UNDER)
def test_a_socket_is_refused_before_it_is_accepted(under: str) -> None:
    app = make_app()
    app.authenticate(lambda request: Identity("ada") if request.headers.get("x-key") == "good" else None)
    with UNDER[under](app) as server:
        for headers in ({}, {"X-Key": "bad"}):
            with pytest.raises(InvalidStatus) as refused:
                Raw(server.url, headers=headers)
            assert refused.value.response.status_code in ((401,) if under != "hypercorn" else (401, 403))
            assert ask(server, "/", **{name.replace("-", "_"): value for name, value in headers.items()}).status == 401
        with Raw(server.url, headers={"X-Key": "good"}) as page:
            page.join()
            assert app.clients[0].username == "ada"
    assert app.metrics["sockets_refused"] == 2


@pytest.mark.parametrize("under", UNDER)
def test_a_socket_of_the_authors_own_is_behind_the_gate_too(under: str) -> None:
    app = make_app()
    app.authenticate(lambda request: Identity("ada") if request.headers.get("x-key") == "good" else None)
    with UNDER[under](app) as server:
        url = server.url.replace("http", "ws") + "/own"
        with pytest.raises(InvalidStatus):
            connect(url, proxy=None)
        with pytest.raises(InvalidStatus):
            connect(url, proxy=None, origin="http://evil.example", additional_headers={"X-Key": "good"})
        assert app.touched == []  # type: ignore[attr-defined]
        with connect(url, proxy=None, additional_headers={"X-Key": "good"}) as socket:
            socket.send("hello")
            assert socket.recv(TIMEOUT) == "hello"
            asyncio.run_coroutine_threadsafe(_started(app), _loop(app)).result(TIMEOUT)
            app.revoke("ada")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(TIMEOUT)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401


async def _started(app: dash_devices.Dash) -> None:
    await app._start()


def _loop(app: dash_devices.Dash) -> asyncio.AbstractEventLoop:
    assert app._hub.loop is not None
    return app._hub.loop


def _fails(request: AuthRequest) -> Any:
    raise RuntimeError("the directory is on fire")


async def _fails_async(request: AuthRequest) -> Any:
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda request: None, 401),
        (lambda request: Refuse(), 401),
        (lambda request: Refuse(403, reason="not on Sundays"), 403),
        (lambda request: False, 500),  # a check that failed must not be taken for somebody
        (lambda request: True, 500),
        (lambda request: "", 500),
        (lambda request: {}, 500),
        (_fails, 500),
        (_fails_async, 500),
    ],
)
def test_whatever_is_no_identity_refuses(serve: Serve, raw: MakeRaw, answer: Any, status: int) -> None:
    app = make_app()
    app.authenticate(answer)
    server = serve(app)
    said = ask(server, "/view")
    assert said.status == status
    assert "fire" not in said.text
    assert refused_socket(raw, server) == status
    assert app.touched == []  # type: ignore[attr-defined]
    assert len(app.clients) == 0


def test_who_is_refused_can_be_sent_elsewhere(serve: Serve) -> None:
    app = make_app()
    app.authenticate(lambda request: Refuse(location="/sso?back=here"))
    sent = ask(serve(app), "/")
    assert (sent.status, sent.headers["location"]) == (303, "/sso?back=here")


def test_a_slow_one_holds_nobody_else_and_is_given_up(
    serve: Serve, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_module, "AUTHENTICATE_SECONDS", 0.5)
    app, go = make_app(), threading.Event()

    def who(request: AuthRequest) -> str:
        if request.headers.get("x-slow"):
            go.wait(TIMEOUT)
        return "ada"

    app.authenticate(who)
    server = serve(app)
    page = raw(server.url).join()
    slow = threading.Thread(target=lambda: statuses.append(refused_socket(raw, server, **{"X-Slow": "1"})))
    statuses: list[int] = []
    slow.start()
    page.change("a", "value", "1")
    assert page.until("ack")
    slow.join(TIMEOUT)
    assert statuses == [503]
    assert ask(server, "/view", X_Slow="1").status == 503
    go.set()


def test_who_is_revoked_while_he_is_asked_does_not_come_in(serve: Serve, raw: MakeRaw) -> None:
    app, asked, go = make_app(), threading.Event(), threading.Event()

    def who(request: AuthRequest) -> Identity:
        asked.set()
        assert go.wait(TIMEOUT)
        return Identity("ada")

    app.authenticate(who)
    server = serve(app)
    statuses: list[int] = []
    late = threading.Thread(target=lambda: statuses.append(refused_socket(raw, server)))
    late.start()
    assert asked.wait(TIMEOUT)
    app.revoke("ada")
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), _loop(app)).result(TIMEOUT)  # it has been taken note of
    go.set()
    late.join(TIMEOUT)
    assert statuses == [401]
    assert raw(server.url).join(), "asked anew he is in, as the function says"


def test_of_several_the_first_that_knows_decides(serve: Serve) -> None:
    app = with_login()
    app.authenticate(lambda request: Identity("robot") if request.headers.get("x-robot") else None)
    server = serve(app)
    assert "robot" in ask(server, "/view", X_Robot="1").text
    assert ask(server, "/view").status == 401


def test_a_refusal_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected 400 to 599, got 200"):
        Refuse(200)


def test_whom_a_mapping_or_an_object_names() -> None:
    from dash_devices.identity import is_same_person, username_of

    class Person:
        username = "ada"

    assert [username_of(each) for each in (None, "ada", {"username": "ada"}, Person(), 7)] == [
        None,
        "ada",
        "ada",
        "ada",
        None,
    ]
    assert is_same_person(None, None)
    assert is_same_person("ada", Person())
    assert is_same_person(Identity("ada", ["x"]), Identity("ada", ["y"]))
    assert not is_same_person(Identity("ada"), Identity("grace"))
    assert not is_same_person(Identity("ada"), None)
    assert not is_same_person(None, Identity("ada"))


def test_nobody_says_in_a_scope_who_he_is(serve: Serve) -> None:
    """A foreign server, or a program around us, may hand on a scope that says so."""

    async def claim() -> Any:
        app = make_app()
        return await app.server.test_client().get("/view", scope_base={"dash_devices.identity": "ada"})

    assert asyncio.run(_text(claim())) == "None"


async def _text(response: Any) -> str:
    return str(await (await response).get_data(as_text=True))


@pytest.mark.parametrize(("method", "size"), [("GET", 0), ("POST", 300_000)])
def test_who_is_refused_gets_the_answer_and_may_ask_again(serve: Serve, method: str, size: int) -> None:
    """Also a client that is still sending, and over the same connection."""
    app = make_app()
    app.authenticate(lambda request: None)
    client = http.client.HTTPConnection("127.0.0.1", serve(app).port, timeout=TIMEOUT)
    for _ in range(5):
        client.request(method, "/_dash-layout", b"x" * size, {"Content-Type": "application/json"})
        answer = client.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (401, None)
        answer.read()
    client.close()


def test_a_body_that_is_not_read_closes_the_connection_and_says_so(serve: Serve) -> None:
    app = make_app()
    app.authenticate(lambda request: None)
    client = http.client.HTTPConnection("127.0.0.1", serve(app).port, timeout=TIMEOUT)
    client.putrequest("POST", "/_dash-layout")
    client.putheader("Content-Length", str(2 * MAX_DRAINED))
    client.endheaders(b"x" * (MAX_DRAINED + 1))
    answer = client.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (401, "close")
    client.close()
