"""Section 7, push_mods: events and points."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy
import orjson
import plotly.graph_objects as go
import pytest
from dash import dcc, html
from quart import Response, request

import dash_devices
from dash_devices import Patch
from dash_devices.calls import SERVER
from dash_devices.dash_glue.encoding import encode
from dash_devices.dependencies import Input, Output
from dash_devices.engine import Engine
from dash_devices.outbox import MAX_EVENTS, Outbox

from ..support import TIMEOUT, Raw, wait_for
from .helpers import props_of
from .tools import make_app, told


# ---- 7.6 ---------------------------------------------------------------------------------------------------------------
def file(name: str) -> dict[str, Any]:
    return {"content": name, "filename": f"{name}.txt"}


def test_7_6_downloads_go_to_the_pages_open_now(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Download(id="save"), dcc.Store(id="store"), html.Button(id="go"))

    @app.callback_shared(Output("save", "data"), Input("go", "n_clicks"), prevent_initial_call=True)
    def save(n: int) -> dict[str, Any]:
        return file(f"result {n}")

    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()

    async def push() -> None:  # on the loop: nothing is sent in between
        for name in ("one", "two"):
            app.push_mods([Output("save", "data", file(name)), Output("store", "data", name)])

    app.callback_shared(None, Input("go", "n_blur"))(lambda n: None)
    asyncio.run_coroutine_threadsafe(push(), app._hub.loop).result(TIMEOUT)  # type: ignore[arg-type]
    page.change("go", "n_clicks", 1)
    for one in (page, other):
        one.until_value("save", "data", file("result 1"))
        events = [t for message in one.seen for t in message.get("events", [])]
        assert events == [["save", "data", file(name)] for name in ("one", "two", "result 1")], "each, in order"
    late = raw(url)
    late.hello()
    layout = late.layout()
    assert "data" not in props_of(layout, "save"), "not replayed"
    assert props_of(layout, "store")["data"] == "two", "a Store's data is state"
    assert told(app, late) == []


def test_7_6_the_list_of_events_can_be_extended(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(
        html.Div(id="toast"), dcc.Store(id="beep"), html.Div(id="y"), event_properties=["message", "Store.data"]
    )
    url = serve(app).url
    page = raw(url).join()
    for text in ("one", "two"):
        app.push_mods({"toast": {"message": text}, "beep": {"data": text}, "y": {"children": text}})
    sent = told(app, page)
    assert [t[2] for t in sent if t[0] == "toast"] == ["one", "two"]
    assert [t[2] for t in sent if t[0] == "beep"] == ["one", "two"]
    late = raw(url)
    late.hello()
    layout = late.layout()
    assert "message" not in props_of(layout, "toast")
    assert "data" not in props_of(layout, "beep")
    assert props_of(layout, "y")["children"] == "two"


def plot(app: dash_devices.Dash, page: Raw) -> Any:
    """What a page without a browser would draw of ``g``: figures, patches and points in the order they came."""
    figure: Any = None
    told(app, page)
    for message in page.seen:
        if message["type"] == "reply" and "body" in message:
            figure = props_of(message["body"], "g")["figure"]["data"][0]["y"]
        for id, property, value in message.get("mods", []) + message.get("events", []):
            if (id, property) == ("g", "figure"):
                assert "data" in value, "a patch"
                figure = value["data"][0]["y"]
            elif (id, property) == ("g", "extendData"):
                update, _, limit = value if isinstance(value, list) else [value, None, None]
                figure = (figure + update["y"][0])[-limit if limit else None :]
            elif (id, property) == ("g", "prependData"):
                figure = value["y"][0] + figure
    return figure


def graph() -> dcc.Graph:
    return dcc.Graph(id="g", figure={"data": [{"y": [0]}], "layout": {}})


def test_7_6_points_are_events_and_folded_into_the_figure(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(graph())
    url = serve(app).url
    page = raw(url).join()
    for step in (1, 2, 3):
        app.push_mods({"g": {"extendData": {"y": [[step]]}}})
    app.push_mods({"g": {"prependData": {"y": [[-1]]}}})
    assert plot(app, page) == [-1, 0, 1, 2, 3]
    assert ["g", "figure"] not in [t[:2] for t in told(app, page)], "only points went over the wire"
    assert app.get("g", "figure")["data"][0]["y"] == [-1, 0, 1, 2, 3]
    late = raw(url).join()
    assert plot(app, late) == [-1, 0, 1, 2, 3], "newcomers get the whole figure"
    app.push_mods({"g": {"extendData": [{"y": [[4, 5]]}, [0], 3]}})
    for one in (page, late):
        assert plot(app, one) == [3, 4, 5], "max points"
    assert app.get("g", "figure")["data"][0]["y"] == [3, 4, 5]


def test_7_6_numpy_figures_take_points(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:

    app = make_app(dcc.Graph(id="g", figure=go.Figure(go.Scatter(x=numpy.array([1.0, 2.0]), y=numpy.arange(2)))))
    raw(serve(app).url).join()
    app.push_mods({"g": {"extendData": {"x": [numpy.array([3.0])], "y": [[2]]}}})
    trace = app.get("g", "figure")["data"][0]
    assert (trace["x"], trace["y"]) == ([1, 2, 3], [0, 1, 2])


def test_7_6_points_between_the_layout_and_the_first_mods_are_not_lost(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = make_app(graph())

    @app.server.after_request
    async def push(response: Response) -> Response:
        if request.path.endswith("_dash-layout"):
            app.push_mods({"g": {"extendData": {"y": [[1]]}}})
        return response

    page = raw(serve(app).url).join()
    assert plot(app, page) == [0, 1]


def test_7_6_points_then_a_new_figure_or_a_patch(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(graph())
    page = raw(serve(app).url).join()
    patch = Patch()
    patch["layout"]["title"] = "patched"

    async def push(*mods: Any) -> None:  # on the loop: nothing is sent in between
        for one in mods:
            app.push_mods({"g": one})

    def run(*mods: Any) -> None:
        asyncio.run_coroutine_threadsafe(push(*mods), app._hub.loop).result(TIMEOUT)  # type: ignore[arg-type]

    run({"extendData": {"y": [[1]]}}, {"figure": patch})
    assert plot(app, page) == [0, 1] == app.get("g", "figure")["data"][0]["y"]
    run({"figure": patch}, {"extendData": {"y": [[2]]}})
    assert plot(app, page) == [0, 1, 2] == app.get("g", "figure")["data"][0]["y"]
    run({"extendData": {"y": [[3]]}}, {"figure": {"data": [{"y": [7]}]}}, {"extendData": {"y": [[8]]}})
    assert plot(app, page) == [7, 8] == app.get("g", "figure")["data"][0]["y"]


def test_7_6_pages_that_lost_points_get_the_whole_figure(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(graph(), dcc.Download(id="save"), leave_after=60)
    url = serve(app).url
    page, other = raw(url).join(), raw(url).join()
    page.drop()
    wait_for(lambda: not app.clients[page.welcome["tab"]].connected, "the line to be lost")
    for step in range(1, MAX_EVENTS + 10):
        app.push_mods({"g": {"extendData": {"y": [[step]]}}})
    app.push_mods({"save": {"data": file("kept")}})
    back = raw(url)
    back.resume(page)
    assert plot(app, back) == list(range(MAX_EVENTS + 10))
    assert [t for t in told(app, back) if t[0] == "save"] == [["save", "data", file("kept")]]
    assert plot(app, other) == list(range(MAX_EVENTS + 10))


def test_7_6_a_slow_page_that_lost_points_gets_the_whole_figure() -> None:
    engine, page = Engine(encode), Outbox()
    engine.post_event = page.post_event
    engine.load_layout(orjson.loads(encode(graph()).json))
    page.position = 0
    for step in range(1, MAX_EVENTS + 2):  # nothing is sent in between
        engine.store([engine.item(("g", "extendData"), {"y": [[step]]})], SERVER)
    frame = orjson.loads(page.next_frame("page", engine.shared, {}) or b"")
    assert [(id, property) for id, property, *_ in frame["mods"]] == [("g", "figure")]
    assert frame["mods"][0][2]["data"][0]["y"][-2:] == [MAX_EVENTS, MAX_EVENTS + 1]
    assert (frame["events"], frame["lost"]) == ([], 0)


def test_7_6_the_page_is_told_of_lost_events(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Download(id="save"), leave_after=60)
    url = serve(app).url
    page = raw(url).join()
    page.drop()
    wait_for(lambda: not app.clients[0].connected, "the line to be lost")
    for step in range(MAX_EVENTS + 5):
        app.push_mods({"save": {"data": step}})
    back = raw(url)
    back.resume(page)
    message = back.until("mods")
    assert message["lost"] == 5
    assert [t[2] for t in message["events"]] == list(range(5, MAX_EVENTS + 5))


def test_7_6_points_that_do_not_fit_are_an_error_and_nothing_is_sent(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = make_app(graph(), html.Div(id="y"))
    page = raw(serve(app).url).join()
    for bad in ({"y": [[1], [2]]}, [{"y": [[1]]}, [5]], 7):
        with pytest.raises(TypeError, match="extendData"):
            app.push_mods([Output("y", "children", "half"), Output("g", "extendData", bad)])
        with pytest.raises(TypeError, match="extendData"):
            app.push_mods(Output("g", "extendData", bad))
    assert told(app, page) == []


DRAWN = "(want) => JSON.stringify(document.querySelector('#g .js-plotly-plot')?.data?.[0].y) === want"


@pytest.mark.browser
def test_7_6_points_that_come_at_once_are_all_drawn(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(graph())
    page = tab(serve(app).url)
    page.wait_for_function(DRAWN, arg="[0]")

    async def push() -> None:  # on the loop: all in one message
        for step in (1, 2, 3):
            app.push_mods({"g": {"extendData": {"y": [[step]]}}})

    asyncio.run_coroutine_threadsafe(push(), app._hub.loop).result(TIMEOUT)  # type: ignore[arg-type]
    page.wait_for_function(DRAWN, arg="[0,1,2,3]")

    async def paint() -> None:  # a new figure and points for it in one message, then points faster than Plotly draws
        app.push_mods({"g": {"figure": go.Figure(go.Scatter(y=[5]))}})
        for step in range(6, 9):
            app.push_mods({"g": {"extendData": {"y": [[step]]}}})

    asyncio.run_coroutine_threadsafe(paint(), app._hub.loop).result(TIMEOUT)  # type: ignore[arg-type]
    page.wait_for_function(DRAWN, arg="[5,6,7,8]")
    for step in range(9, 30):
        app.push_mods({"g": {"extendData": {"y": [[step]]}}})
    page.wait_for_function("() => document.querySelector('#g .js-plotly-plot').data[0].y.at(-1) === 29")
    page.wait_for_function(DRAWN, arg=orjson.dumps(list(range(5, 30))).decode())


@pytest.mark.browser
def test_7_6_points_and_downloads_in_the_page(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(graph(), dcc.Download(id="save"), html.Div(id="y"))
    url = serve(app).url
    page = tab(url)
    drawn = DRAWN
    page.wait_for_function(drawn, arg="[0]")
    with page.expect_download() as download:
        app.push_mods({"save": {"data": file("one")}})
    assert download.value.suggested_filename == "one.txt"
    for step, want in ((1, "[0,1]"), (2, "[0,1,2]"), (3, "[0,1,2,3]")):
        app.push_mods({"g": {"extendData": {"y": [[step]]}}})
        page.wait_for_function(drawn, arg=want)
    late = tab(url)
    late.wait_for_function(drawn, arg="[0,1,2,3]")
    downloads: list[Any] = []
    late.on("download", lambda download: downloads.append(download))
    app.push_mods({"g": {"extendData": [{"y": [[4]]}, [0], 2]}, "y": {"children": "end"}})
    for one in (page, late):
        one.wait_for_function(drawn, arg="[3,4]")
    with late.expect_download() as download:
        app.push_mods({"save": {"data": file("two")}})
    assert [one.suggested_filename for one in downloads] == ["two.txt"], "the first one was not replayed"
