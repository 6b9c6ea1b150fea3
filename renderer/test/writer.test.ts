import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Triple } from "../src/protocol";
import { component, fakeApp } from "./page";

function app() {
  return fakeApp(
    [
      component("Input", { id: "a", value: 1, min: 0 }),
      component("Input", { id: "b", value: 2 }),
      component("Div", { id: "box", children: "text" }, "dash_html_components"),
    ],
    [],
  );
}
let page: ReturnType<typeof app>;
const slow = { name: "slow" };
const quick = { name: "quick" };
beforeEach(() => void (page = app()));
afterEach(() => vi.unstubAllGlobals());
const settled = () => new Promise<void>((resolve) => queueMicrotask(resolve));

test("a value nobody listens to is written without set_props", () => {
  page.writer.write([["a", "value", 5]]);
  expect([page.dash.value("a", "value"), page.dash.setPropsCalls()]).toEqual([5, 0]);
});

test("a value somebody listens to is told, and leaves no step to undo", () => {
  page.dash.listen("a", "value", quick);
  page.writer.write([["a", "value", 5]]);
  expect(page.dash.told).toEqual([["quick", "a.value"]]);
  expect(page.dash.state().history.past).toEqual([]);
});

test("components and patches go through set_props", () => {
  page.writer.write([["box", "children", component("Div", { id: "c" })]]);
  page.writer.write([["box", "children", "gone again"]]);
  expect(page.dash.setPropsCalls()).toBe(2);
  expect(page.renderer.pathOf("c")).toBeUndefined();
});

test("neighbours of one component are one write; a property that comes twice is two", () => {
  let writes = 0;
  page.dash.store.subscribe(() => writes++);
  page.writer.write([["a", "value", 5], ["a", "min", 1], ["b", "value", 6]]);
  expect(writes).toBe(2);
  page.writer.write([["a", "value", 5], ["a", "value", 6]]);
  expect(writes).toBe(4);
});

test("only what differs", () => {
  page.dash.listen("a", "value", quick);
  page.writer.write([["a", "value", 1], ["b", "value", 3]], true);
  expect([page.dash.told, page.dash.value("b", "value")]).toEqual([[], 3]);
  page.writer.write([["a", "value", 1]]);
  expect(page.dash.told).toHaveLength(1);
});

test("a callback under way is told when it is done, of the newest value, and the others at once", async () => {
  page.dash.listen("a", "value", slow, quick);
  page.dash.busy(slow);
  page.writer.write([["a", "value", 5]]);
  page.writer.write([["a", "value", 6]]);
  expect(page.dash.told).toEqual([["quick", "a.value"], ["quick", "a.value"]]);
  expect(page.dash.value("a", "value")).toBe(6);
  page.dash.busy();
  await settled();
  expect(page.dash.told.slice(2)).toEqual([["slow", "a.value"]]);
  expect(page.dash.state().graphs.inputMap.a.value).toEqual([slow, quick]);
  expect(page.dash.state().history.past).toEqual([]);
});

test("a callback that is under way again keeps waiting", async () => {
  page.dash.listen("a", "value", slow);
  page.dash.busy(slow);
  page.writer.write([["a", "value", 5]]);
  page.dash.busy();
  page.dash.busy(slow);
  await settled();
  expect(page.dash.told).toEqual([]);
  page.dash.busy();
  await settled();
  expect(page.dash.told).toEqual([["slow", "a.value"]]);
});

test("a persistent callback is told at once: it is always under way", () => {
  const persistent = { name: "persistent", persistent: true };
  page.dash.listen("a", "value", persistent);
  page.dash.busy(persistent);
  page.writer.write([["a", "value", 5]]);
  expect(page.dash.told).toHaveLength(1);
});

test("the list of listeners is whole again when set_props throws, and the rest is written", () => {
  const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
  page.dash.listen("a", "value", slow);
  page.dash.busy(slow);
  (page.page["dash_clientside"] as any).set_props = () => {
    throw new Error("no");
  };
  page.writer.write([["a", "value", 5], ["b", "value", 6]]);
  expect(page.dash.state().graphs.inputMap.a.value).toEqual([slow]);
  expect(page.dash.value("b", "value")).toBe(6);
  expect(complaint).toHaveBeenCalledOnce();
});

const appear = (...children: object[]) => page.dash.setProps("box", { children });

test("a value for a component that is not there is written when it appears", () => {
  page.writer.write([["late", "children", "old"], ["late", "children", "ready"]]);
  appear(component("Div", { id: "late", children: "layout" }));
  expect(page.dash.value("late", "children")).toBe("ready");
});

test("a component that the server brings keeps what it comes with, and gets what it lacks", () => {
  page.writer.write([["late", "children", "old"], ["late", "title", "kept"]]);
  page.writer.write([["box", "children", component("Div", { id: "late", children: "new" })]]);
  expect([page.dash.value("late", "children"), page.dash.value("late", "title")]).toEqual(["new", "kept"]);
});

test("what is kept is bounded; the newest stay", () => {
  const many = (from: number, to: number): Triple[] => Array.from({ length: to - from }, (_, i) => [`x${from + i}`, "p", i]);
  page.writer.write(many(0, 10_001));
  appear(component("Div", { id: "x0" }), component("Div", { id: "x1" }));
  expect([page.dash.value("x0", "p"), page.dash.value("x1", "p")]).toEqual([undefined, 1]);
});

test("a patch for what is not there needs a value before it", () => {
  page.writer.write([["late", "children", { __dash_patch_update: "", operations: [] }]]);
  appear(component("Div", { id: "late", children: "layout" }));
  expect(page.dash.value("late", "children")).toBe("layout");
});

test("an event for what is not there is missed", async () => {
  page.writer.fire([["late", "data", 1], ["a", "value", 9]]);
  await Promise.resolve();
  await Promise.resolve();
  appear(component("Div", { id: "late" }));
  expect([page.dash.value("late", "data"), page.dash.value("a", "value")]).toEqual([undefined, 9]);
});

const point = (id: string, value: unknown): Triple => [id, "extendData", { y: [[value]] }];
const figureOf = (...y: number[]) => ({ data: [{ y }], layout: {} });
const written = () => new Promise<void>((resolve) => page.writer.afterEvents(resolve));

test("points for a figure that is kept are in it when its component comes", async () => {
  page.writer.write([["late", "figure", figureOf(5)]]);
  page.writer.fire([point("late", 6)]);
  await written();
  const filled = figureOf(5, 6); // what the server brings has them
  appear(component("Graph", { id: "late", figure: filled }));
  expect(page.dash.value("late", "figure")).toEqual(figureOf(5, 6));
});

test("a figure that is kept with a patch, and gets points, is the one that its component brings", async () => {
  page.writer.write([["late", "figure", figureOf(5)]]);
  page.writer.write([["late", "figure", { __dash_patch_update: "", operations: [] }]]);
  page.writer.fire([point("late", 6)]);
  await written();
  appear(component("Graph", { id: "late", figure: figureOf(5, 6) }));
  expect(page.dash.value("late", "figure")).toEqual(figureOf(5, 6));
});

test("an event that cannot be written is told, and those behind it are written", async () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  appear(component("Graph", { id: "g", get figure() { throw new Error("broken"); } }));
  page.writer.fire([point("g", 1), ["a", "value", 9]]);
  await written();
  expect(page.dash.value("a", "value")).toBe(9);
  expect(said).toHaveBeenCalledOnce();
  said.mockRestore();
});

test("events of two messages are written one after the other", async () => {
  const seen: unknown[] = [];
  page.dash.store.subscribe(() => seen.push(page.dash.value("a", "value")));
  page.writer.fire([["a", "value", 1], ["a", "value", 2]]);
  page.writer.fire([["a", "value", 3], ["a", "value", 4]]);
  await written();
  expect(seen).toEqual([1, 2, 3, 4]);
});

test("a figure is written over points that nobody has drawn, also if it is the one before or after them", async () => {
  for (const y of [[0], [0, 1]]) {
    const figure = figureOf(0);
    appear(component("Graph", { id: "g", figure }));
    page.elements.set("g", { dataset: {}, querySelector: () => figure });
    page.writer.fire([point("g", 1)]);
    await written();
    expect(page.dash.value("g", "figure")).toBe(figure);
    page.writer.write([["g", "figure", figureOf(...y)]], true);
    expect(page.dash.value("g", "figure")).not.toBe(figure);
    expect(page.dash.value("g", "figure")).toEqual(figureOf(...y));
  }
});

test("names that every object has are no components and no listeners", () => {
  page.writer.write([["constructor", "name", 1], ["a", "constructor", 2], ["a", "__proto__", { polluted: 1 }]]);
  expect(({} as any).polluted).toBeUndefined();
  expect(page.dash.value("a", "value")).toBe(1);
});
