"""What components of public libraries report by themselves, and when, on a page of stock Dash without the plug-in.

The plug-in takes for mounting what a component reports until 100 ms after it is in the document, and then until the page is
idle (``renderer/src/causes.ts``). Here: every honest mounting report comes before that, and every timer after it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dash
import dash_bootstrap_components as dbc
import dash_extensions
import dash_mantine_components as dmc
import pytest
from dash import dcc, html
from dash.dependencies import Input, Output

from tests.semantics.mounted import GRAPH, MOUNTED, SILENT, Table, with_ids
from tests.support import free_port, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

RECORDER = """(() => {
  const born = new Set(), settled = new Set();
  window.reports = [];
  window.settled = settled;
  let store, seen = {};
  const component = (id) => {
    const { paths, layout } = store.getState();
    return paths.strs[id]?.reduce((node, step) => node?.[step], layout);
  };
  const LAZY = /^dash_(core_components|html_components|table|ag_grid)$/;
  const WITHOUT_ELEMENT = /^(Store|Location|Interval|Download|Geolocation|ConfirmDialog)$/;
  const hasStarted = (id) => {
    const { namespace = '', type = '' } = component(id) ?? {};
    return !!document.getElementById(id) || !LAZY.test(namespace) || WITHOUT_ELEMENT.test(type);
  };
  const settle = (id) => {
    if (!hasStarted(id)) setTimeout(settle, 20, id);
    else setTimeout(() => requestIdleCallback(() => settled.add(id), { timeout: 1000 }), 100);
  };
  const notice = () => {
    const { appLifecycle, paths, changed, layoutHashes } = store.getState();
    if (appLifecycle !== 'HYDRATED') return;
    for (const id of Object.keys(paths.strs)) if (!born.has(id)) settle(id, born.add(id));
    if (seen !== changed && layoutHashes[`${paths.strs[changed.id]}`]?.renderType === 'internal')
      for (const [name, value] of Object.entries(changed.props))
        reports.push([changed.id, name, value ?? null, settled.has(changed.id)]);
    seen = changed;
  };
  const stores = (window.dash_stores ??= []);
  stores.push = (added) => {
    if (!store) (store = added).subscribe(notice);
    return (stores[stores.length] = added), stores.length;
  };
})();"""

MORE: Table = {
    **SILENT,  # here without a value
    "store": (dcc.Store(id="store", data=1), "modified_timestamp", None),
    "url": (dcc.Location(id="url"), "pathname", None),
    "keys": (dash_extensions.EventListener(), "n_events", None),
    "text": (dcc.Input(value="x", debounce=True), "value", None),
    "toast": (dbc.Toast("hot", is_open=True, duration=400), "is_open", None),
    "alert": (dbc.Alert("hot", is_open=True, duration=500), "is_open", None),
    "moving": (dbc.Carousel(items=[{"src": ""}] * 2, interval=500), "active_index", None),
    "hiding": (dmc.Alert("hot", duration=600), "hide", None),
}
TIMERS = {"toast", "alert", "moving", "hiding"}
QUIET = {"keys", "text"}
Serve = Callable[[Table, bool], str]


@pytest.fixture
def stock() -> Any:
    """``stock(table, is_later) -> address`` of a page of stock Dash with these components; later: after a click on ``go``."""
    running = []

    def start(table: Table, is_later: bool) -> str:
        app, port = dash.Dash("probe", backend="quart"), free_port()
        app.layout = dmc.MantineProvider(
            html.Div([html.Button("go", id="go"), html.Div([] if is_later else with_ids(table), id="box")])
        )
        app.callback(Output("box", "children"), Input("go", "n_clicks"), prevent_initial_call=True)(
            lambda n: with_ids(table)
        )
        thread = threading.Thread(target=lambda: app.run(host="127.0.0.1", port=port), daemon=True)
        thread.start()
        event = wait_for(lambda: getattr(getattr(app.backend, "_ws_shutdown_event", None), "_loop", None), "server")
        running.append((app, thread, event))
        return f"http://127.0.0.1:{port}"

    yield start
    for app, thread, event in running:
        event.call_soon_threadsafe(app.backend._ws_shutdown_event.set)
        thread.join(10)


@pytest.fixture
def reports(stock: Serve, browser: Any, tab: Callable[..., Page]) -> Any:
    """``reports(table, slower, is_later)``: ``(id, property, value, has it settled?)`` of each report, when all have settled."""
    context = browser.new_context()
    context.add_init_script(RECORDER)

    def look(table: Table, slower: int, is_later: bool) -> list[tuple[str, str, Any, bool]]:
        page = tab(stock(table, is_later), context=context, connected=False, allow_errors=True, slower=slower)
        if is_later:
            page.wait_for_selector("#go")
            page.evaluate("document.getElementById('go').click()")
        last = [id for id in table if id not in QUIET]
        page.wait_for_function("(ids) => ids.every((id) => reports.some(([name]) => name === id))", arg=last)
        page.wait_for_function("(ids) => ids.every((id) => settled.has(id))", arg=list(table))
        return [tuple(report) for report in page.evaluate("reports") if report[0] in table]

    yield look
    context.close()


@pytest.mark.parametrize(("slower", "is_later"), [(1, True), (6, False)])
def test_mounting_reports_come_before_a_component_is_settled(
    slower: int, is_later: bool, reports: Callable[..., list[tuple[str, str, Any, bool]]]
) -> None:
    table = MOUNTED | GRAPH | MORE
    said = reports(table, slower, is_later)
    late = {id for id, _, _, is_settled in said if is_settled}
    resized = [(name, value) for id, name, value, _ in said if id == "graph"]
    assert late - TIMERS - {"graph"} == set()
    assert resized in ([], [("relayoutData", {"autosize": True})])  # Plotly fits it into its place, whenever that is
    assert not QUIET & {id for id, _, _, _ in said}
    early = {(id, name) for id, name, _, is_settled in said if not is_settled}
    assert early >= {(id, name) for id, (_, name, _) in table.items() if id not in TIMERS | QUIET | {"graph"}}


def test_timers_report_after_it(reports: Callable[..., list[tuple[str, str, Any, bool]]]) -> None:
    said = reports({id: MORE[id] for id in TIMERS}, 1, False)
    assert {id: is_settled for id, _, _, is_settled in said} == dict.fromkeys(TIMERS, True)
