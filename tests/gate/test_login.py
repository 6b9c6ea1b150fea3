"""The login page, its cookies and tokens, over HTTP and for the socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus

import dash_devices
from dash_devices import User
from dash_devices.cli import main
from dash_devices.errors import ServerError
from dash_devices.gate.users import Users

from ..semantics.helpers import ask_regular
from ..support import Raw, wait_for
from .apps import HASH, PASSWORD, TOKEN, ask, forged, log_in, make_app, with_login

Serve = Callable[..., Any]
MakeRaw = Callable[..., Raw]


def status_of(raw: MakeRaw, server: Any, cookie: str = "", **headers: str) -> int:
    """What a page's handshake gets: 101 or an error."""
    if cookie:
        headers["Cookie"] = cookie
    try:
        raw(server.url, origin=server.url, headers=headers)
    except InvalidStatus as error:
        return int(error.response.status_code)
    return 101


def test_nothing_is_seen_without_a_login(guarded: Any, raw: MakeRaw) -> None:
    for path in (
        "/",
        "/_dash-layout",
        "/_dash-dependencies",
        "/view",
        "/nowhere",
        "/_dash-devices/metrics",
        "/assets/x",
    ):
        answer = ask(guarded, path)
        assert (answer.status, answer.text) == (401, "Please log in.\n"), path
    assert ask(guarded, "/_dash-update-component", "POST", "{}", Content_Type="application/json").status == 401
    assert status_of(raw, guarded) == 401
    assert guarded.app.touched == []
    assert guarded.app.metrics["refused_login"] == 9


def test_a_browser_is_sent_to_the_page_and_back(guarded: Any) -> None:
    sent = ask(guarded, "/some/page?x=1&y=%20", Accept="text/html,*/*")
    assert (sent.status, sent.headers["location"]) == (303, "/_dash-devices/login?next=/some/page%3Fx%3D1%26y%3D%2520")
    page = ask(guarded, sent.headers["location"])
    assert page.status == 200
    assert 'value="/some/page?x=1&amp;y=%20"' in page.text
    assert "Laser &lt;room&gt;" in page.text
    assert "<script" not in page.text
    back = log_in(guarded, next="/some/page?x=1&y=%20")
    assert (back.status, back.headers["location"]) == (303, "/some/page?x=1&y=%20")
    assert ask(guarded, "/_dash-layout", Cookie=back.cookie).status == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\/evil",
        "javascript:alert(1)",
        "/\t/evil",
        "/ /evil",
        "",
    ],
)
def test_after_the_login_one_stays_here(guarded: Any, elsewhere: str) -> None:
    assert log_in(guarded, next=elsewhere).headers["location"] == "/"
    assert 'name="next" value="/"' in ask(guarded, f"/_dash-devices/login?next={quote(elsewhere)}").text


def test_the_cookie_is_for_this_server_alone(guarded: Any) -> None:
    words = log_in(guarded).headers["set-cookie"].split("; ")
    assert words[0].startswith(f"dash-devices-{guarded.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(words)
    assert "Secure" not in words


def test_the_client_knows_who_it_is(guarded: Any, raw: MakeRaw) -> None:
    page = raw(guarded.url, origin=guarded.url, headers={"Cookie": log_in(guarded).cookie}).join()
    client = guarded.app.clients[0]
    assert (client.username, client.authentication.roles) == ("ada", {"operator"})
    reply = ask_regular(page, "own.children", [("go", "n_clicks", 1)])
    assert reply["body"]["response"]["own"]["children"].startswith("ada Identity(username='ada'")
    assert "ada" in ask(guarded, "/view", Cookie=log_in(guarded).cookie).text


def test_a_wrong_name_or_password_is_refused_alike(guarded: Any) -> None:
    answers = [
        log_in(guarded, name, password) for name, password in (("ada", "x"), ("nobody", "x"), ("logger", ""), ("", ""))
    ]
    assert {answer.status for answer in answers} == {401}
    assert all("The name or the password is wrong." in answer.text and not answer.cookie for answer in answers)
    assert 'value="ada"' in answers[0].text
    assert guarded.app.metrics["refused_password"] == 4
    assert 'value="&lt;b&gt;&quot;"' in log_in(guarded, '<b>"', "x").text


def test_a_forged_cookie_is_none(guarded: Any, raw: MakeRaw) -> None:
    good = log_in(guarded).cookie
    for kind, cookie in forged(good).items():
        assert ask(guarded, "/_dash-layout", Cookie=cookie).status == 401, kind
        assert ask(guarded, "/", Cookie=cookie, Accept="text/html").status == 303, kind
        assert status_of(raw, guarded, cookie) == 401, kind
    assert status_of(raw, guarded, good) == 101


def test_a_cookie_of_another_app_with_the_same_key_is_none(serve: Serve) -> None:
    servers = []
    for name in ("one", "two"):
        app = make_app(name)
        app.login({"ada": HASH}, secret_key="shared")
        servers.append(serve(app))
    cookie = log_in(servers[0]).cookie.replace(str(servers[0].port), str(servers[1].port))
    assert ask(servers[1], "/_dash-layout", Cookie=cookie).status == 401


def test_an_expired_login_is_over_for_http_and_for_the_socket(serve: Serve, raw: MakeRaw) -> None:
    app = make_app()
    app.login({"ada": HASH}, hours=1.2 / 3_600)
    server = serve(app)
    cookie = log_in(server).cookie
    page = raw(server.url, origin=server.url, headers={"Cookie": cookie}).join()
    assert page.closed() == 4401
    wait_for(lambda: ask(server, "/_dash-layout", Cookie=cookie).status == 401, "expired")


def test_logging_out_ends_that_login_alone(guarded: Any, raw: MakeRaw) -> None:
    one, two = log_in(guarded).cookie, log_in(guarded).cookie
    page, other = (raw(guarded.url, origin=guarded.url, headers={"Cookie": cookie}).join() for cookie in (one, two))
    assert "logged in as <strong>ada" in ask(guarded, "/_dash-devices/login", Cookie=one).text
    assert ask(guarded, "/_dash-devices/logout", Cookie=one).status == 303, "a link does not log out"
    assert ask(guarded, "/_dash-layout", Cookie=one).status == 200
    out = ask(guarded, "/_dash-devices/logout", "POST", "", Cookie=one, Origin=guarded.url)
    assert (out.status, out.headers["location"]) == (303, "/_dash-devices/login")
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert page.closed() == 4401
    assert ask(guarded, "/_dash-layout", Cookie=one).status == 401
    assert ask(guarded, "/_dash-layout", Cookie=two).status == 200
    other.change("a", "value", "1")
    assert other.until("ack")


def test_revoking_ends_all_logins_of_one_user(guarded: Any, raw: MakeRaw) -> None:
    ada, grace = log_in(guarded, "ada").cookie, log_in(guarded, "grace").cookie
    pages = [raw(guarded.url, origin=guarded.url, headers={"Cookie": ada}) for _ in range(3)]
    pages[0].join()  # one has joined, one has said hello, one nothing yet
    pages[1].hello()
    other = raw(guarded.url, origin=guarded.url, headers={"Cookie": grace}).join()
    guarded.app.revoke("ada")
    assert [page.closed() for page in pages] == [4401] * 3
    assert status_of(raw, guarded, ada) == 401
    assert ask(guarded, "/_dash-layout", Cookie=ada).status == 401
    other.change("a", "value", "1")
    assert other.until("ack")
    assert status_of(raw, guarded, log_in(guarded, "ada").cookie) == 101, "he may log in again"


def test_a_user_who_is_taken_out_or_gets_another_password_is_out(guarded: Any) -> None:
    ada, grace = log_in(guarded, "ada").cookie, log_in(guarded, "grace").cookie
    del guarded.app.users["ada"]
    guarded.app.users["grace"] = User(HASH.replace(HASH[-1], "0" if HASH[-1] != "0" else "1"))
    assert [ask(guarded, "/_dash-layout", Cookie=cookie).status for cookie in (ada, grace)] == [401, 401]


def test_roles_that_change_reach_open_pages(serve: Serve, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dash_devices.hub.SWEEP_SECONDS", 0.02)
    app: Any = with_login()
    app.protect("shown.children", read="operator")
    server = serve(app)
    ada, logger = {"Cookie": log_in(server, "ada").cookie}, {"Authorization": f"Bearer {TOKEN}"}
    app.users["logger"] = User(token=app.users["logger"].token, roles=["operator"])
    pages = [raw(server.url, origin=server.url, headers=ada).join(), raw(server.url, headers=logger).join()]
    clients = list(app.clients)
    assert [client.authentication.roles for client in clients] == [{"operator"}] * 2
    for name in ("ada", "logger"):
        app.users[name] = User(app.users[name].password, token=app.users[name].token, roles=["guest"])
    assert [page.closed() for page in pages] == [1012] * 2, "what they may read has changed: they connect again"
    assert [client.authentication.roles for client in clients] == [{"guest"}] * 2
    again = raw(server.url, origin=server.url, headers=ada)
    again.resume(pages[0])
    app.users["ada"] = User(app.users["ada"].password, roles=["guest", "night"])
    wait_for(lambda: clients[0].authentication.roles == {"guest", "night"}, "the roles of now")
    again.change("a", "value", "1")
    assert again.until("ack"), "it goes on without connecting again"


@pytest.mark.parametrize("how", ["taken out", "another password"])
def test_open_pages_of_a_login_that_is_over_are_closed(
    serve: Serve, raw: MakeRaw, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("dash_devices.hub.SWEEP_SECONDS", 0.02)
    app: Any = with_login()
    server = serve(app)
    ada, grace = ({"Cookie": log_in(server, name).cookie} for name in ("ada", "grace"))
    page, other = (raw(server.url, origin=server.url, headers=headers).join() for headers in (ada, grace))
    if how == "taken out":
        del app.users["ada"]
    else:
        app.users["ada"] = User(HASH.replace(HASH[-1], "0" if HASH[-1] != "0" else "1"))
    assert page.closed() == 4401
    other.change("a", "value", "1")
    assert other.until("ack")


def test_who_the_author_let_in_is_left_alone() -> None:
    users = Users({"ada": User(HASH, roles=["operator"])}, app="x", secret_key=None, seconds=60)
    for name in ("ada", "eve"):
        theirs = dash_devices.Identity(name, ["guest"])
        assert users.now(theirs) is theirs
    ours = users.of_cookie(users.new_cookie("ada"))
    assert ours is not None
    assert users.now(ours) is ours, "nothing has changed"


def test_a_login_that_was_ended_stays_so_however_many_end_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dash_devices.gate.users.MOST_ENDED", 10)
    users = Users({"ada": HASH, "grace": HASH}, app="x", secret_key=None, seconds=60)
    ada, grace = users.new_cookie("ada"), users.new_cookie("grace")

    def log_out(cookie: str) -> None:
        identity = users.of_cookie(cookie)
        assert identity is not None
        assert identity.session is not None
        users.end(identity.session, identity.username)

    log_out(ada)
    for _ in range(9):
        log_out(users.new_cookie("grace"))
    open_one = users.new_cookie("ada")
    assert users.of_cookie(open_one) is not None
    log_out(users.new_cookie("grace"))
    assert users.of_cookie(ada) is None
    assert users.of_cookie(grace) is not None
    assert users.of_cookie(open_one) is None, "all of hers, rather than one that was ended"


def test_a_script_sends_its_token(guarded: Any, raw: MakeRaw) -> None:
    bearer = f"Bearer {TOKEN}"
    assert ask(guarded, "/_dash-layout", Authorization=bearer).status == 200
    assert ask(guarded, "/_dash-layout", Authorization=f"Bearer {TOKEN}x").status == 401
    assert ask(guarded, "/_dash-layout", Authorization=f"Basic {TOKEN}").status == 401
    assert ask(guarded, f"/_dash-layout?token={TOKEN.replace(' ', '%20')}").status == 401, (
        "not in an address: those are logged"
    )
    raw(guarded.url, headers={"Authorization": bearer}).join()
    assert guarded.app.clients[0].username == "logger"


def test_a_tab_in_which_somebody_else_logs_in_is_another_client(guarded: Any, raw: MakeRaw) -> None:
    ada, grace = ({"Cookie": log_in(guarded, name).cookie} for name in ("ada", "grace"))
    first = raw(guarded.url, origin=guarded.url, headers=ada).join()
    client = guarded.app.clients[0]
    first.drop()
    again = raw(guarded.url, origin=guarded.url, headers=ada)
    again.resume(first)
    assert again.welcome["tab"] == client.id
    again.drop()
    other = raw(guarded.url, origin=guarded.url, headers=grace)
    other.resume(again)
    assert other.welcome["tab"] != client.id
    assert other.welcome["mode"] == "snapshot"
    assert [client.username for client in guarded.app.clients][-1] == "grace"
    assert client.username == client.authentication.username == "ada"


@pytest.mark.parametrize(
    ("method", "body", "kind", "status"),
    [
        ("POST", "x" * 9_000, "application/x-www-form-urlencoded", 413),
        ("POST", '{"name":"ada"}', "application/json", 415),
        ("POST", "name=ada", "", 415),
        ("PUT", "", "", 405),
        ("DELETE", "", "", 405),
    ],
)
def test_what_is_no_form_is_refused(guarded: Any, method: str, body: str, kind: str, status: int) -> None:
    assert ask(guarded, "/_dash-devices/login", method, body, Content_Type=kind).status == status


def test_a_form_of_another_site_is_refused(guarded: Any) -> None:
    assert log_in(guarded, Origin="https://evil.example").status == 403
    assert log_in(guarded, Origin="null").status == 403
    assert log_in(guarded, Origin=guarded.url).status == 303


def test_a_link_from_another_site_asks_once_more_for_the_strict_cookie(guarded: Any) -> None:
    path = "/_dash-devices/login?next=/page"
    first = ask(guarded, path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    assert f'http-equiv="refresh" content="0;url={path}"' in first.text
    second = ask(guarded, path, Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="navigate", Cookie=log_in(guarded).cookie)
    assert (second.status, second.headers["location"]) == (303, "/page")


def test_users_must_be_hashed() -> None:
    with pytest.raises(ValueError, match="hash-password"):
        make_app().login({"ada": PASSWORD})
    with pytest.raises(ValueError, match="hash-password --token"):
        User(token=TOKEN)
    with pytest.raises(TypeError, match="roles: expected several names"):
        dash_devices.Identity("ada", "operator")


def test_an_app_has_one_login() -> None:
    with pytest.raises(ServerError, match="put all users into one dict"):
        with_login().login({"more": HASH})


def test_the_command_makes_what_the_users_need(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["short", PASSWORD, "another", PASSWORD, PASSWORD]
    monkeypatch.setattr("getpass.getpass", lambda prompt: typed.pop(0))
    assert [main(["hash-password"]) for _ in range(3)] == [1, 1, 0]
    said = capsys.readouterr()
    assert "at least 8 characters" in said.err
    assert "two passwords" in said.err
    made = Users({"ada": said.out.strip()}, app="x", secret_key=None, seconds=60)
    assert made.check_password("ada", PASSWORD)
    assert not made.check_password("ada", PASSWORD[:-1])
    assert main(["hash-password", "--token"]) == 0
    script, app = capsys.readouterr().out.strip().splitlines()
    user = User(token=app.partition('"')[2].partition('"')[0])
    who = Users({"logger": user}, app="x", secret_key=None, seconds=60).of_token(script.rpartition(" ")[2])
    assert who == dash_devices.Identity("logger")


def test_a_name_that_does_not_exist_takes_as_long(guarded: Any) -> None:
    """By what is done, not by the clock: a hash is computed for it, too."""
    from dash_devices.gate import users

    seen = []
    real = users.check_password_hash
    users.check_password_hash = lambda *args: seen.append(args) or real(*args)  # type: ignore[func-returns-value]
    try:
        log_in(guarded, "nobody", "x")
    finally:
        users.check_password_hash = real
    assert len(seen) == 1
    assert seen[0][0].partition("$")[0] == HASH.partition("$")[0]


def test_a_prefix_is_kept(serve: Serve) -> None:
    server = serve(with_login(url_base_pathname="/lab/"))
    sent = ask(server, "/lab/page", Accept="text/html")
    assert sent.headers["location"] == "/lab/_dash-devices/login?next=/lab/page"
    assert ask(server, "/lab/_dash-devices/login").status == 200
    assert ask(server, "/elsewhere").status == 401, "what belongs to no app is guarded, too"
