import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { component, fakeApp, watch } from "./page";

const WATCHED = [
  watch("power", "value", ["note", "value"], ['{"i":["ALL"],"type":"w"}', "value"]),
  watch("power", "drag_value", ["note", "value"]),
  watch("store", "data"),
  watch("late", "value"),
  watch("derived", "value"),
  watch('{"i":["ALL"],"type":"w"}', "value"),
];

function app() {
  const made = fakeApp(
    [
      component("Slider", { id: "power", value: 40 }),
      component("Input", { id: "note", value: "n" }),
      component("Store", { id: "store" }),
      component("Input", { id: "derived", value: "" }),
      component("Tab", { children: [component("Input", { id: "hidden" })] }),
      component("Input", { id: { type: "w", i: 0 }, value: "w0" }),
      component("Input", { id: { type: "w", i: 1 }, value: "w1" }),
      component("Div", { id: "box", children: [] }, "dash_html_components"),
    ],
    WATCHED,
  );
  ["power", "derived", '{"i":0,"type":"w"}'].forEach(made.mount);
  return made;
}
let page: ReturnType<typeof app>;
beforeEach(() => {
  vi.useFakeTimers();
  page = app();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const INITIAL = { initialCall: true, changedPropIds: {} };
const BY = (...keys: string[]) => ({ initialCall: false, changedPropIds: Object.fromEntries(keys.map((key) => [key, 2])) });
/** Somebody uses a component. */
const use = (id: string, event = "pointerdown") => page.fire(event, { target: { id, contains: () => false } });
/** What is in the document has had its time to be mounted. */
const settle = () => vi.advanceTimersByTime(110);

test("the first layout is known to the server", () => {
  expect(page.hydrated).toHaveBeenCalledOnce();
  expect(page.mounts).toEqual([]);
});

test("a report before anybody did anything is one of mounting", () => {
  page.dash.report("power", { drag_value: 40 });
  expect([page.mounts, page.changes]).toEqual([[[["power", "drag_value", 40]]], []]);
});

test("after an interaction it is a change, with the State it needs", () => {
  use("power");
  page.dash.report("power", { value: 41, drag_value: 41, other: 1 });
  expect(page.mounts).toEqual([]);
  expect(page.changes).toEqual([
    {
      values: [["power", "value", 41], ["power", "drag_value", 41]],
      state: [["note", "value", "n"], ['{"i":0,"type":"w"}', "value", "w0"], ['{"i":1,"type":"w"}', "value", "w1"]],
    },
  ]);
});

test("the State is that of the end of the task", () => {
  use("power");
  page.dash.report("power", { value: 41 });
  page.dash.report("note", { value: "typed" });
  expect(page.changes[0]!.state[0]).toEqual(["note", "value", "typed"]);
});

test("a mount carries State too", () => {
  page.dash.report("power", { drag_value: 40 });
  expect([page.mounts, page.mountState]).toEqual([[[["power", "drag_value", 40]]], [[["note", "value", "n"]]]]);
});

test("what a component reports in one task is one change", () => {
  use("power");
  page.dash.report("power", { value: 41 });
  page.dash.report("power", { drag_value: 41 });
  page.dash.report("derived", { value: "of its own" });
  expect(page.changes.map(({ values }) => values)).toEqual([[["power", "value", 41], ["power", "drag_value", 41]]]);
  page.dash.report("power", { drag_value: 42 });
  expect(page.changes).toHaveLength(2);
});

test("a property that comes twice starts the next change", () => {
  use("power");
  for (const value of [41, 42]) page.dash.report("power", { value });
  page.dash.report("power", { drag_value: 42 });
  expect(page.changes.map(({ values }) => values)).toEqual([
    [["power", "value", 41]],
    [["power", "value", 42], ["power", "drag_value", 42]],
  ]);
});

test("so does more than one change may hold", () => {
  use("power");
  page.dash.report("power", { value: "x".repeat(600) });
  page.dash.report("power", { drag_value: "y".repeat(600) });
  expect(page.changes).toHaveLength(2);
});

test("a report that is no JSON costs only itself", () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  use("power");
  const loop: unknown[] = [];
  loop.push(loop);
  page.dash.report("power", { value: loop });
  page.dash.report("power", { drag_value: 1 });
  page.dash.setProps("derived", { value: 1 });
  expect(page.changes.flatMap(({ values }) => values.map(([, name]) => name))).toContain("value");
  expect(complaint).toHaveBeenCalled();
});

test("setting what the page shows reports nothing", () => {
  use("power", "keydown");
  page.dash.setProps("power", { value: 40 });
  expect(page.changes).toEqual([]);
});

test("what is not watched is not reported", () => {
  use("note", "keydown");
  page.dash.report("note", { value: "x" });
  expect([page.changes, page.mounts]).toEqual([[], []]);
});

test("what comes after the time of mounting is the component's own", () => {
  settle();
  page.dash.report("power", { value: 41 });
  page.dash.report("store", { data: 1 });
  expect([page.mounts, page.changes.map(({ isOwn }) => isOwn)]).toEqual([[], [true, true]]);
});

test("a busy page has more time: until it is idle, or, where no browser says so, as long again", () => {
  const idle: (() => void)[] = [];
  vi.stubGlobal("requestIdleCallback", (run: () => void, { timeout }: { timeout: number }) => idle.push(run) && expect(timeout).toBe(3_000));
  settle();
  page.dash.report("power", { value: 41 });
  idle.forEach((run) => run());
  page.dash.report("power", { value: 42 });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 1]);
  vi.stubGlobal("requestIdleCallback", undefined);
  page.dash.result(INITIAL, "power", { max: 7 });
  settle();
  page.dash.report("power", { value: 43 });
  settle();
  page.dash.report("power", { value: 44 });
  expect([page.mounts.length, page.changes.length]).toEqual([2, 2]);
});

test("a component that is not in the document has not begun to be mounted", () => {
  settle();
  page.dash.report({ type: "w", i: 1 }, { value: "x" });
  page.mount('{"i":1,"type":"w"}');
  settle();
  page.dash.report({ type: "w", i: 1 }, { value: "y" });
  expect([page.mounts.length, page.changes.length]).toEqual([2, 0]);
  settle();
  page.dash.report({ type: "w", i: 1 }, { value: "z" });
  expect(page.changes).toHaveLength(1);
});

test("a component is used until something is written into it", () => {
  settle();
  use("power");
  page.dash.report("power", { value: 41 });
  page.dash.report("power", { drag_value: 41 });
  page.writer.write([["power", "max", 7]]);
  page.dash.report("power", { value: 7 });
  expect(page.changes.map(({ isOwn }) => !!isOwn)).toEqual([false, true]);
});

test("the result of a callback is such a write, and a change itself", () => {
  settle();
  use("power");
  page.dash.result(BY("other.value"), "power", { value: 50 });
  page.endTask();
  page.dash.report("power", { value: 7 });
  expect(page.changes.map(({ isOwn }) => !!isOwn)).toEqual([false, true]);
});

test("the result of an initial call begins the time of mounting again", () => {
  settle();
  page.dash.result(INITIAL, "power", { max: 7 });
  page.dash.report("power", { value: 7 });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 0]);
  settle();
  page.dash.report("power", { value: 6 });
  expect(page.changes).toHaveLength(1);
});

test("an event is for the components around its target", () => {
  settle();
  page.fire("click", { target: { id: "", parentElement: { id: "power", parentElement: null } } });
  page.dash.report("power", { value: 1 });
  page.dash.report("derived", { value: 1 });
  expect(page.changes.map(({ isOwn }) => !!isOwn)).toEqual([false, true]);
});

test("in a component that is not watched it is for those inside", () => {
  settle();
  const box = page.mount("box");
  page.mount("power", box);
  page.fire("click", { target: box });
  page.dash.report("power", { value: 1 });
  page.dash.report("derived", { value: 1 });
  expect(page.changes.map(({ isOwn }) => !!isOwn)).toEqual([false, true]);
});

test("in a menu at the end of the document it is for all that are settled, for a moment", () => {
  page.mount("react-entry-point");
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: 1 })] });
  settle();
  page.mount("late");
  page.fire("click", { target: { contains: () => false } });
  page.dash.report("power", { value: 1 });
  page.dash.report("late", { value: 2 });
  page.endTask();
  vi.advanceTimersByTime(1_000);
  page.dash.report("power", { value: 2 });
  expect(page.changes.map(({ values, isOwn }) => [values[0]![0], !!isOwn])).toEqual([["power", false], ["power", true]]);
  expect(page.mounts.at(-1)).toEqual([["late", "value", 2]]);
});

test("on free space of the app, and where somebody scrolls or passes, it is for no component with an element", () => {
  const app = page.mount("react-entry-point");
  const free = { parentElement: app, contains: () => false };
  app.contains = (other: any) => other === free;
  settle();
  for (const [name, target] of [["click", free], ["keydown", { contains: () => true }], ["wheel", { contains: () => false }]] as const) {
    page.fire(name, { type: name, target });
  }
  page.dash.report("power", { value: 1 });
  expect(page.changes.map(({ isOwn }) => !!isOwn)).toEqual([true]);
});

test("what has no element is used by an event outside of every component, at once", () => {
  page.fire("keydown", { target: {} });
  page.dash.report("store", { data: 1 });
  page.dash.report("power", { value: 1 });
  page.dash.report({ type: "w", i: 1 }, { value: 1 });
  expect([page.changes.length, page.mounts.length]).toEqual([1, 2]);
});

test("what has no element is in the page with its tab", () => {
  const tabs = (value: string) =>
    component("Tabs", { value, children: [component("Tab", { children: [] }), component("Tab", { children: [component("Store", { id: "late" })] })] });
  page.watcher.watchList([watch("late", "data")]);
  page.dash.setProps("box", { children: [tabs("tab-1")] });
  const started = () => page.renderer.hasStarted("late");
  const before = started();
  page.dash.setProps("box", { children: [tabs("tab-2")] });
  expect([before, started()]).toEqual([false, true]);
});

test("what a sensor says first is its own, but for nothing", () => {
  page.watcher.watchList([watch("fix", "position")]);
  page.dash.setProps("box", { children: [component("Geolocation", { id: "fix" })] });
  page.mounts.length = 0;
  page.dash.report("fix", { position: null });
  page.endTask();
  page.dash.report("fix", { position: { lat: 1 } });
  expect([page.mounts.length, page.changes.map(({ isOwn }) => isOwn)]).toEqual([1, [true]]);
});

test("what is answered in a window of the browser's own was used", () => {
  page.watcher.watchList([watch("sure", "submit_n_clicks")]);
  page.dash.setProps("box", { children: [component("ConfirmDialog", { id: "sure" })] });
  page.dash.report("sure", { submit_n_clicks: 1 });
  expect(page.changes).toEqual([{ values: [["sure", "submit_n_clicks", 1]], state: [] }]);
});

test("an initial call that writes into what somebody uses does not make it new", () => {
  settle();
  use("power", "input");
  page.dash.result(INITIAL, "power", { max: 7 });
  page.dash.report("power", { value: 7 });
  expect([page.mounts.length, page.changes.map(({ isOwn }) => isOwn)]).toEqual([0, [true]]);
});

test("a component that answers each value with its own is heard five times", () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  settle();
  for (let value = 0; value < 10; value++) {
    page.writer.write([["power", "value", value]]);
    page.dash.report("power", { value: `own ${value}` });
    page.endTask();
  }
  expect([page.changes.length, complaint.mock.calls.length]).toEqual([5, 1]);
  use("power");
  page.dash.report("power", { value: 50 });
  expect(page.changes).toHaveLength(6);
});

test("an alarm that is opened again and again, and closes by its own timer, is heard each time", () => {
  settle();
  for (let n = 0; n < 20; n++) {
    page.writer.write([["power", "value", 1]]);
    vi.advanceTimersByTime(500);
    page.dash.report("power", { value: 0 });
    page.endTask();
  }
  expect(page.changes).toHaveLength(20);
});

test("a component that repairs one property when another is written is heard each time", () => {
  settle();
  for (let value = 0; value < 20; value++) {
    page.writer.write([["power", "max", value]]);
    page.dash.report("power", { value: null });
    page.endTask();
    page.writer.write([["power", "value", value]]);
  }
  expect(page.changes).toHaveLength(20);
});

test("a pointer that moves counts while it is pressed", () => {
  settle();
  page.fire("pointermove", { target: { id: "power" }, buttons: 0 });
  page.dash.report("power", { value: 1 });
  page.endTask();
  page.fire("pointermove", { target: { id: "power" }, buttons: 1 });
  page.dash.report("power", { value: 2 });
  expect(page.changes.map(({ isOwn }) => !!isOwn)).toEqual([true, false]);
});

test("an id of the app's own that looks like one of ours is none", () => {
  page.fire("click", { target: { id: "{oh", parentElement: { id: "power" } } });
  page.dash.report("power", { value: 1 });
  expect(page.changes).toHaveLength(1);
});

test("a pattern matches, and the id is sent as sorted JSON", () => {
  use('{"i":0,"type":"w"}');
  page.dash.report({ type: "w", i: 0 }, { value: "x" });
  expect(page.changes[0]!.values).toEqual([['{"i":0,"type":"w"}', "value", "x"]]);
});

test("set_props by the page's own script is a change", () => {
  page.dash.setProps("power", { value: 50 });
  expect(page.changes).toHaveLength(1);
});

test("what the server writes is not reported", () => {
  use("power");
  page.writer.write([["power", "value", 77]]);
  expect([page.dash.value("power", "value"), page.changes]).toEqual([77, []]);
});

test("the result of an initial call is one of mounting", () => {
  page.dash.result(INITIAL, "derived", { value: "first" });
  expect([page.mounts, page.changes]).toEqual([[[["derived", "value", "first"]]], []]);
});

test("so is the result of a callback that only initial results caused", () => {
  page.dash.result(INITIAL, "note", { value: "first" });
  page.dash.result(BY("note.value"), "derived", { value: "second" });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 0]);
});

test("a change by somebody takes the taint away", () => {
  page.dash.result(INITIAL, "note", { value: "first" });
  page.dash.report("note", { value: "typed" });
  page.dash.result(BY("note.value"), "derived", { value: "second" });
  expect([page.mounts.length, page.changes.length]).toEqual([0, 1]);
});

test("the server's value in answer to a mount leaves the taint: what follows is nobody's change", () => {
  page.dash.result(INITIAL, "power", { value: 1 });
  page.endTask();
  page.writer.write([["power", "value", 77]]);
  page.dash.result(BY("power.value"), "derived", { value: "second" });
  expect([page.mounts.length, page.changes.length]).toEqual([2, 0]);
});

test("what the server writes after that takes the taint away", () => {
  page.dash.result(INITIAL, "power", { value: 1 });
  page.endTask();
  page.writer.write([["power", "value", 77]]);
  page.writer.write([["power", "value", 78]]);
  page.dash.result(BY("power.value"), "derived", { value: "second" });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 1]);
});

test("so does what it writes when no answer is to be expected any more", () => {
  const clock = vi.spyOn(Date, "now");
  page.dash.result(INITIAL, "power", { value: 1 });
  page.endTask();
  clock.mockReturnValue(Date.now() + 10_000);
  page.writer.write([["power", "value", 77]]);
  clock.mockRestore();
  page.dash.result(BY("power.value"), "derived", { value: "second" });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 1]);
});

test("telling a callback of a value that is there already leaves the taint", () => {
  page.dash.result(INITIAL, "note", { value: "first" });
  page.writer.write([["note", "value", "first"]]);
  page.dash.result(BY("note.value"), "derived", { value: "second" });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 0]);
});

test("a result with one cause that is nobody's and one that is somebody's is a change", () => {
  page.dash.result(INITIAL, "note", { value: "first" });
  page.dash.result(BY("note.value", "power.value"), "derived", { value: "second" });
  expect(page.changes).toHaveLength(1);
});

test("a component that appears is announced once, and is not settled", () => {
  settle();
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: "here" })] });
  page.mount("late");
  expect(page.mounts).toEqual([[["late", "value", "here"]]]);
  page.dash.report("late", { value: "mounted" });
  use("late");
  page.dash.report("late", { value: "typed" });
  expect([page.mounts.length, page.changes.length]).toEqual([2, 1]);
});

test("a component that was replaced is announced again", () => {
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: 1 })] });
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: 2 })] });
  expect(page.mounts).toEqual([[["late", "value", 1]], [["late", "value", 2]]]);
});

test("what a Patch does not name has not appeared: who used it before goes on", () => {
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: 1 })] });
  page.mount("late");
  page.mounts.length = 0;
  use("late");
  page.writer.write([["box", "children", [...page.dash.value("box", "children"), component("Input", { id: "other" })]]]);
  page.dash.report("late", { value: 2 });
  expect([page.mounts, page.changes]).toEqual([[], [{ values: [["late", "value", 2]], state: [] }]]);
});

test("writing a value the whole page listens to announces nothing", () => {
  page.dash.listen("power", "value", { name: "c" });
  page.writer.write([["power", "value", 1]]);
  expect(page.mounts).toEqual([]);
});

test("a new list is in force at once", () => {
  page.watcher.watchList([watch("note", "value")]);
  use("note");
  page.dash.report("note", { value: "x" });
  page.dash.report("power", { value: 1 });
  expect(page.changes.map(({ values }) => values[0]![0])).toEqual(["note"]);
});

test("a server that knows nothing of this page is told its object ids again", () => {
  page.watcher.watchList(WATCHED, "snapshot");
  expect(page.mounts).toEqual([[['{"i":0,"type":"w"}', "value", "w0"], ['{"i":1,"type":"w"}', "value", "w1"]]]);
});

test("what the mods behind a welcome take away is not told again", () => {
  page.dash.setProps("box", { children: [component("Input", { id: { type: "w", i: 2 }, value: "w2" })] });
  page.mounts.length = 0;
  page.watcher.watchList(WATCHED, "snapshot");
  page.writer.write([["box", "children", []]]);
  expect(page.mounts).toEqual([[['{"i":0,"type":"w"}', "value", "w0"], ['{"i":1,"type":"w"}', "value", "w1"]]]);
});

test("what was told as mounted is told again on the next line, as it is then, unless it is gone", () => {
  page.dash.report("power", { drag_value: 40 });
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: "here" })] });
  use("power");
  page.dash.report("power", { drag_value: 41 });
  page.dash.setProps("box", { children: [] });
  page.mounts.length = 0;
  page.watcher.watchList(WATCHED);
  expect(page.mounts).toEqual([]);
  page.watcher.watchList(WATCHED, "delta");
  expect(page.mounts).toEqual([[["power", "drag_value", 41]]]);
});

test("after a snapshot no object id is told twice", () => {
  const id = '{"i":0,"type":"w"}';
  page.dash.report({ type: "w", i: 0 }, { value: "w2" });
  page.dash.report("power", { drag_value: 40 });
  page.mounts.length = 0;
  page.watcher.watchList(WATCHED, "snapshot");
  expect(page.mounts).toEqual([[["power", "drag_value", 40], [id, "value", "w2"], ['{"i":1,"type":"w"}', "value", "w1"]]]);
});

test("after a soft reload the layout is known again", () => {
  page.dash.update({ appLifecycle: "STARTED" });
  page.dash.hydrate();
  expect(page.hydrated).toHaveBeenCalledTimes(2);
  expect(page.mounts).toEqual([]);
});

test("an error of ours does not break the renderer's dispatch", () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  page.dash.update({ paths: null });
  expect(complaint).toHaveBeenCalledOnce();
});

test("reading", () => {
  expect(page.watcher.readProps("power", ["value", "no"])).toEqual({ value: 40, no: null });
  expect(page.watcher.readProps("nobody", ["value"])).toEqual({});
});

test("what has begun to live in the document", () => {
  const { hasStarted } = page.renderer;
  expect(["power", "note", "store", "hidden"].map(hasStarted)).toEqual([true, false, true, false]);
});
