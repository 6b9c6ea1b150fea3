"""What of an app's state outlives it, and what of its pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import ALL, Output
from dash_devices.errors import RegistrationError, ServerError
from dash_devices.patterns import Dep, Wild
from dash_devices.selection import Selection

from ..semantics.helpers import Calls, props_of
from ..support import wait_for
from .support import MakeRaw, Serve, make_app, on_disk


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_shared_values_survive_a_restart(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = raw(server.url).join()
    page.change("a", "value", "5")
    page.until_value("shown", "children", "5 0")
    server.app.push_mods({"pushed": {"children": ["a", {"b": None}]}, "a": {"title": "é ☕"}})  # type: ignore[attr-defined]
    server.stop()

    calls = Calls()
    app = make_app(calls, state=state)
    late = raw(serve(app).url)
    late.hello()
    layout = late.layout()
    assert calls.next() == ("5", "0"), "callbacks that run at startup see what was kept"
    assert props_of(layout, "a")["value"] == "5", "it wins over the layout"
    assert props_of(layout, "a")["title"] == "é ☕"
    assert props_of(layout, "pushed")["children"] == ["a", {"b": None}]
    assert app.get("shown", "children") == "5 0"
    assert app.get("b", "value") == "0", "the layout's, as nobody has changed it"


def test_what_the_app_pushes_before_it_runs_wins_over_the_file(serve: Serve, state: Path) -> None:
    first = make_app(state=state)
    first.push_mods({"a": {"value": "1"}, "b": {"value": "1"}})
    serve(first).stop()
    second = make_app(state=state)
    second.push_mods({"b": {"value": "2"}})
    serve(second).stop()
    assert [second.get(id, "value") for id in "ab"] == ["1", "2"]
    third = make_app(state=state)
    serve(third)
    assert [third.get(id, "value") for id in "ab"] == ["1", "2"], "and is on disk then"


def test_what_a_shutdown_hook_pushes_is_kept(serve: Serve, state: Path) -> None:
    app = make_app(state=state)
    app.on_shutdown(lambda: app.push_mods({"pushed": {"children": "off"}}))
    serve(app).stop()
    again = make_app(state=state)
    serve(again)
    assert again.get("pushed", "children") == "off"


def test_without_state_nothing_is_kept(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app()
    serve(app).stop()
    assert list(tmp_path.iterdir()) == []
    assert "state_commits" not in app.metrics


def test_an_acknowledged_change_is_on_disk(serve: Serve, raw: MakeRaw, state: Path, tmp_path: Path) -> None:
    server = serve(make_app(state=state))
    page = raw(server.url).join()
    for number in range(20):
        page.change("a", "value", str(number))
        page.until("ack", n=number + 1)
        assert on_disk(state, tmp_path / "scratch")["a"] == b'"%d"' % number


def test_pushes_and_results_are_on_disk_soon(serve: Serve, state: Path, tmp_path: Path) -> None:
    app = make_app(state=state)
    serve(app)
    for number in range(1000):
        app.push_mods({"pushed": {"children": number}})
    wait_for(lambda: on_disk(state, tmp_path / "scratch").get("pushed") == b"999", "the push on disk")
    assert app.metrics["state_commits"] < 20, "only the newest value of each commit is written"


def test_figures_and_patches_are_kept_whole(serve: Serve, state: Path) -> None:
    def app_with_figure() -> dash_devices.Dash:
        app = dash_devices.Dash(__name__, state=state)
        app.layout = html.Div([dcc.Graph(id="graph", figure={"data": [{"y": [1], "x": [1]}]}), html.Div(id="list")])
        return app

    first = app_with_figure()
    server = serve(first)
    first.push_mods({"graph": {"extendData": [{"y": [[2, 3]], "x": [[2, 3]]}, [0]]}})
    patch = dash_devices.Patch()
    patch.append("more")
    first.push_mods({"list": {"title": ["one"]}})
    first.push_mods({"list": {"title": patch}})
    server.stop()
    again = app_with_figure()
    serve(again)
    assert again.get("graph", "figure")["data"] == [{"y": [1, 2, 3], "x": [1, 2, 3]}]
    assert again.get("graph", "extendData") is None, "an event is no state"
    assert again.get("list", "title") == ["one", "more"]


def test_components_come_back_with_what_they_held(serve: Serve, raw: MakeRaw, state: Path) -> None:
    def app_with_children() -> dash_devices.Dash:
        app = dash_devices.Dash(__name__, state=state)
        app.layout = html.Div(id="box")
        app.share({"type": "gain", "index": ALL}, "value")
        return app

    id = {"index": 1, "type": "gain"}
    first = app_with_children()
    server = serve(first)
    first.push_mods({"box": {"children": [dcc.Input(id=id, value="made")]}})
    page = raw(server.url).join()
    page.change(id, "value", "changed")
    page.until("ack")
    server.stop()
    again = app_with_children()
    page = raw(serve(again).url).join()
    assert again.get(id, "value") == "changed"
    page.change(id, "value", "again")
    assert page.until("ack")


# ---- which ones ---------------------------------------------------------------------------------------------------------
def test_persist_keeps_what_is_named_and_nothing_else(serve: Serve, state: Path) -> None:
    def app_that_persists() -> dash_devices.Dash:
        app = make_app()
        app.persist("a.value", Output("go", "n_clicks"), state=state)
        return app

    first = app_that_persists()
    server = serve(first)
    first.push_mods({"a": {"value": "1"}, "b": {"value": "1"}, "go": {"n_clicks": 3}})
    server.stop()
    again = app_that_persists()
    serve(again)
    assert [again.get("a", "value"), again.get("b", "value"), again.get("go", "n_clicks")] == ["1", "0", 3]


def test_a_click_is_not_pressed_again_by_a_restart(serve: Serve, raw: MakeRaw, state: Path) -> None:
    server = serve(make_app(state=state))
    page = raw(server.url).join()
    page.change("go", "n_clicks", 1)
    page.until("ack")
    server.stop()
    app = make_app(state=state)
    serve(app)
    assert app.get("go", "n_clicks") is None


def test_persist_uses_the_file_of_the_app_or_one_in_the_current_folder(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app(state="named.db")
    app.persist("a.value", state="other.db")
    serve(app).stop()
    assert {path.name for path in tmp_path.iterdir()} == {"named.db", "named.db.lock"}
    app = make_app()
    app.persist("a.value")
    serve(app).stop()
    assert (tmp_path / "state.db").exists()


@pytest.mark.parametrize("wrong", ["value", ".value", "a.", 7, None])
def test_persist_says_what_it_expects(wrong: Any) -> None:
    with pytest.raises(RegistrationError, match=r"expected 'id\.property' or an Input"):
        make_app().persist(wrong)


def test_persist_comes_before_the_app_runs(serve: Serve, state: Path) -> None:
    app = make_app(state=state)
    serve(app)
    with pytest.raises(RegistrationError, match=r"call it before app\.run\(\)"):
        app.persist("a.value")


def test_wildcards_can_be_named() -> None:
    selection = Selection(lambda key: key[1] == "extendData")
    assert selection.keeps(("a", "value"))
    assert not selection.keeps(("a", "extendData"))
    assert not selection.keeps(("a", "n_clicks"))
    assert not selection.keeps(("a", "modified_timestamp"))
    selection.name(Dep('{"index":["ALL"],"type":"gain"}', "value", ("index", "type"), (Wild.ALL, "gain")))
    assert not selection.keeps(("a", "value"))
    assert selection.keeps(('{"index":1,"type":"gain"}', "value"))
    assert not selection.keeps(('{"index":1,"type":"level"}', "value"))


def test_one_file_serves_one_app(serve: Serve, state: Path) -> None:
    serve(make_app(state=state))
    with pytest.raises(ServerError, match="another process has the state open"):
        serve(make_app(state=state))


def test_a_bad_file_is_told_to_every_page(serve: Serve, raw: MakeRaw, state: Path, caplog: Any) -> None:
    state.write_bytes(b"rubbish")
    server = serve(make_app(state=state))
    page = raw(server.url)
    page.hello()
    notice = page.until("notice")["message"]
    assert "state.db is damaged (not a state file); it is kept as state.db.corrupt-" in notice
    assert str(state.parent) not in notice, "pages need not know where it lies"
    assert notice.split(";")[0] in caplog.text
    page.layout()
    page.change("a", "value", "1")
    assert page.until("ack")
