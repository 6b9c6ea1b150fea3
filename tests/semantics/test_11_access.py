"""Section 11: who may change what, and what a rule is."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dash_devices import ALL, MATCH
from dash_devices.clients import Client
from dash_devices.dependencies import Input, Output, State
from dash_devices.errors import RegistrationError

from ..support import Raw, ServerThread
from .helpers import Calls
from .rights import is_admin, make_app

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]


# ---- who may change ----------------------------------------------------------------------------------------------------
def test_11_1_a_change_that_is_not_allowed_looks_like_one_of_nothing(serve: Serve, people: Any) -> None:
    calls, app = Calls(), make_app()

    @app.callback_shared(Output("shown", "children"), Input("limit", "value"), allow=is_admin)
    def limit(value: Any) -> Any:
        calls(value)
        return value

    admin, guest = people(serve(app).url)
    assert calls.next() == "0"
    guest.change("limit", "value", "99")
    guest.change("unheard-of", "value", "99")
    forbidden, unknown = guest.until("nack", n=1), guest.until("nack", n=2)
    assert forbidden["code"] == unknown["code"] == "not_found"
    assert forbidden["message"].replace("limit", "unheard-of") == unknown["message"]
    assert forbidden["values"] == [["limit", "value", "0"]], "the control shows the server's value again"
    admin.change("limit", "value", "5")
    assert admin.until("ack", n=1)
    guest.until_value("shown", "children", "5")
    assert calls.next() == "5"
    assert calls.none_left


@pytest.mark.fault("A2")
def test_11_1_nor_does_a_component_that_is_made_up_make_a_callback_run(serve: Serve, people: Any) -> None:
    """The operator's page may announce rows; a guest's may not, and neither its coming nor its going runs anything."""
    one, all_of_them, app = Calls(), Calls(), make_app()
    app.callback_shared(Output("shown", "children"), Input({"type": "lock", "index": ALL}, "value"), allow=is_admin)(
        all_of_them
    )
    lock, opened = {"type": "lock", "index": MATCH}, {"type": "open", "index": MATCH}
    app.callback_shared(Output(opened, "children"), Input(lock, "value"), allow=is_admin)(one)
    admin, guest = people(serve(app).url)
    assert all_of_them.next() == []

    def announce(page: Raw, index: str) -> None:
        ids = [json.dumps({"index": index, "type": kind}, separators=(",", ":")) for kind in ("lock", "open")]
        page.send({"type": "mount", "values": [[ids[0], "value", 99], [ids[1], "children", None]]})

    announce(guest, "made up")
    guest.request("dependencies")
    guest.close()
    announce(admin, "real")
    assert one.next() == 99
    assert all_of_them.next() == [99]
    assert one.none_left
    assert all_of_them.none_left


def test_11_1_any_listener_may_refuse(serve: Serve, people: Any) -> None:
    app = make_app()
    app.callback_shared(None, Input("limit", "value"))(lambda value: None)
    app.callback_shared(None, Input("limit", "value"), allow=is_admin)(lambda value: None)
    app.callback_shared(None, Input("speed", "value"))(lambda value: None)
    admin, guest = people(serve(app).url)
    guest.changes([("speed", "value", "1"), ("limit", "value", "1")])
    assert guest.until("nack", n=1)["code"] == "not_found"
    assert app.get("speed", "value") == "0", "all or nothing"
    admin.changes([("speed", "value", "1"), ("limit", "value", "1")])
    assert admin.until("ack", n=1)


def test_11_1_the_rule_is_asked_at_each_change(serve: Serve, raw: MakeRaw) -> None:
    app, holder = make_app(), list[str]()
    app.share("limit", "value")
    app.protect("limit.value", change=lambda client: client.id in holder)
    page = raw(serve(app).url).join()
    page.change("limit", "value", 1)
    assert page.until("nack", n=1)
    holder.append(page.welcome["tab"])
    page.change("limit", "value", 2)
    assert page.until("ack", n=2)


@pytest.mark.parametrize("kind", ["raises", "coroutine"])
def test_11_1_a_rule_that_fails_is_a_no(serve: Serve, people: Any, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    app = make_app()
    app.share("limit", "value")

    async def later() -> bool:
        return True

    awaited = later()

    def rule(client: Client) -> Any:
        if kind == "coroutine":
            return awaited
        raise LookupError("no such user")

    app.protect("limit.value", change=rule)
    _, guest = people(serve(app).url)
    guest.change("limit", "value", 1)
    assert guest.until("nack", n=1)["code"] == "not_found"
    assert ("no such user" in caplog.text) == (kind == "raises")
    awaited.close()


def test_11_1_a_mount_decides_nothing_for_who_may_not_change(serve: Serve, people: Any) -> None:
    app = make_app()
    app.share("later", "value")
    app.protect("later.value", change=is_admin)
    admin, guest = people(serve(app).url)
    guest.send({"type": "mount", "values": [["later", "value", "guest's"]]})
    guest.change("limit", "value", 1)
    assert guest.until("nack", n=1)
    assert app.get("later", "value") is None
    admin.send({"type": "mount", "values": [["later", "value", "admin's"]]})
    guest.until_value("later", "value", "admin's")


def test_11_1_state_that_a_page_may_not_change_is_the_servers(serve: Serve, people: Any) -> None:
    calls, app = Calls(), make_app()
    app.share("limit", "value")
    app.protect("limit.value", change=is_admin)

    @app.callback_shared(None, Input("speed", "value"), State("limit", "value"))
    def move(speed: Any, limit: Any) -> None:
        calls((speed, limit))

    admin, guest = people(serve(app).url)
    guest.change("speed", "value", "7", state=[("limit", "value", "1000")])
    assert calls.next() == ("7", "0")
    admin.change("speed", "value", "8", state=[("limit", "value", "1000")])
    assert calls.next() == ("8", "1000"), "who may change it, may say what it is"


# ---- rules -------------------------------------------------------------------------------------------------------------
def _client(authentication: Any) -> Client:
    client = Client("t")
    client.authentication = authentication
    return client


@pytest.mark.parametrize(
    ("authentication", "yes"),
    [
        (None, False),
        ("operator", False),
        (SimpleNamespace(roles=["operator"]), True),
        (SimpleNamespace(roles="operator"), True),
        (SimpleNamespace(roles="operators"), False),
        (SimpleNamespace(roles=None), False),
        (SimpleNamespace(roles=7), False),
        ({"roles": {"guest", "admin"}}, True),
        ({"roles": "guest"}, False),
    ],
)
def test_11_1_roles(authentication: Any, yes: bool) -> None:
    app = make_app()
    app.protect("limit.value", change=["operator", "admin"], read=["operator", "admin"])
    access, client = app._engine.access, _client(authentication)
    assert access.may_change(client, ("limit", "value")) == yes
    assert access.may_read(client, ("limit", "value")) == yes
    assert access.may_change(client, ("speed", "value"))
    assert access.may_read(client, ("speed", "value"))


def test_11_1_nobody_but_the_server() -> None:
    app = make_app()
    app.protect("limit.value", change=())
    assert not app._engine.access.may_change(_client({"roles": ["admin"]}), ("limit", "value"))
    assert app._engine.access.may_change(None, ("limit", "value"))


def test_11_1_patterns_are_protected_with_all_that_fits_them() -> None:
    app = make_app()
    app.protect(Input({"type": "gain", "index": ALL}, "value"), change="admin")
    may = lambda id: app._engine.access.may_change(_client(None), (json.dumps(id, separators=(",", ":")), "value"))  # noqa: E731
    assert not may({"index": 0, "type": "gain"})
    assert not may({"index": "x", "type": "gain"})
    assert may({"index": 0, "type": "offset"})
    assert may({"index": 0, "more": 1, "type": "gain"})


@pytest.mark.parametrize(
    ("target", "rules", "says"),
    [
        ("limit.value", {}, "expected read=, change= or both"),
        ("limit.value", {"read": 7}, "expected a role"),
        ("limit.value", {"read": [7]}, "expected a role"),
        ("limit", {"read": "admin"}, "expected 'id.property'"),
        (7, {"read": "admin"}, "expected 'id.property'"),
        ("limit.id", {"read": "admin"}, "no secret"),
    ],
)
def test_11_1_what_is_no_rule(target: Any, rules: Any, says: str) -> None:
    with pytest.raises(RegistrationError, match=says):
        make_app().protect(target, **rules)


def test_11_1_an_async_rule_is_an_error() -> None:
    async def rule(client: Client) -> bool:
        return True

    with pytest.raises(RegistrationError, match="plain function"):
        make_app().callback_shared(None, Input("limit", "value"), allow=rule)(lambda value: None)
