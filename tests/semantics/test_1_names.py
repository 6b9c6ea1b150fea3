"""Section 1: the names that must work."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any

import dash
import pytest
import uvicorn
from quart import Quart

import dash_devices
from dash_devices import Services, dcc, html
from dash_devices.dependencies import Input, Output
from dash_devices.errors import ServiceError

from ..support import Raw, free_port, wait_for
from .helpers import Calls, ask_regular, dependency, props_of, watched

PUBLIC = [
    "Dash",
    "callback_context",
    "ctx",
    "no_update",
    "Services",
    "dependencies",
    "exceptions",
    "html",
    "dcc",
    "Patch",
    "set_props",
    "callback",
    "clientside_callback",
    "callback_shared",
    "callback_s2",
    "__version__",
]
DEPENDENCIES = ["Input", "Output", "State", "MATCH", "ALL", "ALLSMALLER", "ClientsideFunction"]


def test_1_1_names_of_the_package() -> None:
    for name in PUBLIC:
        assert getattr(dash_devices, name) is not None
    for name in DEPENDENCIES:
        assert getattr(dash_devices.dependencies, name) is not None
    assert "client" in dir(dash_devices.callback_context)
    assert dash_devices.ctx is dash_devices.callback_context


def test_1_1_everything_else_of_dash_stays_reachable() -> None:
    modules = (
        (dash, dash_devices),
        (dash.dependencies, dash_devices.dependencies),
        (dash.exceptions, dash_devices.exceptions),
    )
    for theirs, ours in modules:
        names = [name for name in vars(theirs) if not name.startswith("_")]
        assert [name for name in names if not hasattr(ours, name)] == []
    assert issubclass(dash_devices.Dash, dash.Dash)
    assert dash_devices.exceptions.PreventUpdate is dash.exceptions.PreventUpdate
    for name in ("Input", "State", "MATCH", "ALL", "ALLSMALLER", "ClientsideFunction"):
        assert getattr(dash_devices.dependencies, name) is getattr(dash.dependencies, name)


def test_1_2_third_argument_of_output_is_a_value() -> None:
    assert Output("a", "children", 7).component_value == 7
    assert Output(component_id="a", component_property="children", component_value=None).component_value is None
    assert Output("a", "children", None).has_value
    assert not Output("a", "children").has_value
    assert Output("a", "disabled", True).component_value is True
    assert not Output("a", "disabled", True).allow_duplicate
    assert Output("a", "children", allow_duplicate=True).allow_duplicate
    with pytest.raises(TypeError):
        Output("a", "children", 7, True)  # type: ignore[misc]


@pytest.mark.parametrize("register", ["callback", "callback_s2", "callback_shared"])
def test_1_2_bool_in_a_declaration_means_allow_duplicate(register: str) -> None:
    app = dash_devices.Dash()
    declared = {"prevent_initial_call": True}
    with pytest.warns(UserWarning, match=r"a\.children.*allow_duplicate=True"):
        getattr(app, register)(Output("a", "children", True), Input("b", "value"), **declared)(lambda value: value)
    app.callback_shared(Output("c", "children"), Input("b", "value"))(lambda value: value)
    with pytest.warns(UserWarning, match="allow_duplicate"):
        app.callback_shared(Output("c", "children", True), Input("d", "value"))(lambda value: value)


def test_1_4_push_get_share_clients_connect(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, joined, steps = dash_devices.Dash(), Calls(), []
    app.layout = html.Div([dcc.Input(id="a", value="given"), html.Div(id="b"), html.Div(id="c"), dcc.Input(id="knob")])
    app.callback_shared(Output("b", "children"), Input("a", "value"), prevent_initial_call=True)(
        lambda v: steps.append(v) or v
    )
    app.callback_shared(Output("c", "children"), Input("b", "children"), prevent_initial_call=True)(
        lambda v: steps.append(v) or v
    )
    app.share("knob", "value")

    @app.callback_connect
    def connected(client: Any, connect: bool) -> None:
        joined((client, connect))

    page = raw(serve(app).url).join()
    client, connect = joined.next()
    assert connect
    assert list(app.clients) == [client]
    assert client.id == page.welcome["tab"]
    assert app.get("a", "value") == "given"
    seq = app.push_mods({"b": {"children": "pushed"}})
    assert page.until_value("b", "children", "pushed")["seq"] >= seq
    assert wait_for(lambda: app.get("c", "children")) == "pushed"
    assert app.push_mods({"private": {"children": 1}}, client=client) >= seq
    assert page.until_value("private", "children", 1)["type"] == "props"
    assert app.get("private", "children") is None
    assert "knob.value" in watched(page.welcome["watch"])
    page.until("ack", n=page.change("knob", "value", 3))
    assert app.get("knob", "value") == 3


def test_1_4_push_mods_coro_returns_when_its_chain_has_run(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app, ends = dash_devices.Dash(), Calls()
    app.layout = html.Div([dcc.Input(id="a"), dcc.Input(id="go"), html.Div(id="b"), html.Div(id="c")])
    pause = threading.Event()

    def slow(value: Any) -> Any:
        pause.wait(0.02)
        return value

    app.callback_shared(Output("b", "children"), Input("a", "value"), prevent_initial_call=True)(slow)
    app.callback_shared(Output("c", "children"), Input("b", "children"), prevent_initial_call=True)(slow)

    @app.callback_shared(None, Input("go", "value"))
    async def go(value: Any) -> None:
        seq = await app.push_mods_coro({"a": {"value": value}})
        ends((seq, app.get("b", "children"), app.get("c", "children")))

    page = raw(serve(app).url).join()
    page.change("go", "value", "x")
    seq, b, c = ends.next()
    assert isinstance(seq, int)
    assert (b, c) == ("x", "x")


def test_1_5_callback_authorize_output(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app, asked, calls = dash_devices.Dash(), [], Calls()
    app.layout = html.Div([*(dcc.Input(id=id) for id in "abcd"), *(html.Div(id=id) for id in "xyz")])
    forbidden = {"y.children", "_none.0"}

    @app.callback_authorize_output
    def authorize(client: Any, output: str) -> bool:
        asked.append((client.id, output))
        return output not in forbidden

    app.callback_shared(Output("x", "children"), Output("y", "children"), Input("a", "value"))(
        lambda v: calls(("a", v)) or (v, v)
    )
    app.callback_shared(None, Input("b", "value"))(lambda v: calls(("b", v)))
    app.callback(Output("z", "children"), Input("c", "value"))(lambda v: calls(("c", v)) or v)
    app.callback(None, Input("d", "value"))(lambda v: calls(("d", v)))
    page = raw(serve(app).url).join()
    assert calls.next() == ("a", None)  # nobody asks at startup
    assert asked == []
    page.change("a", "value", 1)
    page.change("b", "value", 1)
    output = dependency(page, "d.value")
    assert ask_regular(page, output, [("d", "value", 1)])["status"] in (200, 204)
    assert ask_regular(page, "z.children", [("c", "value", 1)])["status"] == 200
    wait_for(lambda: len(asked) >= 5, "the questions")
    assert sorted(asked) == sorted(
        (page.welcome["tab"], id) for id in ("x.children", "y.children", "_none.0", "_none.1", "z.children")
    )
    assert sorted(calls.take(2)) == [("c", 1), ("d", 1)]
    for output in forbidden:
        assert any(output in record.message and page.welcome["tab"] in record.message for record in caplog.records)
    forbidden.clear()
    forbidden.update(("z.children", "_none.1"))
    assert ask_regular(page, "z.children", [("c", "value", 2)])["status"] == 204
    page.change("a", "value", 2)
    assert calls.next() == ("a", 2)
    assert calls.none_left
    assert any("z.children" in record.message and page.welcome["tab"] in record.message for record in caplog.records)


def test_1_6_services() -> None:
    numbers = {
        "PUSHER_UPDATE": 1,
        "PUSHER_OTHER": 2,
        "NO_CLIENT_INITIAL_CALLBACK": 4,
        "SERVER_INITIAL_CALLBACK": 8,
        "SHARED_CALLBACK": 16,
        "SERIALIZED_CALLBACK": 32,
        "SERIALIZED_MOST_RECENT_CALLBACK": 64,
        "SHARE_WITH_OTHER_CLIENTS": 128,
        "S0": 0,
        "NORMAL": 0,
        "SHARED": 1 + 4 + 8 + 16 + 32 + 128,
        "SHARED_MOST_RECENT": 1 + 4 + 8 + 16 + 64 + 128,
        "S2": 1 + 32,
        "PUSHER_ALL": 3,
    }
    assert {name: getattr(Services, name) for name in numbers} == numbers
    assert all(type(getattr(Services, name)) is int for name in numbers)
    defaults = inspect.signature(dash_devices.Dash.__init__).parameters
    assert defaults["server_service"].default == Services.PUSHER_ALL
    assert defaults["callback_service"].default == Services.S0


def test_1_6_callback_service_is_the_default_of_callback(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = dash_devices.Dash(callback_service=Services.SHARED)
    app.layout = html.Div([dcc.Input(id=id) for id in "abc"])
    app.callback(Output("x", "children"), [Input("a", "value")])(lambda value: value)
    app.callback(Output("y", "children"), [Input("b", "value")], service=Services.S0)(lambda value: value)
    page = raw(serve(app).url).join()
    assert watched(page.welcome["watch"]) == {"a.value"}
    assert dependency(page, "b.value") == "y.children"


@pytest.mark.parametrize(
    ("service", "named"),
    [
        (1 + 16 + 32 + 64, ["SERIALIZED_CALLBACK", "SERIALIZED_MOST_RECENT_CALLBACK"]),
        (1 + 8, ["SERVER_INITIAL_CALLBACK", "SHARED_CALLBACK"]),
        (1 + 128, ["SHARE_WITH_OTHER_CLIENTS", "SHARED_CALLBACK"]),
        (16 + 32, ["SHARED_CALLBACK", "PUSHER_UPDATE"]),
    ],
)
def test_1_6_clashing_bits(service: int, named: list[str]) -> None:
    app = dash_devices.Dash()
    with pytest.raises(ServiceError) as error:
        app.callback(Output("a", "children"), [Input("b", "value")], service=service)
    assert all(name in str(error.value) for name in named)
    with pytest.raises(ServiceError):
        dash_devices.Dash(callback_service=service)


def test_1_7_run_and_run_server(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[str, int, bool]] = []
    monkeypatch.setattr(
        "dash_devices.dash_glue.backend.serve",
        lambda app, *, host, port, **kwargs: served.append((host, port, "reverse_engine" in kwargs)),
    )
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("HOST", raising=False)
    app = dash_devices.Dash()
    app.layout = html.Div()
    app.run()
    app.run_server()
    with pytest.warns(UserWarning, match="reverse_engine="):
        app.run_server(port=1234, reverse_engine=True)
    assert served == [("127.0.0.1", port, False) for port in (8050, 8050, 1234)]
    assert app.enable_dev_tools(debug=True, dev_tools_client_reload=False)
    assert app._dev_tools.hot_reload is False


def test_1_7_server_is_the_quart_app(raw: Callable[..., Raw]) -> None:
    app, port = dash_devices.Dash(), free_port()
    app.layout = html.Div([dcc.Input(id="a", value=1), html.Div(id="b")])
    app.callback_shared(Output("b", "children"), Input("a", "value"))(lambda value: value)
    assert isinstance(app.server, Quart)
    server = uvicorn.Server(uvicorn.Config(app.server, port=port, log_level="error", ws="websockets-sansio"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, "uvicorn")
        page = raw(f"http://127.0.0.1:{port}").join()
        page.change("a", "value", 2)
        assert page.until_value("b", "children", 2)
        page.close()
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


def test_1_7_layout_can_be_overridden(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    class Framed(dash_devices.Dash):
        @property
        def layout(self) -> Any:
            return dash_devices.Dash.layout.fget(self)

        @layout.setter
        def layout(self, value: Any) -> None:
            dash_devices.Dash.layout.fset(self, html.Div([html.H1("frame", id="frame"), value]))

    app = Framed()
    app.layout = html.Div("inner", id="inner")
    page = raw(serve(app).url)
    page.hello()
    layout = page.layout()
    assert props_of(layout, "frame")["children"] == "frame"
    assert props_of(layout, "inner")["children"] == "inner"
