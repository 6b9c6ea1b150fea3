"""Section 10: joining late, dropping out, restarts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import dash
import pytest

import dash_devices
from dash_devices import dcc, html
from dash_devices.dependencies import Input, Output

from ..support import Closed, Raw, ServerThread, wait_for
from .helpers import Calls, holds, props_of, recorder, shows
from .line import Line

Serve = Callable[..., ServerThread]
MakeRaw = Callable[..., Raw]

CONNECTED = "() => window.dash_devices?.status === 'connected'"
RECONNECTING = "() => dash_devices.status === 'reconnecting'"
LINE_ERRORS = "WebSocket|ERR_"

TEXTS = """
window.texts = [];
new MutationObserver(() => {
  const text = document.getElementById("shown")?.textContent;
  if (text !== undefined && texts.at(-1) !== text) texts.push(text);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
"""Every text that the element ``shown`` ever had."""

WRITES = """() => {
  const store = dash_stores[0];
  let last = store.getState().changed;
  window.writes = [];
  store.subscribe(() => {
    const { changed } = store.getState();
    if (changed !== last) writes.push([changed.id, ...Object.keys(changed.props)]);
    last = changed;
  });
}"""
"""From now on every property that is written in the page, by whomever."""


def _layout() -> html.Div:
    return html.Div([dcc.Input(id="a", value="0"), html.Div("old", id="shown"), html.Div("-", id="other")])


def _app(calls: Calls | None = None, **options: Any) -> dash_devices.Dash:
    app = dash_devices.Dash(__name__, leave_after=60, **options)
    app.layout = _layout()
    app.callback_shared(Output("shown", "children"), [Input("a", "value")], prevent_initial_call=True)(
        recorder(calls or Calls(), str)
    )
    return app


@pytest.fixture
def line() -> Iterator[Callable[[ServerThread], Line]]:
    """``line(server) -> Line`` in front of it."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(Line(server.port))


# ---- 10.1 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("layout", [_layout(), _layout], ids=["static", "function"])
def test_10_1_the_layout_holds_the_shared_state(serve: Serve, raw: MakeRaw, layout: Any) -> None:
    app = _app()
    app.layout = layout
    app.push_mods({"other": {"title": "pushed early"}})
    server = serve(app)
    early = raw(server.url).join()
    early.change("a", "value", "7")
    early.until_value("shown", "children", "7")

    late = raw(server.url)
    late.hello()
    tree = late.layout()
    assert props_of(tree, "a")["value"] == "7"
    assert props_of(tree, "shown")["children"] == "7"
    assert props_of(tree, "other")["title"] == "pushed early"
    there = late.seq
    seq = app.push_mods({"other": {"children": "news"}})
    assert seq == there + 1
    assert late.until("mods") == {
        "type": "mods",
        "seq": seq,
        "mods": [["other", "children", "news"]],
        "events": [],
        "lost": 0,
    }


def test_10_1_mods_start_exactly_where_the_layout_stands(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    server = serve(app)
    go, stop = threading.Event(), threading.Event()

    def push() -> None:
        go.wait()
        number = 0
        while not stop.is_set():
            number += 1
            app.push_mods({"other": {"children": number}})
        app.push_mods({"other": {"children": "end"}})

    pusher = threading.Thread(target=push)
    pusher.start()
    pages = [raw(server.url) for _ in range(10)]
    go.set()
    layouts = []
    for page in pages:
        page.hello()
        layouts.append(props_of(page.layout(), "other")["children"])
    stop.set()
    pusher.join()
    for page, first in zip(pages, layouts, strict=True):
        page.until_value("other", "children", "end")
        values = [value for message in page.seen if message["type"] == "mods" for _, _, value in message["mods"]]
        numbers = [0 if first == "-" else first, *values[:-1]]
        assert numbers == sorted(set(numbers)), "each value once, none older than the layout's"


def test_10_1_no_old_value_flickers(serve: Serve, browser: Any, tab: Any) -> None:
    app = _app()
    app.push_mods({"shown": {"children": "new"}})
    server = serve(app)
    context = browser.new_context()
    context.add_init_script(TEXTS)
    page = tab(server.url, context=context)
    shows(page, "shown", "new")
    assert page.evaluate("texts") == ["new"]
    context.close()


def test_10_1_pages_of_a_multi_page_app_hold_the_state_too(serve: Serve, browser: Any, tab: Any) -> None:
    app = dash_devices.Dash(__name__, use_pages=True, pages_folder="")
    try:
        dash.register_page("home", path="/", layout=html.Div("home", id="home"))
        dash.register_page("live", path="/live", layout=_layout)
        app.layout = html.Div([dcc.Link("live", href="/live", id="go"), dash.page_container])
        app.callback_shared(Output("shown", "children"), [Input("a", "value")])(lambda value: f"shared {value}")
        app.push_mods({"a": {"value": "5"}, "other": {"children": "pushed"}})
        server = serve(app)
        context = browser.new_context()
        context.add_init_script(TEXTS)
        page = tab(server.url, context=context)
        shows(page, "home", "home")
        page.click("#go")
        shows(page, "other", "pushed")
        wait_for(lambda: app.get("shown", "children") == "shared 5", "the callback, its component being known now")
        holds(page, "a", "5")
        page.fill("#a", "6")
        shows(page, "shown", "shared 6")
        page.evaluate("history.back()")
        shows(page, "home", "home")
        page.evaluate("texts.length = 0")
        page.click("#go")
        shows(page, "shown", "shared 6")
        assert page.evaluate("texts") == ["shared 6"]
        context.close()
    finally:
        dash.page_registry.clear()


# ---- 10.2 ---------------------------------------------------------------------------------------------------------------
def test_10_2_a_lost_socket_comes_back_and_the_page_goes_on(serve: Serve, tab: Any, line: Any) -> None:
    app = _app()
    broken = line(serve(app))
    page = tab(broken.url, allow_errors=LINE_ERRORS)
    client = app.clients[0]
    page.evaluate("window.same = true")
    page.evaluate(WRITES)
    broken.cut()
    page.wait_for_function(RECONNECTING)
    mark = "document.getElementById('_dash-devices-mark').textContent"
    assert "Reconnecting" in page.evaluate(mark)
    wait_for(lambda: not client.connected, "the drop")
    app.push_mods({"other": {"title": "missed"}, "shown": {"children": "old"}})

    broken.mend()
    page.wait_for_function(CONNECTED)
    page.wait_for_function("() => other.title === 'missed'")
    assert page.evaluate("writes") == [["other", "title"]], "only what differs is written"
    assert page.evaluate(mark) == ""
    assert page.evaluate("same"), "the page is never reloaded for it"
    assert list(app.clients) == [client]


@pytest.mark.parametrize(
    "event",
    [
        pytest.param("document.dispatchEvent(new Event('resume'))", id="resume"),
        pytest.param("document.dispatchEvent(new Event('visibilitychange'))", id="visible"),
        pytest.param("window.dispatchEvent(new Event('online'))", id="online"),
        pytest.param("window.dispatchEvent(new PageTransitionEvent('pageshow'))", id="pageshow"),
    ],
)
def test_10_2_at_once_when_there_is_hope(serve: Serve, tab: Any, line: Any, event: str) -> None:
    broken = line(serve(_app()))
    page = tab(broken.url, allow_errors=LINE_ERRORS)
    # no timer of more than 50 ms ever fires, and the back-off is longer than that: the page would never try again
    page.evaluate("Math.random = () => 1")
    page.evaluate(
        "const real = setTimeout; window.setTimeout = (run, delay, ...rest) => delay > 50 ? 0 : real(run, delay, ...rest); 0"
    )
    broken.cut()
    page.wait_for_function(RECONNECTING)
    broken.mend()
    page.evaluate(event)
    page.wait_for_function(CONNECTED)


def test_10_2_a_page_resumes_from_its_seq(serve: Serve, raw: MakeRaw) -> None:
    app = _app()
    server = serve(app)
    page = raw(server.url).join()
    app.push_mods({"other": {"children": "known"}})
    page.until_value("other", "children", "known")
    page.drop()
    for number in range(3):
        app.push_mods({"other": {"title": f"missed {number}"}})
    back = raw(server.url)
    assert back.resume(page)["mode"] == "delta"
    assert back.until("mods")["mods"] == [["other", "title", "missed 2"]]
    ahead = raw(server.url)
    with pytest.raises(Closed) as closed:
        ahead.hello(epoch=back.welcome["epoch"], seq=10_000)
    assert closed.value.code == 4400


# ---- 10.3 ---------------------------------------------------------------------------------------------------------------
def test_10_3_a_number_is_handled_once(serve: Serve, raw: MakeRaw) -> None:
    calls = Calls()
    server = serve(_app(calls))
    page = raw(server.url).join()
    page.change("a", "value", "1")
    assert calls.next() == "1"
    ack = page.until("ack", n=1)
    page.change("nothing", "value", "2")
    nack = page.until("nack", n=2)
    page.drop()

    back = raw(server.url)
    assert back.resume(page)["handled"] == 2
    assert [back.until("ack", n=1), back.until("nack", n=2)] == [ack, nack], "the recorded answers"
    back.n = 0
    back.change("a", "value", "1")
    assert back.until("ack") == ack
    back.n = 2
    back.change("a", "value", "3")
    assert back.until("ack", n=3)
    assert calls.next() == "3", "the first one did not run again"
    back.n = 4
    back.change("a", "value", "5")
    assert back.closed() == 4400


def test_10_3_a_change_whose_ack_was_lost_runs_once(serve: Serve, tab: Any, line: Any) -> None:
    calls = Calls()
    broken = line(serve(_app(calls)))
    page = tab(broken.url, allow_errors=LINE_ERRORS)
    broken.lose(to_page=True)
    page.fill("#a", "5")
    assert calls.next() == "5"
    assert page.evaluate("dash_devices.unacked") == 1
    broken.cut()
    broken.mend()
    page.wait_for_function("() => dash_devices.unacked === 0")
    shows(page, "shown", "5")
    page.fill("#a", "6")
    assert calls.next() == "6"


def test_10_3_lost_changes_are_sent_again_in_order(serve: Serve, tab: Any, line: Any) -> None:
    calls = Calls()
    app = _app(calls)
    broken = line(serve(app))
    page = tab(broken.url, allow_errors=LINE_ERRORS)
    broken.lose(to_server=True)
    for value in ("5", "6"):
        page.fill("#a", value)
    broken.cut()
    page.wait_for_function(RECONNECTING)
    page.fill("#a", "7")
    assert page.evaluate("dash_devices.unacked") == 3
    broken.mend()
    assert calls.take(3) == ["5", "6", "7"]
    shows(page, "shown", "7")
    holds(page, "a", "7")
    page.fill("#a", "8")
    assert calls.next() == "8"


def test_10_3_after_an_epoch_change_nothing_is_sent_again(serve: Serve, tab: Any, line: Any) -> None:
    old, new = Calls(), Calls()
    server = serve(_app(old))
    broken = line(server)
    page = tab(broken.url, allow_errors=LINE_ERRORS)
    page.fill("#a", "4")
    assert old.next() == "4"
    page.evaluate(
        """() => {
          window.marked = [];
          const note = () => marked.push(document.getElementById("a").dataset.dashDevices);
          new MutationObserver(note).observe(document, { subtree: true, attributes: true });
        }"""
    )
    broken.lose(to_server=True)
    page.fill("#a", "5")
    broken.cut()
    server.stop()
    broken.target = serve(_app(new)).port
    broken.mend()
    holds(page, "a", "0")
    page.wait_for_function("() => marked.includes('unconfirmed')")
    assert page.evaluate("dash_devices.unacked") == 0
    page.fill("#a", "6")
    assert new.next() == "6"
    assert old.none_left


# ---- 10.5 ---------------------------------------------------------------------------------------------------------------
def test_10_5_a_restarted_server_gives_its_state_without_a_reload(serve: Serve, tab: Any, line: Any) -> None:
    server = serve(_app())
    broken = line(server)
    page = tab(broken.url, allow_errors=LINE_ERRORS)
    id = page.evaluate("dash_devices.tab")
    page.evaluate("window.same = true")
    page.fill("#a", "4")
    shows(page, "shown", "4")
    server.stop()
    again = _app()
    again.push_mods({"a": {"value": "9"}, "shown": {"children": "new state"}})
    broken.target = serve(again).port
    shows(page, "shown", "new state")
    holds(page, "a", "9")
    assert page.evaluate("same")
    assert page.evaluate("dash_devices.tab") == again.clients[0].id != id
    page.fill("#a", "10")
    shows(page, "shown", "10")


@pytest.mark.parametrize("changed", ["layout", "callbacks"])
def test_10_5_pages_of_another_build_reload(serve: Serve, tab: Any, line: Any, changed: str) -> None:
    server = serve(_app())
    broken = line(server)
    page = tab(broken.url, allow_errors=LINE_ERRORS)
    page.evaluate("window.same = true")
    server.stop()
    app = _app()
    if changed == "layout":
        app.layout = html.Div([_layout(), html.Div("is new", id="extra")])
    else:
        app.callback(Output("other", "children"), [Input("a", "value")])(lambda value: "is new")
    broken.target = serve(app).port
    shows(page, "extra" if changed == "layout" else "other", "is new")
    assert page.evaluate("window.same") is None


def test_10_5_the_snapshot_of_a_new_epoch(serve: Serve, raw: MakeRaw) -> None:
    page = raw(serve(_app()).url).join()
    page.change("a", "value", "1")
    page.until("ack")
    again = _app()
    again.push_mods({"other": {"children": "whole state"}})
    back = raw(serve(again).url)
    welcome = back.resume(page)
    assert (welcome["mode"], welcome["handled"]) == ("snapshot", 0)
    assert welcome["epoch"] != page.welcome["epoch"]
    assert {tuple(triple) for triple in back.until("mods")["mods"]} >= {
        ("other", "children", "whole state"),
        ("a", "value", "0"),
    }
    back.n = 0
    back.change("a", "value", "2")
    assert back.until("ack", n=1)
