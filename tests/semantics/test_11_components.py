"""Section 11: components, Patches and ``__proto__`` come from code, never from data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

import dash_devices
from dash_devices import ALL, dcc, html, set_props
from dash_devices.dependencies import Input, Output, State
from dash_devices.exceptions import ComponentsError

from ..support import Raw, ServerThread, wire_id
from .helpers import Calls, ask_regular, until_all
from .rights import is_admin

pytestmark = pytest.mark.fault("A2")

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]

LOCATION = {
    "namespace": "dash_core_components",
    "type": "Location",
    "props": {"id": "l", "href": "https://evil.example"},
}
SHUTTER = {"namespace": "dash_core_components", "type": "Slider", "props": {"id": "shutter", "value": 66}}
BOMB = {
    "__dash_patch_update": "__dash_patch_update",
    "operations": [{"operation": "Mul", "location": [], "params": {"value": 60_000_000}}],
}
POLLUTED = {"__proto__": {"polluted": 1}}
HOSTILE = {
    "component": LOCATION,
    "in a list": [1, LOCATION],
    "deep": {"a": [{"label": SHUTTER}]},
    "of odd types": {"namespace": 1, "type": None, "props": []},
    "patch": BOMB,
    "patch in a dict": {"a": BOMB},
    "prototype": POLLUTED,
    "prototype in a list": [{"a": POLLUTED}],
}
DATA = ("value", "data", "src", "contents", "figure", "rowData", "children", "options", "selectedRows")


def app_with(*layout: Any, **options: Any) -> dash_devices.Dash:
    """An app whose ``x`` pages may write, and whose ``shown`` is what comes of it."""
    app = dash_devices.Dash(__name__, **options)
    app.layout = html.Div([html.Div(id="x"), html.Div(id="private", children="given"), html.Div(id="shown"), *layout])
    for property in DATA:
        app.share("x", property)
    return app


# ---- in ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("property", DATA)
@pytest.mark.parametrize("name", HOSTILE)
def test_11_2_an_input_is_data(serve: Serve, raw: MakeRaw, name: str, property: str) -> None:
    app = app_with()
    page = raw(serve(app).url).join()
    page.change("x", property, HOSTILE[name])
    assert page.until("nack", n=1)["code"] == "bad_value"
    page.send({"type": "mount", "values": [["x", property, HOSTILE[name]]] if name != "patch" else []})
    page.change("x", "value", "plain")
    assert page.until("ack", n=2)
    assert app.get("x", property) in (None, "plain")
    assert app.metrics["changes_refused"] == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_11_2_state_is_data_or_the_servers_own(serve: Serve, raw: MakeRaw, name: str) -> None:
    app, calls = app_with(), Calls()
    states = [State("private", "children"), State("pushed", "data"), State("unheard-of", "value")]

    @app.callback_shared(Output("shown", "children"), Input("x", "value"), *states, prevent_initial_call=True)
    def give(value: Any, *state: Any) -> Any:
        calls(list(state))
        return state[0]

    app.push_mods({"pushed": {"data": {"of": "the server"}}})
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    said = [(one.component_id, one.component_property, HOSTILE[name]) for one in states]
    page.change("x", "value", 1, state=said)
    assert calls.next() == ["given", {"of": "the server"}, None]
    other.until_value("shown", "children", "given")
    page.send({"type": "mount", "values": [["shown", "title", 1]], "state": [list(one) for one in said]})
    page.change("x", "value", 2, state=[("private", "children", "typed")])
    assert calls.next() == ["typed", {"of": "the server"}, None]


def test_11_2_state_that_came_with_a_mount(serve: Serve, raw: MakeRaw) -> None:
    app, calls = app_with(), Calls()
    id = {"type": "row", "index": 1}
    read = app.callback_shared(
        Output(id, "title"), Input({"type": "row", "index": ALL}, "value"), State("private", "children")
    )
    read(lambda values, state: calls(state) or "")
    page = raw(serve(app).url).join()
    page.send({"type": "mount", "values": [[wire_id(id), "value", 1]], "state": [["private", "children", LOCATION]]})
    assert calls.next() == "given"


@pytest.mark.parametrize("over", ["socket", "http"])
def test_11_2_a_request_names_no_prototype(serve: Serve, raw: MakeRaw, over: str) -> None:
    app, calls = app_with(), Calls()
    app.callback(Output("shown", "title"), Input("x", "n_blur"))(calls)
    url = serve(app).url
    page = raw(url).join()
    for number, value in enumerate([POLLUTED, [{"a": POLLUTED}], {"__dash_patch_update": 1, "a": "__proto__"}]):
        if over == "socket":
            status = ask_regular(page, "shown.title", [("x", "n_blur", value)])["status"]
        else:
            body = json.dumps(
                {
                    "output": "shown.title",
                    "outputs": {"id": "shown", "property": "title"},
                    "inputs": [{"id": "x", "property": "n_blur", "value": value}],
                    "changedPropIds": ["x.n_blur"],
                }
            ).replace("__proto__", "\\u005f_proto__" if number else "__proto__")
            status = requests.post(
                f"{url}/_dash-update-component", body, headers={"Content-Type": "application/json"}, timeout=10
            ).status_code
        assert status == (400 if number < 2 else 204 if over == "nothing" else 200)
    assert calls.next() == value
    assert calls.none_left
    assert app.metrics["refused_prototype"] == 2


def test_11_2_an_answer_names_no_prototype(serve: Serve, raw: MakeRaw) -> None:
    app, calls = app_with(), Calls()

    @app.callback(Output("shown", "title"), Input("x", "n_blur"))
    async def ask(n: Any) -> Any:
        calls(await dash_devices.ctx.websocket.get_prop("private", "children"))

    page = raw(serve(app).url).join()
    for value in (POLLUTED, [LOCATION]):
        body = {
            "output": "shown.title",
            "outputs": {"id": "shown", "property": "title"},
            "inputs": [{"id": "x", "property": "n_blur", "value": 1}],
            "changedPropIds": ["x.n_blur"],
        }
        page.send({"type": "request", "ref": 7, "route": "callback", "query": "", "body": body})
        page.send({"type": "answer", "ref": page.until("ask")["ref"], "values": {"children": value}})
        assert page.until("reply")["status"] == (204 if value is POLLUTED else 200)
    assert calls.next() == [LOCATION], "it goes back to its own page, or not at all"
    assert calls.none_left


# ---- out ---------------------------------------------------------------------------------------------------------------
def stored(app: dash_devices.Dash, value: Any) -> Any:
    """What a page said in a request, or what was read from a file: plain data."""
    return json.loads(json.dumps(value))


WAYS: dict[str, Callable[[Any], Any]] = {
    "itself": lambda value: value,
    "in a list": lambda value: [html.B("x"), value],
    "in a component": html.Span,
    "in a figure": lambda value: dcc.Graph(figure={"data": [], "layout": {"meta": value}}),
    "as a prop": lambda value: dcc.Checklist(options=[{"label": value, "value": 1}]),
    "spread": lambda value: {**value},
    "with numbers as keys": lambda value: html.Div({1: value, 2: html.B()}),
    "patched in": lambda value: _appended(value),
}


def _appended(value: Any) -> Any:
    patch = dash_devices.Patch()
    patch.append(value)
    return patch


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [LOCATION, BOMB], ids=["component", "patch"])
def test_11_2_what_goes_to_other_pages_has_no_components_of_data(
    serve: Serve, raw: MakeRaw, caplog: pytest.LogCaptureFixture, way: str, value: Any
) -> None:
    app, calls = app_with(), Calls()
    made, rows = WAYS[way](stored(app, value)), html.Div(id="rows", children=[])
    app.push_mods({"panel": {"children": rows}, "list": {"children": []}})

    def refused(give: Callable[[], Any]) -> None:
        with pytest.raises(ComponentsError, match=r"list\.children.*a plain dict"):
            give()

    @app.callback_shared(Output("list", "children"), Input("go", "n_clicks"))
    def give(n: Any) -> Any:
        refused(lambda: app.push_mods({"list": {"children": made}}))
        refused(lambda: app.push_mods([{"id": "list", "property": "children", "value": made}], client="nobody"))
        refused(lambda: set_props("list", {"children": made}))
        calls("tried")
        return made if n == 1 else Output("list", "children", made)

    @app.callback(Output("own", "children"), Input("go", "n_blur"), State("own", "children"))
    def regular(n: Any, own: Any) -> Any:
        refused(lambda: app.push_mods({"list": {"children": WAYS[way](own)}}))
        return own

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    for n in (1, 2):
        page.change("go", "n_clicks", n)
        assert calls.next() == "tried"
    reply = ask_regular(page, "own.children", [("go", "n_blur", 1)], [("own", "children", value)])
    assert reply["body"]["response"]["own"]["children"] == value, "its own page has what it sent"
    app.push_mods({"shown": {"children": "the end"}})
    other.until_value("shown", "children", "the end")
    assert app.get("list", "children") == []
    assert not any(word in str(other.seen) for word in ("evil", "Mul"))
    assert app.metrics["components_refused"] == 9
    assert caplog.text.count("give failed: list.children") == 2


def test_11_2_the_error_names_the_place() -> None:
    app = app_with()
    with pytest.raises(ComponentsError, match=r"^a\.b\[1\]\.props\.children\.x: expected components"):
        app.push_mods({"a": {"b": [1, html.Div({"x": LOCATION})]}})
    app.push_mods({"a": {"b": [1, html.Div({"x": LOCATION})]}}, components=True)
    assert app.get("a", "b")[1]["props"]["children"]["x"] == LOCATION


def test_11_2_what_a_page_may_write_as_components_stays_data_elsewhere(serve: Serve, raw: MakeRaw) -> None:
    app, calls = app_with(), Calls()
    app.share("wanted", "children", components=True)

    @app.callback_shared(Output("shown", "children"), Input("wanted", "children"), State("outer", "children"))
    def give(value: Any, outer: Any) -> Any:
        for part in (value, outer):
            with pytest.raises(ComponentsError):
                app.push_mods({"shown": {"children": part}})
        calls(value)
        return outer[1:]

    app.push_mods({"outer": {"children": [html.Div(id="wanted"), html.B("x")]}})
    page = raw(serve(app).url).join()
    page.change("wanted", "children", [LOCATION])
    assert calls.next() == [LOCATION]
    page.until_value(
        "shown", "children", [{"namespace": "dash_html_components", "type": "B", "props": {"children": "x"}}]
    )


# ---- what is nested sets nothing that its cause may not ------------------------------------------------------------------
def shutter_app(calls: Calls, *layout: Any) -> dash_devices.Dash:
    app = app_with(html.Div(id="panel"), html.Div(id="own"), *layout)
    app.share("wide", "children")
    app.callback_shared(Output("moved", "children"), Input("shutter", "value"), allow=is_admin)(calls)
    return app


WRITERS: dict[str, Callable[[dash_devices.Dash, Any], Any]] = {
    "result": lambda app, value: html.Div(dcc.Slider(id="shutter", value=value)),
    "push": lambda app, value: (
        app.push_mods({"panel": {"children": dcc.Slider(id="shutter", value=value)}}) and html.Hr()
    ),
    "set_props": lambda app, value: (
        set_props("panel", {"children": dcc.Slider(id="shutter", value=value)}) or html.Hr()
    ),
}


def _to_an_admin(app: dash_devices.Dash, value: Any) -> Any:
    admin = next(client for client in app.clients if is_admin(client))
    app.push_mods({"wide": {"children": dcc.Slider(id="shutter", value=value)}}, client=admin)
    return html.Hr()


WRITERS["push to one page"] = _to_an_admin


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("way", WRITERS)
def test_11_2_nested_components_set_nothing_that_the_cause_may_not_change(
    serve: Serve, people: Any, way: str, is_there: bool
) -> None:
    calls = Calls()
    app = shutter_app(calls, html.Div(id="moved"), *[dcc.Slider(id="shutter", value=1)][:is_there])
    write = app.callback_shared(Output("shown", "children"), Input("x", "value"), prevent_initial_call=True)
    write(lambda value: WRITERS[way](app, value))
    admin, guest = people(serve(app).url)
    guest.change("x", "value", 66)
    app_said = 1 if is_there else None
    assert calls.next() == app_said
    assert guest.until("ack", n=1)
    guest.change("shutter", "value", 66)
    assert guest.until("nack", n=2)
    until_all(admin, ("shutter", "value", app_said))
    admin.send({"type": "mount", "values": [["shutter", "value", 66]]})  # as drawn, if it were for the guest
    admin.request("dependencies")
    assert app.get("shutter", "value") == app_said
    admin.change("x", "value", 5)
    assert calls.next() == 5, "who may change it, may have it set"
    assert calls.none_left


@pytest.mark.parametrize("way", ["patch", "chain"])
def test_11_2_nor_do_patches_and_what_follows(serve: Serve, people: Any, way: str) -> None:
    calls = Calls()
    app = shutter_app(calls, html.Div(id="moved"))
    app.push_mods({"panel": {"children": [dcc.Slider(id="shutter", value=1)]}})

    @app.callback_shared(
        Output("panel" if way == "patch" else "shown", "children"), Input("x", "value"), prevent_initial_call=True
    )
    def first(value: Any) -> Any:
        patch = dash_devices.Patch()
        patch[0]["props"]["value"] = value
        return patch if way == "patch" else value

    if way == "chain":
        app.callback_shared(Output("panel", "children"), Input("shown", "children"), prevent_initial_call=True)(
            lambda value: [dcc.Slider(id="shutter", value=value)]
        )
    admin, guest = people(serve(app).url)
    assert calls.next() == 1
    guest.change("x", "value", 66)
    guest.until_value("shutter", "value", 1)
    assert app.get("shutter", "value") == 1
    assert app.get("panel", "children")[0]["props"]["value"] == 1
    admin.change("x", "value", 5)
    assert calls.next() == 5


def test_11_2_nor_do_runs_because_a_page_comes_or_goes(serve: Serve, people: Any) -> None:
    calls, ran = Calls(), Calls()
    app = shutter_app(calls, html.Div(id="moved"), dcc.Slider(id="shutter", value=1))

    rows = Input({"type": "row", "index": ALL}, "value")

    @app.callback_shared(Output("panel", "children"), rows, State("typed", "value"))
    def most(values: Any, typed: Any) -> Any:
        ran((values, typed))
        return dcc.Slider(id="shutter", value=max([value for value in (*values, typed) if value], default=1))

    def mount(page: Raw, index: int, value: Any, typed: Any = None) -> None:
        values = [[wire_id({"type": "row", "index": index}), "value", value]]
        page.send({"type": "mount", "values": values, "state": [["typed", "value", typed]]})

    admin, guest = people(serve(app).url)
    assert (calls.next(), ran.next()) == (1, ([], None))
    mount(guest, 1, None, 88)
    assert ran.next() == ([None], 88)
    mount(guest, 2, 77)
    assert ran.next() == ([None, 77], None)
    guest.close()
    assert ran.next() == ([], None)
    assert app.get("shutter", "value") == 1
    mount(admin, 3, 5)
    assert ran.next() == ([5], None)
    assert calls.next() == 5
    assert calls.none_left


def test_11_2_what_a_regular_callback_brings_counts_as_mounted_by_its_page(serve: Serve, people: Any) -> None:
    calls = Calls()
    app = shutter_app(calls)
    app.share("loose", "value")

    @app.callback(Output("own", "children"), Input("x", "n_blur"), State("text", "value"))
    def bring(n: Any, value: Any) -> Any:
        moved = html.Div(id="moved")
        return [
            moved,
            dcc.Slider(id="shutter", value=n),
            html.Div(id="read", children=value),
            dcc.Input(id="loose", value=value),
        ]

    app.callback_shared(Output("shown", "children"), Input("x", "value"), State("read", "children"))(
        lambda value, read: read
    )
    admin, guest = people(serve(app).url)
    assert ask_regular(guest, "own.children", [("x", "n_blur", 66)], [("text", "value", LOCATION)])["status"] == 200
    assert calls.next() is None, "it runs, because it is there, but not with what the guest may not say"
    assert (app.get("shutter", "value"), app.get("loose", "value")) == (None, None)
    guest.change("x", "value", 1, state=[("read", "children", LOCATION)])
    assert guest.until("ack", n=1)
    app.push_mods({"end": {"children": "the end"}})
    admin.until_value("end", "children", "the end")
    assert "evil" not in str(admin.seen)
    assert ask_regular(admin, "own.children", [("x", "n_blur", 5)], [("text", "value", "t")])["status"] == 200
    admin.send({"type": "mount", "values": [["shutter", "value", 5], ["loose", "value", "t"]]})
    assert calls.next() == 5, "as soon as somebody shows it who may say it"
    until_all(guest, ("shutter", "value", 5), ("loose", "value", "t"))
    guest.change("x", "value", 2, state=[("read", "children", "t")])
    admin.until_value("shown", "children", "t")
