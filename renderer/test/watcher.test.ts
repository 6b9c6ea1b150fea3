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
beforeEach(() => void (page = app()));
afterEach(() => vi.unstubAllGlobals());

test("the first layout is known to the server", () => {
  expect(page.hydrated).toHaveBeenCalledOnce();
  expect(page.mounts).toEqual([]);
});

test("a report before anybody did anything is one of mounting", () => {
  page.dash.report("power", { drag_value: 40 });
  expect([page.mounts, page.changes]).toEqual([[[["power", "drag_value", 40]]], []]);
});

test("after an interaction it is a change, with the State it needs", () => {
  page.fire("pointerdown");
  page.dash.report("power", { value: 41, drag_value: 41, other: 1 });
  expect(page.mounts).toEqual([]);
  expect(page.changes).toEqual([
    {
      values: [["power", "value", 41], ["power", "drag_value", 41]],
      state: [["note", "value", "n"], ['{"i":0,"type":"w"}', "value", "w0"], ['{"i":1,"type":"w"}', "value", "w1"]],
    },
  ]);
});

test("setting what the page shows reports nothing", () => {
  page.fire("keydown");
  page.dash.setProps("power", { value: 40 });
  expect(page.changes).toEqual([]);
});

test("what is not watched is not reported", () => {
  page.fire("keydown");
  page.dash.report("note", { value: "x" });
  expect([page.changes, page.mounts]).toEqual([[], []]);
});

test("a component without an element is settled by its first report", () => {
  page.dash.report("store", { data: 1 });
  page.dash.report("store", { data: 2 });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 1]);
});

test("an interaction settles a Store, which has no element", () => {
  page.fire("click");
  page.dash.report("store", { data: 1 });
  expect(page.changes).toHaveLength(1);
});

test("an interaction settles only what is in the document", () => {
  page.fire("click");
  page.dash.report({ type: "w", i: 1 }, { value: "x" });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 0]);
});

test("a pattern matches, and the id is sent as sorted JSON", () => {
  page.fire("click");
  page.dash.report({ type: "w", i: 0 }, { value: "x" });
  expect(page.changes[0]!.values).toEqual([['{"i":0,"type":"w"}', "value", "x"]]);
});

test("set_props by the page's own script is a change", () => {
  page.dash.setProps("power", { value: 50 });
  expect(page.changes).toHaveLength(1);
});

test("what the server writes is not reported", () => {
  page.fire("click");
  page.writer.write([["power", "value", 77]]);
  expect([page.dash.value("power", "value"), page.changes]).toEqual([77, []]);
});

const INITIAL = { initialCall: true, changedPropIds: {} };
const BY = (...keys: string[]) => ({ initialCall: false, changedPropIds: Object.fromEntries(keys.map((key) => [key, 2])) });

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
  page.writer.write([["power", "value", 77]]);
  page.dash.result(BY("power.value"), "derived", { value: "second" });
  expect([page.mounts.length, page.changes.length]).toEqual([2, 0]);
});

test("what the server writes after that takes the taint away", () => {
  page.dash.result(INITIAL, "power", { value: 1 });
  page.writer.write([["power", "value", 77]]);
  page.writer.write([["power", "value", 78]]);
  page.dash.result(BY("power.value"), "derived", { value: "second" });
  expect([page.mounts.length, page.changes.length]).toEqual([1, 1]);
});

test("so does what it writes when no answer is to be expected any more", () => {
  const clock = vi.spyOn(Date, "now");
  page.dash.result(INITIAL, "power", { value: 1 });
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
  page.fire("click");
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: "here" })] });
  page.mount("late");
  expect(page.mounts).toEqual([[["late", "value", "here"]]]);
  page.dash.report("late", { value: "mounted" });
  page.fire("pointerdown");
  page.dash.report("late", { value: "typed" });
  expect([page.mounts.length, page.changes.length]).toEqual([2, 1]);
});

test("a component that was replaced is announced again", () => {
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: 1 })] });
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: 2 })] });
  expect(page.mounts).toEqual([[["late", "value", 1]], [["late", "value", 2]]]);
});

test("writing a value the whole page listens to announces nothing", () => {
  page.dash.listen("power", "value", { name: "c" });
  page.writer.write([["power", "value", 1]]);
  expect(page.mounts).toEqual([]);
});

test("a new list is in force at once", () => {
  page.fire("click");
  page.watcher.watchList([watch("note", "value")]);
  page.mount("note");
  page.fire("click");
  page.dash.report("note", { value: "x" });
  page.dash.report("power", { value: 1 });
  expect(page.changes.map(({ values }) => values[0]![0])).toEqual(["note"]);
});

test("a server that knows nothing of this page is told its object ids again", () => {
  page.watcher.watchList(WATCHED, "snapshot");
  expect(page.mounts).toEqual([[['{"i":0,"type":"w"}', "value", "w0"], ['{"i":1,"type":"w"}', "value", "w1"]]]);
});

test("what was told as mounted is told again on the next line, as it is then, unless it is gone", () => {
  page.dash.report("power", { drag_value: 40 });
  page.dash.setProps("box", { children: [component("Input", { id: "late", value: "here" })] });
  page.fire("pointerdown");
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

test("who may have been touched", () => {
  const { touchable } = page.renderer;
  expect(["power", "note", "store", "hidden"].map(touchable)).toEqual([true, false, true, false]);
});
