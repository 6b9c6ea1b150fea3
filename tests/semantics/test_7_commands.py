"""Section 7.6: one-shot commands are events, and what nobody caused writes none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_ag_grid
import dash_bootstrap_components as dbc
import dash_mantine_components as dmc
import pytest
from dash import dcc, html

import dash_devices
from dash_devices import Patch
from dash_devices.dependencies import Input, Output
from dash_devices.events import COMMANDS

from ..support import Raw, wait_for
from .helpers import Calls, ask_regular, props_of, shows
from .tools import make_app, push_and_wait, told

Given = Callable[..., Any]
LIBRARIES = (dcc, dash_ag_grid, dmc)


def file(name: str) -> dict[str, Any]:
    return {"content": name, "filename": f"{name}.txt"}


def events(app: dash_devices.Dash, page: Raw) -> list[list[Any]]:
    """The events that a page was sent until now."""
    told(app, page)
    return [event for message in page.seen for event in message.get("events", [])]


def properties(page: Raw) -> set[str]:
    """The names of all that a page was sent as state."""
    return {mod[1] for message in page.seen for mod in message.get("mods", [])}


# ---- which ---------------------------------------------------------------------------------------------------------------
def component(type: str) -> Any:
    made = next(getattr(library, type) for library in LIBRARIES if hasattr(library, type))
    return (
        made(id="it", value="")
        if type == "CopyButton"
        else made(html.P(), id="it")
        if type.endswith("Provider")
        else made(id="it")
    )


@pytest.mark.fault("D1")
@pytest.mark.parametrize(("type", "property"), [(type, name) for type, names in COMMANDS.items() for name in names])
def test_7_6_commands_are_events(serve: Given, raw: Given, type: str, property: str) -> None:
    app = make_app(component(type), html.Div(id="marker"))
    assert property in app.layout["it"].available_properties
    url = serve(app).url
    page = raw(url).join()
    for value in (["one"], ["two"]):
        app.push_mods({"it": {property: value}})
    assert events(app, page) == [["it", property, ["one"]], ["it", property, ["two"]]]
    late = raw(url)
    late.hello()
    assert property not in props_of(late.layout(), "it")
    assert app.get("it", property) is None


@pytest.mark.fault("D1")
@pytest.mark.parametrize(
    ("made", "property"),
    [(dbc.Toast, "is_open"), (dcc.Location, "href"), (dash_ag_grid.AgGrid, "columnSize"), (dcc.Store, "data")],
)
def test_7_6_what_stays_is_state(serve: Given, raw: Given, made: Any, property: str) -> None:
    app = make_app(made(id="it"))
    url = serve(app).url
    app.push_mods({"it": {property: "new"}})
    late = raw(url)
    late.hello()
    assert props_of(late.layout(), "it")[property] == "new"


@pytest.mark.fault("D1")
def test_7_6_the_type_of_what_one_page_shows_is_known(serve: Given, raw: Given) -> None:
    app = make_app(html.Button(id="go"), html.Div(id="own"))
    app.callback(Output("own", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        lambda n: [dcc.ConfirmDialog(id="ask"), dcc.Store(id="store")]
    )
    url = serve(app).url
    page = raw(url).join()
    ask_regular(page, "own.children", [("go", "n_clicks", 1)])
    app.push_mods({"ask": {"displayed": True}, "store": {"data": 1}})
    assert events(app, page) == [["ask", "displayed", True]]
    assert "data" in properties(page)
    late = raw(url).join()
    result = ask_regular(late, "own.children", [("go", "n_clicks", 1)])["body"]["response"]
    assert props_of(result, "ask").get("displayed") is None
    assert props_of(result, "store")["data"] == 1


@pytest.mark.fault("K2")
@pytest.mark.parametrize("way", ["children", "patch", "regular result", "layout"])
def test_7_6_what_was_pushed_before_its_type_was_known_is_not_kept(serve: Given, raw: Given, way: str) -> None:
    app, inside = make_app(), [html.Div([], id="box"), html.Button(id="go"), html.Div(id="own")]
    app.layout = lambda: html.Div(list(inside))
    app.callback(Output("own", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
        lambda n: dcc.Download(id="save")
    )
    url = serve(app).url
    page = raw(url).join()
    app.push_mods({"save": {"data": file("early")}})
    patch = Patch()
    patch.append(dcc.Download(id="save"))
    if way == "regular result":
        reply = ask_regular(page, "own.children", [("go", "n_clicks", 1)])
        assert props_of(reply["body"], "save").get("data") is None
    elif way == "layout":
        inside.append(dcc.Download(id="save"))
    else:
        app.push_mods({"box": {"children": dcc.Download(id="save") if way == "children" else patch}})
        assert "data" not in str(app.get("box", "children"))
    late = raw(url)
    late.hello()
    assert "early" not in str(late.layout())
    assert app.get("save", "data") is None
    late.drop()
    wait_for(lambda: len(app.clients) == 2 and not app.clients[1].connected, "the line to be lost")
    back = raw(url)
    back.hello(tab=late.welcome["tab"], token=late.welcome["token"], page=late.page, epoch="another", seq=0)
    told(app, back)
    assert "early" not in str(back.seen), "nor in a snapshot"


@pytest.mark.fault("D1")
def test_7_6_events_that_a_shared_callback_watches_run_it(serve: Given) -> None:
    app, calls = make_app(dcc.ConfirmDialog(id="ask")), Calls()
    app.callback_shared(None, Input("ask", "displayed"))(calls)
    serve(app)
    for value in (True, True, False):
        push_and_wait(app, {"ask": {"displayed": value}})
    assert calls.take(3) == [True, True, False], "with what happened"


@pytest.mark.browser
@pytest.mark.fault("D1")
def test_7_6_a_late_tab_is_asked_nothing(serve: Given, tab: Given) -> None:
    app = make_app(dcc.ConfirmDialog(id="ask", message="Erase all?"), html.Div(id="answers"))
    app.callback(Output("answers", "children"), Input("ask", "submit_n_clicks"))(lambda n: f"answered {n or 0}")
    url = serve(app).url
    page = tab(url)
    asked: list[Any] = []
    page.context.on("dialog", lambda dialog: asked.append(dialog.page) or dialog.accept())
    for n in (1, 2):
        app.push_mods({"ask": {"displayed": True}})
        shows(page, "answers", f"answered {n}")
    late = tab(url, context=page.context)
    shows(late, "answers", "answered 0")
    app.push_mods({"ask": {"displayed": True}})
    shows(late, "answers", "answered 1")
    shows(page, "answers", "answered 3")
    assert [one is late for one in asked].count(True) == 1


# ---- runs that nobody caused --------------------------------------------------------------------------------------------
def quiet_app(work: Callable[..., Any], **options: Any) -> dash_devices.Dash:
    """Once a page is there, `box` gets a button: the callback of it runs because it appeared."""
    graph = dcc.Graph(id="g", figure={"data": [{"y": [0]}], "layout": {}})
    app = make_app(html.Div(id="box"), dcc.Download(id="save"), html.Div(id="said"), graph)
    outputs = [Output("said", "children"), Output("save", "data"), Output("g", "extendData")]
    app.callback_shared(outputs, Input("go", "n_clicks"), **options)(work)
    return app


APPEARS = {"box": {"children": html.Button(id="go")}}


@pytest.mark.fault("K2")
def test_7_6_a_run_that_nobody_caused_writes_no_event(serve: Given, raw: Given) -> None:
    def work(n: int | None) -> Any:
        dash_devices.set_props("save", {"data": file(f"set {n}")})
        return f"said {n}", file(f"result {n}"), {"y": [[n or 9]]}

    app = quiet_app(work, running=(Output("save", "data"), file("runs"), file("ran")))
    app.callback_shared(
        [Output("save", "data", allow_duplicate=True), Output("save", "title")],
        Input("said", "children"),
        prevent_initial_call=True,
    )(lambda text: (file(f"after {text}"), f"after {text}"))
    page = raw(serve(app).url).join()
    app.push_mods(APPEARS)
    wait_for(lambda: app.get("save", "title") == "after said None", "what follows")
    assert events(app, page) == [["g", "extendData", {"y": [[9]]}]], "points are part of a figure"
    assert app.get("g", "figure")["data"][0]["y"] == [0, 9]
    page.seen.clear()
    push_and_wait(app, {"go": {"n_clicks": 1}})
    names = [event[2]["filename"] for event in events(app, page) if event[1] == "data"]
    assert sorted(names) == sorted(f"{name}.txt" for name in ("runs", "set 1", "result 1", "ran", "after said 1"))


@pytest.mark.fault("K2")
def test_7_6_a_push_is_caused_wherever_it_is_made(serve: Given, raw: Given) -> None:
    def work(n: int | None) -> Any:
        app.push_mods({"save": {"data": file("pushed")}})
        return "said", file("result"), dash_devices.no_update

    app = quiet_app(work)
    page = raw(serve(app).url).join()
    app.push_mods(APPEARS)
    wait_for(lambda: app.get("said", "children") == "said", "the run")
    assert [event[2]["filename"] for event in events(app, page)] == ["pushed.txt"]


@pytest.mark.fault("K2")
@pytest.mark.parametrize("how", ["adopted", "lost", "again"])
def test_7_6_neither_do_other_initial_runs(serve: Given, raw: Given, how: str) -> None:
    rows = [dcc.Input(id={"n": 1}, value=1), dcc.Input(id={"n": 2}, value=2)]
    app = make_app(html.Div(rows, id="box"), dcc.Download(id="save"), dcc.Slider(id="s"), html.Div(id="mark"))
    calls = Calls()

    def work(value: Any) -> Any:
        calls(value)
        return file(f"{value}"), dash_devices.no_update

    listens = {
        "adopted": Input("s", "drag_value"),
        "lost": Input({"n": dash_devices.ALL}, "value"),
        "again": Input("inner", "n_clicks"),
    }
    app.callback_shared([Output("save", "data"), Output("inner", "title")], listens[how])(work)
    page = raw(serve(app).url).join()
    push_and_wait(app, {"mark": {"children": html.Div(id="inner")}})
    calls.next()
    if how == "adopted":
        page.send({"type": "mount", "values": [["s", "drag_value", 3]]})
    elif how == "lost":
        push_and_wait(app, {"box": {"children": rows[:1]}})
    else:
        push_and_wait(app, {"mark": {"children": html.Div(id="inner")}})
    assert calls.next() == {"adopted": 3, "lost": [1], "again": None}[how]
    wait_for(lambda: app._engine.startup.idle.is_set() and not app._engine.startup._running, "the end of the runs")
    assert events(app, page) == []


@pytest.mark.fault("K2")
def test_7_6_nothing_is_downloaded_unasked_and_nothing_twice(serve: Given, raw: Given) -> None:
    """A regular callback brings a button and a Download; the shared one that saves knows neither at the start."""
    app, calls = make_app(html.Button(id="open"), html.Div(id="own")), Calls()
    app.callback(Output("own", "children"), Input("open", "n_clicks"))(
        lambda n: [html.Button(id="go"), dcc.Download(id="save")]
    )
    app.callback_shared(Output("save", "data"), Input("go", "n_clicks"))(lambda n: calls(n) or file(f"{n}"))
    url = serve(app).url
    page = raw(url).join()
    ask_regular(page, "own.children", [("open", "n_clicks", None)])
    assert calls.next() is None
    page.until("ack", n=page.change("go", "n_clicks", 1))
    assert calls.next() == 1
    wait_for(lambda: events(app, page), "the file")
    assert events(app, page) == [["save", "data", file("1")]]
    late = raw(url).join()
    reply = ask_regular(late, "own.children", [("open", "n_clicks", None)])
    assert "1.txt" not in str(reply), "the value of an event travels in no layout"
    assert calls.none_left


def test_7_6_an_initial_call_of_a_page_writes_its_own_events(serve: Given, raw: Given) -> None:
    """As in Dash: ``set_props`` of a regular callback; also where a shared callback watches the event."""
    app, calls = make_app(dcc.Input(id="x"), dcc.Download(id="save"), html.Div(id="out")), Calls()
    app.callback_shared(None, Input("save", "data"))(calls)

    @app.callback(Output("out", "children"), Input("x", "value"))
    def load(value: Any) -> str:
        dash_devices.set_props("save", {"data": file("own")})
        return "loaded"

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    body = {
        "output": "out.children",
        "outputs": {"id": "out", "property": "children"},
        "inputs": [{"id": "x", "property": "value", "value": None}],
        "changedPropIds": [],
        "state": [],
    }
    assert page.request("callback", body)["status"] == 200
    told(app, page)
    told(app, other)
    assert "own.txt" in str([message for message in page.seen if message["type"] in ("props", "reply", "mods")])
    assert "own.txt" not in str(other.seen)
    assert calls.none_left
