"""Section 6, results: patches, and outputs with two writers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dash import dcc, html

from dash_devices import Patch
from dash_devices.dependencies import Input, Output
from dash_devices.exceptions import RegistrationError

from ..support import Raw, wait_for
from .helpers import props_of, shows
from .tools import make_app, push_and_wait, told


# ---- 6.5 ---------------------------------------------------------------------------------------------------------------
def test_6_5_a_patch_is_applied_at_the_server_and_sent_as_it_is(
    serve: Callable[..., Any], raw: Callable[..., Raw]
) -> None:
    app = make_app(html.Button(id="go"), dcc.Store(id="log", data={"rows": [0], "n": 0}))
    heard: list[Any] = []

    @app.callback_shared(Output("log", "data"), Input("go", "n_clicks"), prevent_initial_call=True)
    def add(n: int) -> Patch:
        patch = Patch()
        patch["rows"].append(n)
        patch["n"] = n
        return patch

    app.callback_shared(None, Input("log", "data"))(heard.append)
    url = serve(app).url
    page, resting = raw(url).join(), raw(url).join()
    for n in (1, 2):
        page.change("go", "n_clicks", n)
        message = page.until("mods")
        (sent,) = [value for id, property, value in message["mods"] if id == "log"]
        assert [op["operation"] for op in sent["operations"]] == ["Append", "Assign"], "a page in step gets the patch"
        assert sent["operations"][0]["params"]["value"] == n
    whole = {"rows": [0, 1, 2], "n": 2}
    assert app.get("log", "data") == whole
    wait_for(lambda: heard == [{"rows": [0, 1], "n": 1}, whole], "listeners see the whole value")
    late = raw(url)
    late.hello()
    assert props_of(late.layout(), "log")["data"] == whole, "a newcomer gets the whole value"
    assert resting.seen[-1]["type"] in ("reply", "mods")


def test_6_5_pages_that_are_not_in_step_get_the_whole_value(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Store(id="log", data=[0]), leave_after=60)
    url = serve(app).url
    behind, before = raw(url).join(), raw(url).join()
    app.push_mods({"log": {"data": [1]}})
    before.until_value("log", "data", [1])
    behind.seq = 0  # it has never heard of the push
    for page in (behind, before):
        page.drop()
    wait_for(lambda: not any(client.connected for client in app.clients), "the lines to be lost")
    patch = Patch()
    patch.append(2)
    app.push_mods({"log": {"data": patch}})
    resumed = raw(url)
    resumed.resume(before)
    ((_, _, value),) = resumed.until("mods")["mods"]
    assert [op["operation"] for op in value["operations"]] == ["Append"]
    resumed = raw(url)
    resumed.resume(behind)
    assert resumed.until("mods")["mods"] == [["log", "data", [1, 2]]]


def test_6_5_a_patch_without_a_base_is_an_error_and_changes_nothing(
    serve: Callable[..., Any], raw: Callable[..., Raw], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(html.Button(id="go"), dcc.Store(id="log"), html.Div(id="y"))

    @app.callback_shared(
        Output("y", "children"), Output("log", "data"), Input("go", "n_clicks"), prevent_initial_call=True
    )
    def add(n: int) -> Any:
        patch = Patch()
        patch["rows"].append(n)
        return f"added {n}", patch

    page = raw(serve(app).url).join()
    push_and_wait(app, {"go": {"n_clicks": 1}})
    assert any("add" in line and "Patch" in line for line in caplog.messages)
    assert told(app, page) == [["go", "n_clicks", 1]], "all outputs of a callback or none"
    patch = Patch()
    patch["rows"].append(1)
    with pytest.raises(TypeError, match="rows"):
        app.push_mods([Output("y", "children", "half"), Output("log", "data", patch)])
    assert told(app, page) == [["go", "n_clicks", 1]]


@pytest.mark.browser
def test_6_5_pages_show_what_was_patched(serve: Callable[..., Any], tab: Callable[..., Any]) -> None:
    app = make_app(html.Button("go", id="go"), html.Div([], id="list"))

    @app.callback_shared(Output("list", "children"), Input("go", "n_clicks"), prevent_initial_call=True)
    def add(n: int) -> Patch:
        patch = Patch()
        patch.append(html.Span(f"{n} ", id=f"row{n}"))
        return patch

    url = serve(app).url
    page, other = tab(url), tab(url)
    for n in (1, 2, 3):
        page.click("#go")
        wait_for(lambda n=n: len(app.get("list", "children")) == n, "the server's copy")
    for one in (page, other, tab(url)):
        shows(one, "list", "1 2 3 ")


# ---- 6.6 ---------------------------------------------------------------------------------------------------------------
def nothing(value: Any) -> Any:
    return value


def test_6_6_two_shared_callbacks_on_one_output() -> None:
    app = make_app(dcc.Input(id="x"), html.Div(id="y"))
    app.callback_shared(Output("y", "children"), Input("x", "value"))(nothing)
    with pytest.raises(RegistrationError, match=r"y\.children.*allow_duplicate"):
        app.callback_shared(Output("y", "children"), Input("x", "n_submit"))(nothing)
    app.callback_shared(Output("y", "children", allow_duplicate=True), Input("x", "n_blur"), prevent_initial_call=True)(
        nothing
    )


def test_6_6_with_allow_duplicate_the_seq_decides(serve: Callable[..., Any], raw: Callable[..., Raw]) -> None:
    app = make_app(dcc.Input(id="x"), dcc.Input(id="z"), html.Div(id="y"))
    app.callback_shared(Output("y", "children"), Input("x", "value"), prevent_initial_call=True)(nothing)
    app.callback_shared(Output("y", "children", allow_duplicate=True), Input("z", "value"), prevent_initial_call=True)(
        nothing
    )
    page = raw(serve(app).url).join()
    for id, value in (("x", 1), ("z", 2), ("x", 3)):
        page.change(id, "value", value)
        page.until_value("y", "children", value)
    assert app.get("y", "children") == 3


@pytest.mark.parametrize("order", ["shared first", "regular first"])
@pytest.mark.parametrize("outputs", ["one", "several", "duplicate"])
def test_6_6_a_shared_and_a_regular_one_on_one_output(order: str, outputs: str) -> None:
    app = make_app(dcc.Input(id="x"), html.Div(id="y"), html.Div(id="z"))
    output = Output("y", "children", allow_duplicate=True) if outputs == "duplicate" else Output("y", "children")
    declared = [output, Output("z", "children")] if outputs == "several" else [output]

    def shared() -> None:
        app.callback_shared(Output("y", "children"), Input("x", "value"))(nothing)

    def regular() -> None:
        app.callback(*declared, Input("x", "value"), prevent_initial_call=True)(nothing)

    first, second = (shared, regular) if order == "shared first" else (regular, shared)
    first()
    before = len(app._callback_list), len(app._engine.registry.callbacks)
    with pytest.raises(RegistrationError, match=r"y\.children.*shared.*regular"):
        second()
    assert (len(app._callback_list), len(app._engine.registry.callbacks)) == before, "everything else goes on"
