"""Headers of every response, what pages may load, and what an error tells."""

from __future__ import annotations

import base64
import errno
import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output
from dash_devices.gate.headers import POLICY, policy

from ..semantics.helpers import ask_regular
from ..support import Raw, ServerThread, wait_for
from .apps import ask, log_in, make_app, with_login
from .test_authenticate import UNDER

Serve = Callable[..., Any]
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def parts(text: str) -> dict[str, list[str]]:
    """The directives of a policy."""
    return {name: sources for name, *sources in (part.split() for part in text.split("; "))}


@pytest.mark.parametrize("under", UNDER)
def test_every_response_has_them(under: str) -> None:
    paths = ["/", "/_dash-layout", "/_dash-dependencies", "/view", "/nowhere", "/_favicon.ico", "/_dash-devices/login"]
    for app in (make_app(), with_login()):
        with UNDER[under](app) as server:
            for path in (*paths, "/_dash-component-suites/evil/x.js"):
                answer = ask(server, path)
                assert ALWAYS.items() <= answer.headers.items(), path
                assert "frame-ancestors" in answer.headers["content-security-policy"], path
            evil = ask(server, "/", Host="evil.example")
            assert evil.status == 403
            assert ALWAYS.items() <= evil.headers.items()


def test_state_is_not_kept(serve: Serve) -> None:
    server = serve(make_app())
    for path in ("/_dash-layout", "/_dash-dependencies", "/_dash-devices/metrics"):
        assert ask(server, path).headers["cache-control"] == "no-store", path
    assert ask(server, "/").headers["cache-control"] == "no-cache"
    script = re.search(r'src="(/_dash-component-suites/dash/[^"]*m\d+[^"]*)"', ask(server, "/").text)
    assert script is not None
    assert "max-age" in ask(server, script[1]).headers["cache-control"]
    guarded = serve(with_login())
    assert ask(guarded, "/", Cookie=log_in(guarded).cookie).headers["cache-control"] == "no-store"


def test_the_policy_of_a_page(serve: Serve) -> None:
    app = make_app()
    app.clientside_callback("(x) => x", Output("own", "title"), Input("a", "value"))
    server = serve(app)
    said = parts(ask(server, "/").headers["content-security-policy"])
    assert set(said) == set(POLICY)
    assert said["script-src"][0] == "'self'"
    assert set(app.csp_hashes()) <= set(said["script-src"])
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(said["script-src"])
    assert said["connect-src"] == ["'self'", f"ws://127.0.0.1:{server.port}"]
    assert said["object-src"] == said["base-uri"] == ["'none'"]


def test_what_the_page_names_it_may_load(serve: Serve) -> None:
    scripts: Any = ["https://cdn.example/a.js", {"src": "https://other.example:444/b.js", "integrity": "sha384-x"}]
    app = dash_devices.Dash(
        __name__,
        external_scripts=scripts,
        external_stylesheets=["//fonts.example/c.css"],
        csp={
            "img-src": ["https://tiles.example"],
            "script-src": "'unsafe-eval'",
            "frame-ancestors": ["https://portal.example"],
        },
        index_string="{%css%}<script>let mine = 1</script>{%app_entry%}{%config%}{%scripts%}{%renderer%}",
    )
    app.layout = html.Div()
    said = parts(ask(serve(app), "/").headers["content-security-policy"])
    assert {"https://cdn.example", "https://other.example:444", "'unsafe-eval'"} <= set(said["script-src"])
    own = base64.b64encode(hashlib.sha256(b"let mine = 1").digest()).decode()
    assert f"'sha256-{own}'" in said["script-src"], "what the author wrote into the index"
    assert "//fonts.example" in said["style-src"]
    assert "//fonts.example" in said["font-src"]
    assert "https://tiles.example" in said["img-src"]
    assert said["frame-ancestors"] == ["'self'", "https://portal.example"]


def test_a_policy_is_put_together() -> None:
    said = parts(policy({"object-src": ["https://a.example"], "frame-src": ["https://b.example"], "img-src": []}))
    assert said["object-src"] == ["https://a.example"]
    assert said["frame-src"] == ["'self'", "https://b.example"]
    assert said["img-src"] == list(POLICY["img-src"])


def test_it_can_be_switched_off_and_an_own_one_stays(serve: Serve) -> None:
    app = make_app()

    @app.server.get("/mine")
    async def mine() -> Any:
        return "mine", 200, {"Content-Security-Policy": "default-src *", "Cache-Control": "max-age=60"}

    answer = ask(serve(app), "/mine")
    assert answer.headers["content-security-policy"] == "default-src *"
    assert answer.headers["cache-control"] == "max-age=60"
    assert "content-security-policy" not in ask(serve(make_app(csp=False)), "/").headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_load_nothing_but_whole_pages(serve: Serve, site: str) -> None:
    server = serve(make_app())
    for path in ("/_dash-layout", "/_dash-dependencies", "/view", "/"):
        for mode in ("no-cors", "cors", "same-origin"):
            assert ask(server, path, Sec_Fetch_Site=site, Sec_Fetch_Mode=mode).status == 403, path
        assert ask(server, path, Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate").status == 200
        assert ask(server, path, Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors").status == 200
    assert ask(server, "/view", "POST", "", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate").status == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_callbacks_take_json_alone(serve: Serve, kind: str) -> None:
    server = serve(make_app())
    assert ask(server, "/_dash-update-component", "POST", "{}", Content_Type=kind).status == 403
    assert (
        ask(server, "/_dash-update-component", "POST", "{}", Content_Type="application/json; charset=utf-8").status
        != 403
    )


# ---- errors
def _failing() -> dash_devices.Dash:
    app = make_app()

    @app.callback(Output("own", "title"), [Input("go", "n_blur")])
    def broken(clicks: int) -> None:
        raise RuntimeError("secret of the callback")

    @app.server.get("/broken")
    async def broken_view() -> None:
        raise RuntimeError("secret of the view")

    @app.server.route("/unreadable")
    async def unreadable_view() -> None:
        raise OSError(errno.ENAMETOOLONG, "secret of the view")

    return app


@pytest.mark.parametrize(
    "place", ["view", "view that reads", "layout", "callback over http", "callback over the socket"]
)
def test_an_error_is_an_id_and_the_rest_is_in_the_log(
    serve: Serve, raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture, place: str
) -> None:
    app = _failing()
    if place == "layout":
        app.layout = layout = Layout()
    server = serve(app)
    if place == "layout":
        layout.is_broken = True
    if place == "callback over the socket":
        reply = ask_regular(raw(server.url).join(), "own.title", [("go", "n_blur", 1)])
        status, text = reply["status"], str(reply["body"])
    elif place == "callback over http":
        body = '{"output":"own.title","outputs":{"id":"own","property":"title"},"changedPropIds":["go.n_blur"],'
        body += '"inputs":[{"id":"go","property":"n_blur","value":1}]}'
        answer = ask(server, "/_dash-update-component", "POST", body, Content_Type="application/json")
        status, text = answer.status, answer.text
    else:
        paths = {"layout": "/_dash-layout", "view that reads": "/unreadable", "view": "/broken"}
        answer = ask(server, paths[place])
        status, text = answer.status, answer.text
    assert status == 500
    found = re.fullmatch(r"Internal server error ([0-9a-f]{8})\. The log of the server says more\.\s*", text)
    assert found is not None, text
    assert f"error {found[1]}: " in caplog.text
    assert "secret" in caplog.text


class Layout:
    """A layout function that fails when it is told to."""

    is_broken = False

    def __call__(self) -> Any:
        if self.is_broken:
            raise RuntimeError("secret of the layout")
        return html.Div()


def test_an_authors_own_answer_to_errors_stays() -> None:
    import asyncio

    from quart import Quart

    server = Quart(__name__)

    @server.errorhandler(500)
    async def mine(error: Exception) -> Any:
        return "mine", 500

    app = dash_devices.Dash(__name__, server=server)
    app.layout = dcc.Input(id="x")

    @server.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    async def text() -> str:
        return str(await (await server.test_client().get("/broken")).get_data(as_text=True))

    assert asyncio.run(text()) == "mine"


# ---- who may come at all
@pytest.mark.parametrize(("host", "is_told"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
def test_a_server_that_is_open_to_all_says_so(
    caplog: pytest.LogCaptureFixture, serve: Serve, host: str, is_told: bool
) -> None:
    for app, told in ((make_app(), is_told), (with_login(), False)):
        caplog.clear()
        with ServerThread(_On(app, host)):
            assert ("add app.login({name: hash})" in caplog.text) is told


class _On:
    """An app on another address."""

    def __init__(self, app: dash_devices.Dash, host: str) -> None:
        self.app = app
        self.host = host

    def run(self, *, host: str, port: int) -> None:
        self.app.run(host=self.host, port=port)

    def stop(self) -> None:
        self.app.stop()


def test_under_another_server_the_first_who_comes_from_afar_tells(caplog: pytest.LogCaptureFixture) -> None:
    import asyncio

    async def come(address: str) -> None:
        client = app.server.test_client()
        await client.get("/view", scope_base={"client": (address, 1)})

    app = make_app()
    for address, lines in (("127.0.0.1", 0), ("192.0.2.1", 1), ("192.0.2.1", 1)):
        asyncio.run(come(address))
        assert caplog.text.count("add app.login({name: hash})") == lines


@pytest.mark.fault("A18")
def test_a_path_makes_no_lines_of_the_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @app.server.get("/free/<path:rest>")
    async def free(rest: str) -> str:
        from quart import request

        raise ValueError(f"no {rest} {request.args['q']}")

    @app.server.websocket("/free/<path:rest>")
    async def free_socket(rest: str) -> None:
        from quart import websocket

        raise ValueError(f"no {rest} {websocket.args['q']}")

    server = serve(app)
    path = "/free/x%0D2026%1B%5B2J?q=x%0A2026-01-01%20CRITICAL%20forged"
    assert ask(server, path).status == 500
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    ask(server, path, **upgrade, Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA==")
    wait_for(lambda: caplog.text.count("failed with ValueError") == 2, "both answers")
    text = "\n".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
    assert "\x1b" not in text
    assert "\r" not in text
    assert not any(line.startswith("2026") for line in text.split("\n"))


@pytest.mark.fault("A18")
def test_what_fails_outside_of_views_makes_no_lines_either(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()
    inner = app.server.asgi_app

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            raise ValueError(f"no {scope['path']}")
        await inner(scope, receive, send)

    app.server.asgi_app = failing  # type: ignore[method-assign]
    assert ask(serve(app), "/x%0A2026%1B%5B2J").status == 500
    text = "\n".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
    assert "ValueError" in text
    assert "\x1b" not in text
    assert not any(line.startswith("2026") for line in text.split("\n"))
