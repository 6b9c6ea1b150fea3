import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRenderer } from "../src/dash";
import { createRerun } from "../src/rerun";
import { component, fakeBrowser, fakeDash } from "./page";

let dash: ReturnType<typeof fakeDash>;
let rerun: ReturnType<typeof createRerun>;
let late: boolean[];

type Prop = [id: string, property: string];

/** An initial call of a callback with these Inputs; what is in the page is looked up there, as the renderer does. */
function call(name: string, inputs: Prop[], output: Prop = [name, "children"], more: object = {}): any {
  const find = (list: Prop[]) => (paths: any) =>
    list.map(([id, property]) => (paths.strs[id] ? [{ id, property, path: paths.strs[id] }] : []));
  const callback = { inputs: inputs.map(([id]) => ({ id })), state: [], ...more };
  const places = { getInputs: find(inputs), getState: () => [], getOutputs: find([output]) };
  return { callback, resolvedId: name, initialCall: true, changedPropIds: {}, ...places };
}

/** A later call of it, because a property changed. */
const causedBy = (key: string, initial: any = {}): any => ({ ...initial, initialCall: false, changedPropIds: { [key]: 1 } });

/** They run, and their results are written. */
function run(...runs: any[]): void {
  dash.ask(...runs);
  dash.move("requested", "watched");
  finish();
}
function finish(): void {
  if (requested().length) dash.move("requested", "watched");
  dash.move("watched", "executed");
  dash.move("executed", "");
}
const requested = (): any[] => dash.state().callbacks.requested;
const asked = (): string[] => requested().map(({ resolvedId }) => resolvedId);

function restart(ms = 1000): string[] {
  rerun.resumed(true, ms);
  vi.advanceTimersByTime(ms);
  return asked();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  const { page } = fakeBrowser();
  const div = (id: string, props = {}) => component("Div", { id, ...props });
  const panel = div("panel", { children: [div("inside")] });
  dash = fakeDash([div("a", { value: 1 }), div("b"), div("go"), div("graph", { relayoutData: null }), panel], page);
  late = [];
  const renderer = createRenderer(() => rerun.notice());
  rerun = createRerun(renderer, (now) => late.push(now));
  (page["dash_stores"] as unknown[]).push(dash.store);
  dash.hydrate();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("what ran initially runs once more, as an initial call, at a random moment", () => {
  run(call("a", [["b", "value"]]));
  rerun.resumed(true, 1000);
  vi.advanceTimersByTime(499);
  expect(asked()).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(requested()).toMatchObject([{ resolvedId: "a", initialCall: true, changedPropIds: {} }]);
});

test("also where it had waited for the result of another one", () => {
  const waiting = call("a", [["b", "value"]]);
  dash.ask(waiting);
  dash.ask(causedBy("b.value", waiting));
  dash.move("requested", "", [waiting]);
  finish();
  expect(restart()).toEqual(["a"]);
  expect(requested()[0].initialCall).toBe(true);
});

test("also where both were asked for at once", () => {
  const initial = call("a", [["b", "value"]]);
  const caused = causedBy("b.value", initial);
  dash.ask(initial, caused);
  dash.move("requested", "", [initial]);
  finish();
  expect(restart()).toEqual(["a"]);
});

test("what was asked for and never ran does not", () => {
  dash.ask(call("a", [["b", "value"]]));
  dash.move("requested", "");
  expect(restart()).toEqual([]);
});

/** An initial call that leaves a list of the renderer's without having run, and a run of the same callback that something caused. */
function dropAndRun(list: string) {
  const dropped = call("a", [["b", "value"]]);
  dash.ask(dropped);
  if (list !== "requested") dash.move("requested", list);
  dash.move(list, "");
  run(causedBy("b.value", dropped));
}

test("nor if it was dropped while it was requested, and runs later because of something", () => {
  dropAndRun("requested");
  expect(restart()).toEqual([]);
});

test("nor if it was dropped when it was its turn", () => {
  dropAndRun("prioritized");
  expect(restart()).toEqual([]);
});

test("nor does what ran because of something", () => {
  run(causedBy("b.value", call("a", [["b", "value"]])));
  expect(restart()).toEqual([]);
});

test.each([
  ["clientside", { clientside_function: {} }],
  ["the last call for an ALL that lost a component", { prevent_initial_call: true }],
  ["switched off", { rerun: false }],
])("%s: it is left alone", (_, more) => {
  run(call("a", [["b", "value"]], undefined, more));
  expect(restart()).toEqual([]);
});

test("a callback without output is left alone", () => {
  run({ ...call("a", [["b", "value"]], undefined, { noOutput: true }), getOutputs: () => [] });
  expect(restart()).toEqual([]);
});

test("what is not in the page any more is left alone", () => {
  run(call("gone", [["b", "value"]]), call("a", [["gone", "value"]]), call("b", [["a", "value"]]));
  expect(restart()).toEqual(["b"]);
});

test("an Input that may be missing may", () => {
  const optional = call("a", [["gone", "value"]]);
  optional.callback.inputs[0].allow_optional = true;
  const all = call("b", [["gone", "value"]]);
  all.callback.inputs[0].id = { type: "x", index: { wild: "ALL", multi: 1 } };
  run(optional, all);
  expect(restart()).toEqual(["a", "b"]);
});

test("a callback of a button that was clicked does not run again", () => {
  run(call("a", [["go", "n_clicks"], ["b", "value"]]), call("b", [["a", "value"]]));
  dash.report("go", { n_clicks: 7 });
  dash.report("a", { value: 2 });
  expect(restart()).toEqual(["b"]);
});

test("of one that is at its first value again, it does", () => {
  run(call("a", [["go", "n_clicks"]]));
  dash.report("go", { n_clicks: 1 });
  dash.setProps("go", { n_clicks: 0 });
  expect(restart()).toEqual(["a"]);
});

test("nor where it was clicked before the callback came", () => {
  dash.report("go", { n_clicks: 1 });
  run(call("a", [["go", "n_clicks"]]));
  expect(restart()).toEqual([]);
});

/** A click, of which a Store comes to hold what is to be done. */
function clickInto(data: unknown): void {
  dash.report("go", { n_clicks: 1 });
  dash.result(causedBy("go.n_clicks"), "b", { data });
}

test("a callback does not run again of which an Input holds the result of a click, nor what follows from that", () => {
  run(call("a", [["b", "data"]]), call("go", [["a", "children"]]), call("b", [["a", "value"]]));
  clickInto("fire");
  dash.result(causedBy("b.data"), "a", { children: "fire" });
  expect(restart()).toEqual(["b"]);
});

test.each([[undefined, null, ["a"]], ["idle", "idle", ["a"]], [undefined, false, []], [1, 0, []]])(
  "the result of a click was %j and is %j: as before is what is the same",
  (initial, data, again) => {
    dash.setProps("b", { data: initial });
    run(call("a", [["b", "data"]]));
    clickInto("fire");
    clickInto(data);
    expect(restart()).toEqual(again);
  },
);

test("it counts until something else is written there", () => {
  run(call("a", [["b", "data"]]));
  clickInto("fire");
  dash.setProps("b", { data: "fire" });
  expect(restart()).toEqual([]);
  dash.result(causedBy("a.value"), "b", { data: "typed" });
  expect(restart()).toEqual(["a"]);
});

test("also where the button is gone when the result comes", () => {
  run(call("a", [["b", "data"]]));
  dash.result(causedBy("gone.n_clicks"), "b", { data: "fire" });
  expect(restart()).toEqual([]);
});

test("not where nobody did anything", () => {
  run(call("a", [["b", "data"]]));
  dash.report("graph", { relayoutData: { autosize: true } });
  dash.result(causedBy("graph.relayoutData"), "b", { data: "fits" });
  expect(restart()).toEqual(["a"]);
});

test("a button that left and came back counts anew", () => {
  run(call("a", [["go", "n_clicks"]]));
  dash.report("go", { n_clicks: 7 });
  const { paths } = dash.state();
  dash.update({ paths: { ...paths, strs: { ...paths.strs, go: undefined } } });
  dash.update({ paths });
  run(call("a", [["go", "n_clicks"]]));
  expect(restart()).toEqual(["a"]);
});

const EVENTS =
  "n_clicks n_intervals submit_n_clicks n_clicks_timestamp modified_timestamp clickData hoverData selectedData relayoutData contents cellClicked cellRendererData tapNodeData event message keydown";
test.each(EVENTS.split(" "))("%s says that something happened", (name) => {
  run(call("a", [["go", name]]));
  dash.report("go", { [name]: { x: 1 } });
  expect(restart()).toEqual([]);
});

test.each("value data filename children search_value is_open pathname active_tab".split(" "))("%s says how something is", (name) => {
  run(call("a", [["go", name]]));
  dash.report("go", { [name]: 1 });
  expect(restart()).toEqual(["a"]);
});

test("a Graph that fits itself into its place is no event", () => {
  run(call("a", [["graph", "relayoutData"]]));
  dash.report("graph", { relayoutData: { autosize: true } });
  expect(restart()).toEqual(["a"]);
});

test("once for one epoch", () => {
  run(call("a", [["b", "value"]]));
  restart();
  finish();
  rerun.interrupted();
  rerun.resumed(false, 1000);
  vi.runAllTimers();
  expect(asked()).toEqual([]);
  expect(restart()).toEqual(["a"]);
});

test("a line that is lost before it began makes it wait for the next one", () => {
  run(call("a", [["b", "value"]]));
  rerun.resumed(true, 1000);
  rerun.interrupted();
  vi.runAllTimers();
  expect(asked()).toEqual([]);
  rerun.resumed(false, 1000);
  vi.runAllTimers();
  expect(asked()).toEqual(["a"]);
});

test("a server that restarts twice makes it run once", () => {
  run(call("a", [["b", "value"]]));
  rerun.resumed(true, 1000);
  rerun.interrupted();
  rerun.resumed(true, 1000);
  vi.runAllTimers();
  expect(asked()).toEqual(["a"]);
});

test("without a time it does not run", () => {
  run(call("a", [["b", "value"]]));
  expect(restart(0)).toEqual([]);
  expect(late).not.toContain(true);
});

test("before the layout is there nothing has run yet", () => {
  dash.ask(call("a", [["b", "value"]]));
  dash.update({ appLifecycle: "STARTED" });
  rerun.resumed(true, 1000);
  dash.hydrate();
  dash.move("requested", "watched");
  vi.runAllTimers();
  expect(asked()).toEqual([]);
});

test("a layout that is fetched again begins anew", () => {
  run(call("a", [["b", "value"]]));
  rerun.resumed(true, 1000);
  dash.update({ appLifecycle: "STARTED" });
  dash.hydrate();
  vi.runAllTimers();
  expect([asked(), late.slice(-1)]).toEqual([[], [false]]);
  expect(restart()).toEqual([]);
});

test("it is late until the results are written", () => {
  run(call("a", [["b", "value"]]));
  rerun.resumed(true, 1000);
  expect(late.slice(-1)).toEqual([true]);
  vi.runAllTimers();
  dash.move("requested", "watched");
  dash.move("watched", "executed");
  expect(late.slice(-1)).toEqual([true]);
  dash.move("executed", "");
  expect(late.slice(-1)).toEqual([false]);
});

test("and those of what they bring about, if that ends at all", () => {
  run(call("a", [["b", "value"]]));
  restart();
  const { predecessors } = requested()[0];
  const next = { ...call("b", [["a", "value"]]), predecessors: [...predecessors, {}] };
  const endless = { ...call("go", [["a", "value"]], undefined, { persistent: true }), predecessors };
  dash.ask(next, endless);
  dash.move("requested", "watched");
  dash.move("watched", "", dash.state().callbacks.watched.slice(0, 1));
  expect(late.slice(-1)).toEqual([true]);
  dash.move("watched", "", [next]);
  expect(late.slice(-1)).toEqual([false]);
});

test("a page that has nothing to run is never late", () => {
  restart();
  expect(late).not.toContain(true);
});

test("what is under way is sent again by itself", () => {
  const mine = call("a", [["b", "value"]]);
  run(mine, call("b", [["a", "value"]]));
  dash.ask(mine);
  dash.move("requested", "watched");
  rerun.resumed(true, 1000);
  finish();
  vi.runAllTimers();
  expect(asked()).toEqual(["b"]);
});

test("what somebody has set off meanwhile is not thrown away", () => {
  const mine = call("a", [["b", "value"]]);
  run(mine);
  rerun.resumed(true, 1000);
  dash.ask({ ...mine, initialCall: false, changedPropIds: { "b.value": 2 } });
  dash.move("requested", "watched");
  vi.runAllTimers();
  expect([asked(), late.slice(-1)]).toEqual([[], [false]]);
});

test("what is inside of a result waits for it, and runs if it is still the same", () => {
  const inside = call("inside", [["a", "value"]]);
  run(call("panel", [["b", "value"]]), inside);
  expect(restart()).toEqual(["panel"]);
  finish();
  expect(asked()).toEqual(["inside"]);
  finish();
  expect([asked(), late.slice(-1)]).toEqual([[], [false]]);
  expect(restart()).toEqual(["panel"]);
  dash.ask({ ...inside, predecessors: requested()[0].predecessors });
  finish();
  expect(asked()).toEqual([]);
});

test("a callback that writes around its own output runs too", () => {
  const both = call("panel", [["b", "value"]]);
  const { getOutputs } = call("inside", []);
  const own = both.getOutputs;
  both.getOutputs = (paths: any) => [...own(paths), ...getOutputs(paths)];
  run(both);
  expect(restart()).toEqual(["panel"]);
});

test("no command follows from a result", () => {
  run(call("a", [["b", "value"]]));
  restart();
  const command = call("command", [["a", "children"]], undefined, { noOutput: true });
  const { predecessors } = requested()[0];
  dash.ask({ ...causedBy("a.children", command), predecessors });
  expect(asked()).toEqual(["a"]);
  dash.ask(causedBy("a.children", command));
  expect(asked()).toEqual(["a", "command"]);
});

test("callbacks whose components are gone are forgotten, not those that are there", () => {
  run(call("a", [["b", "value"]]));
  const many = Array.from({ length: 10_000 }, (_, i) => call(`row${i}`, [["b", "value"]]));
  many.forEach((one) => (one.getOutputs = vi.fn(() => [[]])));
  run(...many);
  many.forEach(({ getOutputs }) => getOutputs.mockClear());
  expect(restart()).toEqual(["a"]);
  expect(many.filter(({ getOutputs }) => getOutputs.mock.calls.length)).toEqual([]);
});
