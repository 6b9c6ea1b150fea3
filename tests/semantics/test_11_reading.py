"""Section 11: who may read what."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import dash_devices
from dash_devices import ALL, Patch, callback_context, dcc, html
from dash_devices.dependencies import Input, Output

from ..support import Raw, ServerThread, wait_for
from .helpers import Calls, ask_regular, props_of
from .rights import CANARY, GIVEN, is_admin, make_app, said

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]


# ---- who may read ------------------------------------------------------------------------------------------------------
def test_11_1_what_a_page_may_not_read_it_never_gets(serve: Serve, people: Any) -> None:
    app = make_app()
    app.protect("secret.children", read=is_admin)

    @app.callback_shared(Output("shown", "children"), Input("speed", "value"), read=is_admin)
    def shown(value: Any) -> Any:
        return f"{CANARY} {value}"

    admin, guest = people(serve(app).url)
    assert props_of(guest.layout(), "secret") == {"id": "secret", "title": "open"}
    assert props_of(admin.layout(), "secret")["children"] == GIVEN
    guest.change("speed", "value", "3")
    assert guest.until("ack", n=1)
    admin.until_value("shown", "children", f"{CANARY} 3")
    app.push_mods({"secret": {"children": f"{CANARY} pushed", "title": "pushed"}})
    guest.until_value("secret", "title", "pushed")
    admin.until_value("secret", "title", "pushed")
    assert CANARY not in said(guest)
    assert f"{CANARY} pushed" in said(admin)


def test_11_1_a_resume_and_a_snapshot_hide_it_too(serve: Serve, raw: MakeRaw, people: Any) -> None:
    app = make_app()
    app.protect("shown.children", read=is_admin)
    server = serve(app)
    _, guest = people(server.url)
    guest.drop()
    app.push_mods({"shown": {"children": CANARY, "title": "t"}})
    back = raw(server.url)
    assert back.resume(guest)["mode"] == "delta"
    back.until_value("shown", "title", "t")
    stranger = raw(server.url)
    assert stranger.hello(epoch="another", seq=3)["mode"] == "snapshot"
    stranger.until_value("shown", "title", "t")
    assert CANARY not in said(back) + said(stranger)


def test_11_1_what_stands_inside_is_protected_with_it(serve: Serve, people: Any) -> None:
    app = make_app()
    app.protect(Output("panel", "children"), read=is_admin)
    app.share("inside", "value")
    app.share({"type": "gain", "index": ALL}, "value")
    admin, guest = people(serve(app).url)
    assert "children" not in props_of(guest.layout(), "panel")
    gain = {"type": "gain", "index": 0}
    app.push_mods({"panel": {"children": html.Div([dcc.Input(id=gain, value=CANARY)])}})
    admin.change(gain, "value", f"{CANARY} changed")
    assert admin.until("ack", n=1)
    guest.change(gain, "value", "1")
    assert guest.until("nack", n=1)["values"] == []
    app.push_mods({"inside": {"value": f"{CANARY} still"}, "shown": {"title": "end"}})
    for page in (admin, guest):
        page.until_value("shown", "title", "end")
    assert CANARY not in said(guest)
    assert f"{CANARY} still" in said(admin)


def test_11_1_it_is_cut_out_of_what_it_stands_in(serve: Serve, people: Any) -> None:
    app = make_app()
    app.protect("code.value", read=is_admin)
    admin, guest = people(serve(app).url)
    field = dcc.Input(id="code", value=CANARY, placeholder="code")
    app.push_mods({"shown": {"children": [field]}})
    mods = guest.until("mods")["mods"]
    assert [mod[1] for mod in mods] == ["children"]
    assert mods[0][2][0]["props"] == {"id": "code", "placeholder": "code"}
    grown = Patch()
    grown.append(dcc.Input(id="code", value=f"{CANARY} 2"))
    app.push_mods({"shown": {"children": grown}})
    assert CANARY not in json.dumps(guest.until("mods"))
    assert CANARY in json.dumps(admin.until("mods"))


def test_11_1_events_and_points_of_a_hidden_figure(serve: Serve, people: Any) -> None:
    app = make_app()
    figure = {"data": [{"x": [1], "y": [1]}], "layout": {"title": CANARY}}
    app.layout.children.append(dcc.Graph(id="plot", figure=figure))
    app.protect("plot.figure", read=is_admin)
    app.protect("file.data", read=is_admin)
    app._engine.events._names |= {"file.data"}
    admin, guest = people(serve(app).url)
    app.push_mods({"plot": {"extendData": {"x": [[CANARY]], "y": [[2]]}}, "shown": {"title": "end"}})
    guest.until_value("shown", "title", "end")
    assert "figure" not in props_of(guest.layout(), "plot")
    assert CANARY not in said(guest)
    assert CANARY in json.dumps(admin.until("mods"))


def test_11_1_results_of_regular_callbacks_hide_it_too(serve: Serve, people: Any) -> None:
    app = make_app()
    app.protect("secret.children", read=is_admin)
    app.protect("code.value", read=is_admin)

    @app.callback(Output("secret", "children"), Output("shown", "children"), Input("speed", "n_blur"))
    def regular(count: Any) -> Any:
        callback_context.set_props("later", {"children": dcc.Input(id="code", value="pushed by the author")})
        return f"{CANARY} result", dcc.Input(id="code", value=f"{CANARY} nested")

    admin, guest = people(serve(app).url)
    ask = ("..secret.children...shown.children..", [("speed", "n_blur", 1)])
    assert ask_regular(admin, *ask)["body"]["response"]["secret"] == {"children": f"{CANARY} result"}
    reply = ask_regular(guest, *ask)
    assert reply["status"] == 200
    assert CANARY not in json.dumps(reply)
    assert reply["body"]["response"]["shown"]["children"]["props"] == {"id": "code"}


def test_11_1_a_page_is_not_asked_for_what_it_may_not_have(serve: Serve, people: Any) -> None:
    app, answers = make_app(), Calls()
    app.protect("secret.children", read=is_admin)

    @app.callback(Output("shown", "children"), Input("speed", "n_blur"))
    async def regular(count: Any) -> Any:
        answers(await callback_context.websocket.get_prop("secret", "children"))
        return "asked"

    _, guest = people(serve(app).url)
    ask_regular(guest, "shown.children", [("speed", "n_blur", 1)])
    assert answers.next() is None
    assert "ask" not in [message["type"] for message in guest.seen]


def test_11_1_errors_name_no_values_to_pages_that_may_not_read_all(serve: Serve, people: Any) -> None:
    app = make_app()
    app.protect("secret.children", read=is_admin)

    @app.callback_shared(Output("secret", "children"), Input("speed", "value"), prevent_initial_call=True)
    def fails(value: Any) -> Any:
        raise ValueError(CANARY)

    server = serve(app, debug=True, dev_tools_hot_reload=False, dev_tools_disable_version_check=True)
    admin, guest = people(server.url)
    admin.change("speed", "value", 1)
    assert CANARY in admin.until("error")["message"]
    app.push_mods({"shown": {"title": "end"}})
    guest.until_value("shown", "title", "end")
    assert "error" not in [message["type"] for message in guest.seen]


def test_11_1_write_only(serve: Serve, people: Any) -> None:
    """A suggestion box: everybody may put something in, and only some may look."""
    app = make_app()
    app.share("limit", "value")
    app.protect("limit.value", read=is_admin)
    admin, guest = people(serve(app).url)
    guest.change("limit", "value", "mine")
    ack = guest.until("ack", n=1)
    admin.until_value("limit", "value", "mine")
    outbox = app._hub.session_of(guest.welcome["tab"]).outbox  # type: ignore[union-attr]
    assert outbox.checksum(app._engine.shared) == guest.held.hash, f"it counts its own change at {ack['seq']}"
    admin.change("limit", "value", CANARY)
    admin.until("ack", n=1)
    guest.changes([("limit", "value", {"__dash_patch_update": "", "operations": []})])
    assert guest.until("nack", n=2)["values"] == []
    assert outbox.checksum(app._engine.shared) == guest.held.hash
    assert CANARY not in said(guest)


def test_11_1_the_hash_counts_what_the_page_may_hold(serve: Serve, people: Any) -> None:
    app = make_app()
    app.protect("shown.children", read=is_admin)
    admin, guest = people(serve(app).url)
    app.push_mods({"shown": {"children": CANARY, "title": "1"}, "secret": {"title": "2"}})
    for page in (admin, guest):
        page.until_value("secret", "title", "2")
        outbox = app._hub.session_of(page.welcome["tab"]).outbox  # type: ignore[union-attr]
        assert outbox.checksum(app._engine.shared) == page.held.hash != 0


def test_11_1_its_mount_is_ignored(serve: Serve, raw: MakeRaw, people: Any) -> None:
    app = make_app()
    app.share("later", "value")
    app.protect("later.value", read=is_admin)
    url = serve(app).url
    _, guest = people(url)
    app.push_mods({"later": {"value": CANARY}})
    guest.send({"type": "mount", "values": [["later", "value", None]]})
    app.push_mods({"shown": {"title": "end"}})
    guest.until_value("shown", "title", "end")
    assert [t for m in guest.seen for t in m.get("mods", []) + m.get("props", [])] == [["shown", "title", "end"]]
    assert app.get("later", "value") == CANARY
    app.share("never", "value")
    app.protect("never.value", read=is_admin)
    assert guest.closed() == 1012, "there is a new rule"
    guest = raw(url).join()
    guest.send({"type": "mount", "values": [["never", "value", "made up"]]})
    guest.change("speed", "value", 1)
    assert guest.until("nack", n=1)
    assert app.get("never", "value") is None, "nor is it adopted: the page cannot know what it shows"


def test_11_1_a_push_to_one_client_is_the_authors_word(serve: Serve, people: Any) -> None:
    app = make_app()
    app.protect("secret.children", read=is_admin)
    _, guest = people(serve(app).url)
    app.push_mods({"secret": {"children": "for you"}}, client=guest.welcome["tab"])
    guest.until_value("secret", "children", "for you")


def test_11_1_over_http_alone(serve: Serve) -> None:
    app = make_app(suppress_callback_exceptions=False)
    tree = app.layout
    app.layout = lambda: tree  # the index of such an app holds its layout, too
    app.protect("secret.children", read=is_admin)
    app.protect("inside.value", read=is_admin)
    server = serve(app)
    for path in ("/_dash-layout", "/"):
        seen = {}
        for name in ("admin", "guest"):
            with urlopen(Request(server.url + path, headers={"User-Agent": name})) as response:
                seen[name] = response.read().decode()
        assert GIVEN in seen["admin"]
        assert GIVEN not in seen["guest"]


def make_trusting(**options: Any) -> tuple[dash_devices.Dash, set[str]]:
    """An app, and the ids of the clients that may read ``shown.children``."""
    app, trusted = make_app(**options), set[str]()
    app.protect("shown.children", read=lambda client: client.id in trusted)
    return app, trusted


def test_11_1_rights_that_change_while_a_page_is_open(serve: Serve, raw: MakeRaw, people: Any) -> None:
    app, trusted = make_trusting()
    app.push_mods({"shown": {"children": CANARY}})
    server = serve(app)
    _, guest = people(server.url)
    trusted.add(guest.welcome["tab"])
    assert guest.closed() == 1012
    back = raw(server.url)
    assert back.resume(guest)["mode"] == "snapshot"
    back.until_value("shown", "children", CANARY)
    trusted.clear()
    assert back.closed() == 1012
    again = raw(server.url)
    again.resume(back)
    app.push_mods({"shown": {"children": f"{CANARY} 2", "title": "end"}})
    again.until_value("shown", "title", "end")
    assert CANARY not in said(again)


def test_11_1_the_values_of_new_rights_come_again_where_a_lost_socket_swallowed_them(
    serve: Serve, raw: MakeRaw, people: Any
) -> None:
    app, trusted = make_trusting()
    app.push_mods({"shown": {"children": CANARY}})
    server = serve(app)
    _, guest = people(server.url)
    trusted.add(guest.welcome["tab"])
    assert guest.closed() == 1012
    before = guest.seq
    back = raw(server.url, pong=False)
    assert back.resume(guest)["mode"] == "snapshot"
    back.until_value("shown", "children", CANARY)  # say that the line took it and the page never saw it
    back.drop()
    back.seq = before
    again = raw(server.url)
    assert again.resume(back)["mode"] == "snapshot"
    again.until_value("shown", "children", CANARY)


def test_11_1_events_that_waited_while_rights_changed_are_counted(serve: Serve, raw: MakeRaw, people: Any) -> None:
    """Which they were might be a secret by now."""
    app, trusted = make_trusting(event_properties=["beep"], leave_after=60)
    server = serve(app)
    _, guest = people(server.url)
    guest.drop()
    wait_for(lambda: not all(client.connected for client in app.clients), "the line to be lost")
    for number in range(3):
        app.push_mods({"shown": {"beep": number}})
    trusted.add(guest.welcome["tab"])
    back = raw(server.url)
    assert back.resume(guest)["mode"] == "snapshot"
    message = back.until("mods")
    assert (message["events"], message["lost"]) == ([], 3)


def test_11_1_numbers_go_on_when_rights_change(serve: Serve, raw: MakeRaw, people: Any) -> None:
    (app, trusted), calls = make_trusting(), Calls()
    app.callback_shared(None, Input("speed", "value"))(calls)
    server = serve(app)
    _, guest = people(server.url)
    guest.change("speed", "value", "1")
    assert guest.until("ack", n=1)
    trusted.add(guest.welcome["tab"])
    assert guest.closed() == 1012
    back = raw(server.url)
    welcome = back.resume(guest)
    assert (welcome["mode"], welcome["kept"], welcome["handled"]) == ("snapshot", True, 1)
    back.n = 0  # the first one again, too: its answer may have been lost
    for value in ("1", "2"):
        back.change("speed", "value", value)
    assert back.until("ack", n=2)
    assert calls.take(2) == ["1", "2"]
    assert calls.none_left


def test_11_1_a_rule_that_comes_later_counts_at_once(serve: Serve, people: Any) -> None:
    app = make_app()
    admin, guest = people(serve(app).url)
    app.protect("shown.children", read=is_admin)
    app.push_mods({"shown": {"children": CANARY}})
    admin.until_value("shown", "children", CANARY)
    assert guest.closed() == 1012
    assert CANARY not in said(guest)


def test_11_1_pages_of_the_same_rights_share_what_is_encoded(serve: Serve, raw: MakeRaw) -> None:
    app = make_app()
    app.protect("secret.children", read=is_admin)
    app.protect("shown.title", read="nobody has this role")
    url = serve(app).url
    pages = [raw(url, headers={"User-Agent": name}).join() for name in ("admin", "guest", "guest", "guest")]
    views = [app._hub.session_of(page.welcome["tab"]).outbox.view for page in pages]  # type: ignore[union-attr]
    assert views[0] is not views[1] is views[2] is views[3]
    wait_for(lambda: len(app.clients) == 4)
