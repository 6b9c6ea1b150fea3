"""Section 9: regular callbacks."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from quart import request, session

import dash_devices
from dash_devices import Services, ctx, dcc, html
from dash_devices.dependencies import Input, Output, State

from ..support import TIMEOUT, Raw, ServerThread
from .helpers import Calls, ask_regular, shows

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]
OWN_ROUTES = ("_dash-layout", "_dash-dependencies", "_dash-update-component")


def _app(**options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div(
        [dcc.Input(id="a", value=0), html.Button("press", id="b"), html.Div("-", id="c"), html.Div("-", id="d")]
    )
    return app


def _press(page: Raw, output: str = "c.children", value: Any = 1) -> dict[str, Any]:
    return ask_regular(page, output, [("b", "n_clicks", value)])


def _response(reply: dict[str, Any]) -> Any:
    assert reply["status"] == 200, reply
    return reply["body"]["response"]


def test_9_1_as_in_dash_and_over_the_socket(serve: Serve, raw: MakeRaw) -> None:
    app = _app()

    @app.callback(Output("c", "children"), [Input("b", "n_clicks")], [State("a", "value")])
    def plain(clicks: int, value: str) -> str:
        return f"{clicks} {value} {ctx.triggered_id}"

    @app.callback(
        output={"one": Output("d", "children"), "two": Output("d", "title")}, inputs={"n": Input("b", "n_blur")}
    )
    async def named(n: int) -> dict[str, Any]:
        return {"one": n, "two": dash_devices.no_update}

    page = raw(serve(app).url).join()
    listed = [one["output"] for one in page.request("dependencies")["body"]]
    assert listed == ["c.children", "..d.children...d.title.."]
    reply = ask_regular(page, "c.children", [("b", "n_clicks", 2)], [("a", "value", "x")])
    assert _response(reply) == {"c": {"children": "2 x b"}}
    assert _response(ask_regular(page, listed[1], [("b", "n_blur", 7)])) == {"d": {"children": 7}}


@pytest.mark.parametrize(("service", "over_http"), [(Services.PUSHER_ALL, False), (Services.NORMAL, True)])
def test_9_1_where_requests_travel(serve: Serve, tab: Any, service: int, over_http: bool) -> None:
    app = _app(server_service=service)

    @app.callback(Output("c", "children"), [Input("b", "n_clicks")])
    def press(clicks: int | None) -> str:
        assert ctx.client is not None or clicks is None
        return f"pressed {clicks}"

    @app.callback_shared(Output("d", "children"), [Input("a", "value")])
    def shared(value: Any) -> str:
        return f"shared {value}"

    page = tab(serve(app).url, connected=False)
    seen: list[str] = []
    page.on("request", lambda asked: seen.append(asked.url))
    page.reload()
    shows(page, "c", "pressed None")
    page.wait_for_function("() => dash_devices.status === 'connected'")
    page.click("#b")
    shows(page, "c", "pressed 1")
    page.fill("#a", "5")
    shows(page, "d", "shared 5")
    used = [route for route in OWN_ROUTES if any(route in url for url in seen)]
    assert used == (list(OWN_ROUTES) if over_http else [])


@pytest.mark.parametrize("is_async", [False, True])
def test_9_1_replies_come_in_order_with_the_mods(serve: Serve, raw: MakeRaw, is_async: bool) -> None:
    app = _app()

    def work(clicks: int) -> str:
        app.push_mods({"d": {"children": f"before {clicks}"}})
        return f"reply {clicks}"

    async def work_async(clicks: int) -> str:
        return work(clicks)

    app.callback(Output("c", "children"), [Input("b", "n_clicks")])(work_async if is_async else work)
    page = raw(serve(app).url).join()
    for clicks in range(5):
        _press(page, value=clicks)
        reply = page.seen[-1]["type"] == "reply"
        assert reply, page.seen[-2:]
        assert page.seen[-2].get("mods") == [["d", "children", f"before {clicks}"]]


def test_9_1_sync_callbacks_run_in_threads(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    began, go = threading.Event(), threading.Event()

    @app.callback(Output("c", "children"), [Input("b", "n_clicks")])
    def waits(clicks: int) -> str:
        began.set()
        return f"freed {go.wait(TIMEOUT)}"

    @app.callback(Output("d", "children"), [Input("b", "n_clicks")])
    def frees(clicks: int) -> str:
        go.set()
        return threading.current_thread().name

    server = serve(app)
    waiting, freeing = raw(server.url).join(), raw(server.url).join()
    waiting.send({"type": "request", "ref": 99, "route": "callback", "query": "", "body": _body("c")})
    assert began.wait(TIMEOUT)
    assert f"server-{server.port}" not in str(_response(_press(freeing, "d.children")))
    assert _response(waiting.until("reply", ref=99)) == {"c": {"children": "freed True"}}


def _body(id: str) -> dict[str, Any]:
    return {
        "output": f"{id}.children",
        "outputs": {"id": id, "property": "children"},
        "inputs": [{"id": "b", "property": "n_clicks", "value": 1}],
        "changedPropIds": ["b.n_clicks"],
        "state": [],
    }


def test_9_2_the_context_is_that_of_the_handshake(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    app.server.secret_key = "for the test"

    @app.server.get("/login")
    async def login() -> str:
        session["user"] = "ada"
        return "welcome"

    @app.callback(Output("c", "children"), [Input("b", "n_clicks")])
    def sync(clicks: int) -> Any:
        return [ctx.cookies.get("colour"), ctx.headers.get("X-Own"), ctx.remote, ctx.origin, ctx.path.strip("?")]

    @app.callback(Output("d", "children"), [Input("b", "n_clicks")])
    async def with_quart(clicks: int) -> Any:
        return [request.cookies["colour"], request.headers["X-Own"], request.remote_addr, session["user"]]

    server = serve(app)
    with urllib.request.urlopen(f"{server.url}/login") as response:
        cookie = response.headers["Set-Cookie"].partition(";")[0]
    headers = {"Cookie": f"colour=red; {cookie}", "X-Own": "mine", "Remote-Addr": "10.1.2.3"}
    page = raw(server.url, origin=server.url, headers=headers).join()
    expected = ["red", "mine", "127.0.0.1", server.url, "/_dash-update-component"]
    assert _response(_press(page))["c"]["children"] == expected
    assert _response(_press(page, "d.children"))["d"]["children"] == ["red", "mine", "127.0.0.1", "ada"]


def _cookie_app() -> dash_devices.Dash:
    app = _app()

    @app.callback(Output("c", "children"), [Input("b", "n_clicks")], prevent_initial_call=True)
    def login(clicks: int) -> str:
        ctx.response.set_cookie("user", "ada", httponly=True)
        ctx.response.set_header("X-Answer", "42")
        return "logged in"

    return app


def test_9_2_cookies_and_headers_reach_the_page(serve: Serve, raw: MakeRaw) -> None:
    server = serve(_cookie_app())
    page = raw(server.url).join()
    reply = _press(page)
    assert reply["headers"]["x-answer"] == "42"
    assert "set-cookie" not in reply["headers"], "an HttpOnly cookie is not for scripts"
    errand = server.url + reply["headers"]["x-dash-devices-cookie"]
    with urllib.request.urlopen(errand) as response:
        assert response.headers["Set-Cookie"].startswith("user=ada; HttpOnly")
    with urllib.request.urlopen(errand) as response:
        assert response.headers["Set-Cookie"] is None, "it is handed over once"


def test_9_2_a_browser_keeps_the_cookie_before_the_result_shows(serve: Serve, tab: Any) -> None:
    server = serve(_cookie_app())
    page = tab(server.url)
    page.click("#b")
    shows(page, "c", "logged in")
    assert [(one["name"], one["value"], one["httpOnly"]) for one in page.context.cookies()] == [("user", "ada", True)]


@pytest.mark.parametrize("is_async", [False, True])
def test_9_3_s2_is_private_and_one_at_a_time_over_all_clients(serve: Serve, raw: MakeRaw, is_async: bool) -> None:
    app = _app()
    calls, go = Calls(), threading.Event()

    def work(clicks: int) -> str:
        calls(f"begin {clicks}")
        if clicks == 1 and not is_async:
            assert go.wait(TIMEOUT)
        calls(f"end {clicks}")
        return f"{clicks} of {ctx.client.id}"

    async def work_async(clicks: int) -> str:
        calls(f"begin {clicks}")
        while clicks == 1 and not go.is_set():
            await asleep()
        calls(f"end {clicks}")
        return f"{clicks} of {ctx.client.id}"

    app.callback_s2(Output("c", "children"), [Input("b", "n_clicks")])(work_async if is_async else work)
    app.callback(Output("d", "children"), [Input("b", "n_clicks")])(lambda clicks: "free")
    server = serve(app)
    pages = [raw(server.url).join() for _ in range(3)]
    for number, page in enumerate(pages, 1):
        page.send({"type": "request", "ref": 50, "route": "callback", "query": "", "body": _numbered(number)})
        # the marker comes back when the request before it was taken
        assert page.request("layout")["status"] == 200
        assert calls.next() == "begin 1" if number == 1 else calls.none_left
    assert _response(_press(pages[1], "d.children")) == {"d": {"children": "free"}}, "other callbacks go on"
    go.set()
    replies = [_response(page.until("reply", ref=50)) for page in pages]
    ids = [page.welcome["tab"] for page in pages]
    assert replies == [{"c": {"children": f"{number} of {id}"}} for number, id in enumerate(ids, 1)]
    assert calls.take(5) == ["end 1", "begin 2", "end 2", "begin 3", "end 3"]
    assert not [message for page in pages for message in page.seen if message["type"] in ("mods", "props")]


def _numbered(clicks: int) -> dict[str, Any]:
    body = _body("c")
    body["inputs"][0]["value"] = clicks
    return body


async def asleep() -> None:
    """Let the loop go on once."""
    import asyncio

    await asyncio.sleep(0)


def test_9_3_no_request_stays_unanswered(serve: Serve, raw: MakeRaw) -> None:
    app = _app()

    @app.callback(Output("c", "children"), [Input("b", "n_clicks")])
    def broken(clicks: int) -> None:
        raise RuntimeError("the device is on fire")

    @app.callback_s2(Output("d", "children"), [Input("b", "n_clicks")])
    async def broken_s2(clicks: int) -> None:
        raise RuntimeError("this one too")

    @app.callback(Output("d", "title"), [Input("b", "n_clicks")])
    def unserializable(clicks: int) -> Any:
        return object()

    @app.callback(Output("c", "title"), [Input("b", "n_clicks")])
    def prevented(clicks: int) -> Any:
        raise dash_devices.exceptions.PreventUpdate

    page = raw(serve(app).url).join()
    for output in ("c.children", "d.children", "d.title"):
        assert _press(page, output)["status"] == 500
    assert _press(page, "c.title")["status"] == 204
    assert _press(page, "no.such")["status"] == 400
    assert page.request("no-such-route")["status"] == 404
    for body in (None, 7, [], {}, {"output": 5}):
        assert page.request("callback", body)["status"] >= 400, body
    assert page.request("layout")["status"] == 200


def test_9_3_a_full_lane_answers(serve: Serve, raw: MakeRaw) -> None:
    app = _app(lane_capacity=1)
    began, go = threading.Event(), threading.Event()

    @app.callback_s2(Output("c", "children"), [Input("b", "n_clicks")])
    def slow(clicks: int) -> int:
        began.set()
        go.wait(TIMEOUT)
        return clicks

    page = raw(serve(app).url).join()
    for ref in (51, 52, 53):
        page.send({"type": "request", "ref": ref, "route": "callback", "query": "", "body": _numbered(ref)})
        assert began.wait(TIMEOUT)
    assert page.until("reply", ref=53)["status"] == 500
    go.set()
    assert _response(page.until("reply", ref=51)) == {"c": {"children": 51}}
    assert _response(page.until("reply", ref=52)) == {"c": {"children": 52}}


def test_9_3_an_exception_is_dashs_usual_error_in_the_page(serve: Serve, tab: Any) -> None:
    app = _app()

    @app.callback(Output("c", "children"), [Input("b", "n_clicks")])
    def broken(clicks: int | None) -> str:
        if clicks == 1:
            raise RuntimeError("the device is on fire")
        return f"fine {clicks}"

    server = serve(app, debug=True, dev_tools_hot_reload=False, dev_tools_disable_version_check=True)
    page = tab(server.url, allow_errors="Callback error updating c.children")
    shows(page, "c", "fine None")
    with page.expect_console_message(lambda message: "Callback error updating c.children" in message.text) as shown:
        page.click("#b")
    error = shown.value.args[0].evaluate("(error) => error.html")
    assert "the device is on fire" in error
    page.get_by_text("Errors").first.wait_for()
    page.click("#b")
    shows(page, "c", "fine 2")
