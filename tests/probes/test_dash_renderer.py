"""What the page's plug-in leans on in Dash's renderer, one test each, on a page of stock Dash without the plug-in.

Read in dash-renderer 3.4.1 (Dash 4.4.1). ``renderer/src/dash.ts`` is the only file that touches these.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dash
import pytest
from dash import dcc, html
from dash.dependencies import ALL, Input, Output

from tests.support import free_port, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

STORE = "const store = window.dash_stores[0]; const state = () => store.getState();"
SLOW = threading.Event()


def make_app() -> dash.Dash:
    app = dash.Dash("probe", backend="quart")
    app.layout = html.Div(
        [
            dcc.Input(id="text", value="a"),
            html.Div(id="free"),
            html.Div(id="out"),
            html.Div(id="slow"),
            dcc.Input(id={"type": "gain", "index": 0}, value=1),
            html.Div(id="gains"),
            html.Div(id="after"),
        ]
    )
    app.callback(Output("out", "children"), Input("text", "value"))(lambda value: f"out {value}")
    app.callback(Output("after", "children"), Input("out", "children"))(lambda text: f"after {text}")
    app._callback_list[-1]["rerun"] = False
    app.callback(Input("after", "children"), prevent_initial_call=True)(lambda text: None)
    app.callback(Output("gains", "children"), Input({"type": "gain", "index": ALL}, "value"))(str)

    @app.callback(Output("slow", "children"), Input("text", "value"), prevent_initial_call=True)
    async def slow(value: str) -> str:
        while not SLOW.is_set():  # noqa: ASYNC110 - the test sets it in another thread
            await asyncio.sleep(0.01)
        return f"slow {value}"

    return app


@pytest.fixture(scope="module")
def stock() -> Iterator[str]:
    """A page of stock Dash; its address."""
    app, port = make_app(), free_port()
    thread = threading.Thread(target=lambda: app.run(host="127.0.0.1", port=port), daemon=True)
    thread.start()
    event = wait_for(lambda: getattr(getattr(app.backend, "_ws_shutdown_event", None), "_loop", None), "server")
    yield f"http://127.0.0.1:{port}"
    event.call_soon_threadsafe(app.backend._ws_shutdown_event.set)
    thread.join(10)


@pytest.fixture
def look(stock: str, tab: Callable[..., Page]) -> Callable[[str], Any]:
    """Evaluate JavaScript in a fresh page of stock Dash, with ``store`` and ``state()`` at hand."""
    SLOW.clear()
    page = tab(stock, connected=False, allow_errors=True)
    page.wait_for_function("() => window.dash_stores?.[0]?.getState().appLifecycle === 'HYDRATED'")
    page.wait_for_function("() => document.querySelector('#out').textContent === 'out a'")
    return lambda code: page.evaluate(f"async () => {{ {STORE} {code} }}")


def test_a_change_is_a_new_object_with_id_and_props(look: Callable[[str], Any]) -> None:
    """reducers/reducer.js: ``changed`` is replaced at every ON_PROP_CHANGE."""
    code = """const before = state().changed; dash_clientside.set_props('text', {value: 'b'});
      const after = state().changed; return [before !== after, after.id, after.props.value];"""
    assert look(code) == [True, "text", "b"]


def test_subscribers_hear_of_it_inside_the_dispatch(look: Callable[[str], Any]) -> None:
    code = """let heard = null; store.subscribe(() => { heard = heard || state().changed.props.value; });
      dash_clientside.set_props('text', {value: 'now'}); return heard;"""
    assert look(code) == "now"


def test_paths_name_every_component(look: Callable[[str], Any]) -> None:
    """actions/paths.js: string ids in ``strs``, dict ids in ``objs`` by their sorted keys."""
    code = """const {strs, objs} = state().paths; return [strs.text, objs['index,type'][0].values];"""
    path, values = look(code)
    assert path == ["components", "props", "children", 0]
    assert values == [0, "gain"]


def test_the_reason_of_a_change_is_in_the_hashes(look: Callable[[str], Any]) -> None:
    """reducers/reducer.js, ``layoutHashes``: keyed by the joined path; ``renderType`` says who changed it."""
    code = """dash_clientside.set_props('text', {value: 'c'});
      return Object.entries(state().layoutHashes).map(([path, {renderType}]) => [path, renderType]);"""
    assert ["components,props,children,0", "clientsideApi"] in look(code)


def test_a_plain_prop_change_draws_without_telling_callbacks(look: Callable[[str], Any]) -> None:
    """The action that the plug-in dispatches where nobody listens."""
    code = """store.dispatch({type: 'ON_PROP_CHANGE', payload: {itempath: state().paths.strs.free,
        props: {children: 'drawn'}, renderType: 'clientsideApi'}});
      await new Promise((done) => setTimeout(done, 50)); return document.querySelector('#free').textContent;"""
    assert look(code) == "drawn"


def test_listeners_are_found_by_id_and_property(look: Callable[[str], Any]) -> None:
    """actions/dependencies.js, ``computeGraphs``: ``inputMap`` and ``inputPatterns``."""
    code = """const {inputMap, inputPatterns} = state().graphs;
      return [inputMap.text.value.map((callback) => callback.output).sort(),
              inputPatterns['index,type'].value[0].callbacks[0].output];"""
    assert look(code) == [["out.children", "slow.children"], "gains.children"]


def test_callbacks_under_way_are_watched(look: Callable[[str], Any]) -> None:
    """reducers/callbacks.ts: a callback whose result is awaited stands in ``callbacks.watched``."""
    code = """dash_clientside.set_props('text', {value: 'd'}); await new Promise((done) => setTimeout(done, 300));
      const {watched, executing} = state().callbacks;
      return [...watched, ...executing].map((entry) => entry.callback.output);"""
    try:
        assert look(code) == ["slow.children"]
    finally:
        SLOW.set()


def test_a_masked_callback_is_not_told(look: Callable[[str], Any]) -> None:
    """``notifyObservers`` reads ``inputMap`` inside the synchronous part of ``set_props``: masking there is enough."""
    code = """const owner = state().graphs.inputMap.text; const all = owner.value;
      owner.value = all.filter((callback) => callback.output !== 'out.children');
      dash_clientside.set_props('text', {value: 'masked'}); owner.value = all;
      await new Promise((done) => setTimeout(done, 300)); return document.querySelector('#out').textContent;"""
    try:
        assert look(code) == "out a"
    finally:
        SLOW.set()


def test_revert_takes_back_the_undo_history(look: Callable[[str], Any]) -> None:
    """reducers/history.js: every set_props on an Input grows ``history.past``; REVERT shortens it by one."""
    code = """const before = state().history.past.length; dash_clientside.set_props('text', {value: 'e'});
      const grown = state().history.past.length; store.dispatch({type: 'REVERT'});
      return [grown - before, state().history.past.length - before];"""
    try:
        assert look(code) == [1, 0]
    finally:
        SLOW.set()


def test_unknown_ids_throw(look: Callable[[str], Any]) -> None:
    code = """try { dash_clientside.set_props('nobody', {value: 1}); return 'no error'; } catch (error) { return 'error'; }"""
    assert look(code) == "error"


def test_patches_are_applied_by_set_props(look: Callable[[str], Any]) -> None:
    """actions/patch.ts: the mark and the operations."""
    code = """dash_clientside.set_props('free', {title: 'x', style: {color: 'red'}});
      dash_clientside.set_props('free', {style: {__dash_patch_update: '__dash_patch_update',
        operations: [{operation: 'Assign', location: ['color'], params: {value: 'blue'}}]}});
      return document.querySelector('#free').style.color"""
    assert look("await 0;" + code.replace("return", "await new Promise((d) => setTimeout(d, 50)); return")) == "blue"


def test_errors_reach_the_dev_tools(look: Callable[[str], Any]) -> None:
    """reducers/error.js: ON_ERROR with type and error."""
    code = """store.dispatch({type: 'ON_ERROR', payload: {type: 'backEnd', error: {message: 'broken', html: 'why'}}});
      return state().error.backEnd[0].error.message;"""
    assert look(code) == "broken"


# ---- calls: how they are asked for -----------------------------------------------------------------------------------------
FIRST_CALLS = """
window.seen = [];
window.dash_stores = [];
window.dash_stores.push = function (store) {
  store.subscribe(() => {
    const { appLifecycle, callbacks } = store.getState();
    const names = (list) => callbacks[list].filter((run) => run.initialCall).map((run) => run.resolvedId);
    seen.push([appLifecycle, names("requested"), names("watched")]);
  });
  return Array.prototype.push.call(this, store);
};
"""
"""What subscribers see of initial calls, from the first action on."""

AGAIN = """
  const real = window.fetch;
  const mark = {}, bodies = [], calls = [];
  window.fetch = (url, init) => {
    if (init?.body) bodies.push(JSON.parse(init.body));
    return real(url, init);
  };
  const LISTS = ['requested', 'prioritized', 'blocked', 'executing', 'watched', 'executed'];
  const runs = () => LISTS.flatMap((list) => state().callbacks[list]);
  const rest = async () => {
    do await new Promise((done) => setTimeout(done, 20));
    while (runs().some((run) => run.resolvedId !== 'slow.children'));
  };
  const end = store.subscribe(() => calls.push(...state().callbacks.requested));
  dash_clientside.set_props('text', {value: 'x'});
  end();
  const call = calls.find((run) => run.resolvedId === 'out.children');
  await rest();
  bodies.length = 0;
  const news = {initialCall: true, changedPropIds: {}, predecessors: [mark], executionGroup: 'mine'};
  const again = () => store.dispatch({type: 'Callbacks.AddRequested', payload: [{...call, ...news}]});
"""
"""A call that the renderer has made, to be asked for once more."""


def test_initial_calls_are_asked_for_before_the_page_is_ready(
    browser: Any, stock: str, tab: Callable[..., Page]
) -> None:
    """actions/index.js, ``hydrateInitialOutputs``: they stand in ``requested``, and begin in a later task."""
    context = browser.new_context()
    context.add_init_script(FIRST_CALLS)
    page = tab(stock, context=context, connected=False, allow_errors=True)
    page.wait_for_function("() => document.querySelector('#after')?.textContent === 'after out a'")
    seen = page.evaluate("seen")
    expected = {"out.children", "after.children", "gains.children"}
    ready = next(requested for lifecycle, requested, _ in seen if lifecycle == "HYDRATED")
    assert set(ready) == expected
    begun = {name for lifecycle, _, watched in seen if lifecycle != "HYDRATED" for name in watched}
    assert not begun
    watched = {name for _, _, names in seen for name in names}
    assert watched == {"out.children", "gains.children"}, (
        "one that had to wait for a result is no initial call any more"
    )
    context.close()


def test_callbacks_carry_what_the_server_says_of_them(look: Callable[[str], Any]) -> None:
    """actions/dependencies.js, ``computeGraphs``: unknown names of the list of callbacks are kept."""
    code = """return state().graphs.callbacks.map(({output, rerun, noOutput, prevent_initial_call, clientside_function}) =>
      [output.split('@')[0], rerun ?? null, !!noOutput, prevent_initial_call, clientside_function ?? null]);"""
    found = {name: rest for name, *rest in look(code)}
    assert found["after.children"] == [False, False, False, None]
    assert found["out.children"] == [None, False, False, None]
    assert [True, True] in [rest[1:3] for rest in found.values()]


def test_a_call_that_is_asked_for_again_runs_as_an_initial_one(look: Callable[[str], Any]) -> None:
    """reducers/callbacks.ts: ``Callbacks.AddRequested``; what it sent and how its result is seen."""
    code = """again();
      const executed = [];
      store.subscribe(() => executed.push(...state().callbacks.executed.map((run) => [run.resolvedId, run.initialCall])));
      await rest();
      return [bodies[0].output, bodies[0].changedPropIds, executed[0]];"""
    try:
        assert look(AGAIN + code) == ["out.children", [], ["out.children", True]]
    finally:
        SLOW.set()


def test_what_follows_from_a_call_knows_its_predecessors(look: Callable[[str], Any]) -> None:
    """observers/executedCallbacks.ts: they are handed on, as the same objects, along the whole chain."""
    code = """again();
      const marked = new Map();
      store.subscribe(() => runs().forEach((run) => run.predecessors?.includes(mark) && marked.set(run.resolvedId, run)));
      await rest();
      const hasCommand = [...marked.values()].some((run) => run.callback.noOutput);
      return [marked.has('out.children'), marked.has('after.children'), hasCommand];"""
    try:
        assert look(AGAIN + code) == [True, True, True]
    finally:
        SLOW.set()


def test_a_call_is_in_one_list_or_another_until_its_result_is_written(look: Callable[[str], Any]) -> None:
    code = """dash_clientside.set_props('out', {children: ''});
      await rest();
      again();
      const seen = [];
      store.subscribe(() => seen.push([
        runs().some((run) => run.resolvedId === 'out.children'),
        state().paths.strs.out.reduce((node, step) => node[step], state().layout).props.children === 'out x',
      ]));
      await rest();
      return [seen.every(([isThere, isWritten]) => isThere || isWritten), seen[0], seen.at(-1)];"""
    try:
        assert look(AGAIN + code) == [True, [True, False], [False, True]]
    finally:
        SLOW.set()


def test_what_was_asked_for_can_be_taken_back_in_the_same_task(look: Callable[[str], Any]) -> None:
    """observers/requestedCallbacks.ts waits for the next task before it looks."""
    code = """again();
      store.dispatch({type: 'Callbacks.RemoveRequested', payload: state().callbacks.requested});
      dash_clientside.set_props({type: 'gain', index: 0}, {value: 2});
      await rest();
      return bodies.map(({output}) => output);"""
    try:
        assert look(AGAIN + code) == ["gains.children"]
    finally:
        SLOW.set()


def test_a_call_resolves_its_properties_in_the_paths_of_now(look: Callable[[str], Any]) -> None:
    """actions/dependencies_ts.ts, ``resolveDeps``: what is not in the page is an empty list."""
    code = """const {paths} = state(); const none = {strs: {}, objs: {}};
      const [[{id, property, path}]] = call.getOutputs(paths);
      return [id, property, path, call.getInputs(none), call.getState(paths)];"""
    try:
        assert look(AGAIN + code) == ["out", "children", ["components", "props", "children", 2], [[]], []]
    finally:
        SLOW.set()
