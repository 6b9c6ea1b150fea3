// Points that Dash's Graph hands to Plotly twice, or that Plotly is not there to draw, or refuses.
import { readFileSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";
import { guardPlotly, pointsCome, putPointsInto } from "../src/points";
import type { Triple } from "../src/protocol";

const cases: { name: string; property: string; traces: object[]; value: unknown; want: object[] }[] = JSON.parse(
  readFileSync(new URL("../../tests/unit/points.json", import.meta.url), "utf8"),
);
const drawn: unknown[] = [];
let page: any;
let plot: any;

beforeEach(() => {
  page = (globalThis as any).window = {};
  (globalThis as any).document = { getElementById: () => ({ querySelector: () => plot }) };
  drawn.length = 0;
  plot = null;
  guardPlotly();
  page.Plotly = library();
});

function library() {
  const extendTraces = (_: unknown, update: unknown) => Promise.resolve(drawn.push(update));
  return { extendTraces, prependTraces: extendTraces, react: () => {}, animate: () => {}, redraw: (plot: unknown) => Promise.resolve(drawn.push(plot)) };
}

const points = (value: unknown, property = "extendData"): Triple => ["g", property, value] as Triple;

/** Points come for a Graph with this figure. */
const come = (figure: any, value: unknown, property?: string, type = "Graph", props = {}): unknown =>
  pointsCome(points(value, property), { type, namespace: "dash_core_components", props: { id: "g", figure, ...props } });

/** Does Plotly get these points, for a plot that shows these traces? */
function taken(data: unknown[], value: unknown): boolean {
  plot = { data };
  return come({ data }, value) === undefined;
}

test("our update is drawn once, whoever comes first, Plotly or we", async () => {
  const figure = { data: [{ x: [] }] };
  const update = { x: [[1]] };
  plot = { data: figure.data };
  expect(come(figure, [update, [0]])).toBeUndefined();
  await page.Plotly.extendTraces(plot, update, [0]);
  expect(await page.Plotly.extendTraces(plot, update, [0])).toBe(plot);
  expect(drawn).toEqual([update]);
  expect(figure).toEqual({ data: [{ x: [] }] });
});

test("a Plotly that is there already is guarded too, also for what is no Graph of Dash", async () => {
  page = (globalThis as any).window = { Plotly: library() };
  guardPlotly();
  const update = { x: [[1]] };
  expect(come({ data: [{}] }, update, "prependData", "LikeGraph")).toBeUndefined();
  await page.Plotly.prependTraces("plot", update);
  await page.Plotly.prependTraces("plot", update);
  expect(drawn).toEqual([update]);
});

test("what others draw twice is drawn twice", async () => {
  const update = { x: [[1]] };
  await page.Plotly.extendTraces("plot", update);
  await page.Plotly.extendTraces("plot", update);
  expect(drawn).toHaveLength(2);
});

test("without a plot they are put into the traces, and drawn no more", async () => {
  const update = { x: [[2]], "marker.size": [[5]] };
  const figure = { data: [{ x: [1] }], layout: { title: "kept" } };
  expect(come(figure, update)).toBeUndefined();
  expect(come(figure, update)).toBeUndefined();
  expect(figure).toEqual({ data: [{ x: [1, 2], marker: { size: [5] } }], layout: { title: "kept" } });
  await page.Plotly.extendTraces({ data: figure.data }, update);
  expect(drawn).toEqual([]);
});

test.each(cases)("without a plot, as the server does it: $name", ({ traces, property, value, want }) => {
  const data = structuredClone(traces);
  expect(come({ data }, value, property)).toBeUndefined();
  expect(data).toEqual(want);
});

test("no attribute reaches a prototype", () => {
  vi.spyOn(console, "error").mockReturnValue();
  for (const name of ["__proto__.x", "constructor.prototype.x", "y.__proto__.x", "__proto__"]) come({ data: [{ y: [1] }] }, { [name]: [[1]] });
  expect([({} as any).x, ([] as any).x]).toEqual([undefined, undefined]);
});

test("Plotly gets what it is sure to take", () => {
  for (const value of [{ y: [[2]] }, [{ y: [[2], [3]] }, [-1, 0], 9], [{ y: [[2]], x: [[1]] }, [0], { y: [3], x: [3] }]]) {
    expect([value, taken([{ y: [1], x: [1] }, { y: [] }], value)]).toEqual([value, true]);
  }
});

test.each(["marker[size]", "marker..size", ".marker.size", "marker.size.", "parts[0]size"])("%s is no name to Plotly", (name) => {
  const parts = [{ size: [1] }];
  expect(taken([{ marker: { size: [1] }, parts }], { [name]: [[2]] })).toBe(false);
});

test("parts of lists are taken as Plotly writes them", () => {
  expect(taken([{ parts: [{ size: [1] }] }], { "parts[0].size": [[2]] })).toBe(true);
});

test("what Plotly refuses is put into the traces, and the plot is told", () => {
  const bdata = { dtype: "u1", bdata: Buffer.from([1]).toString("base64") };
  const refused: [trace: object, value: unknown, want: object][] = [
    [{ y: bdata }, { y: [[2]] }, { y: [1, 2] }],
    [{}, { "marker.size": [[2]] }, { marker: { size: [2] } }],
    [{ y: [0] }, { y: [bdata] }, { y: [0, 1] }],
    [{ y: [0] }, [{ y: [[5], [6]] }, [0, 0]], { y: [0, 5, 6] }],
    [{ y: [0] }, [{ y: [[5], [6]] }, [0]], { y: [0, 5] }],
    [{ y: [0] }, [{ y: [[5]] }, [0], { y: [9, 9] }], { y: [0, 5] }],
    [{ y: [0] }, { y: [null] }, { y: [0] }],
    [{ y: [0] }, { y: ["ab"] }, { y: [0, "a", "b"] }],
  ];
  for (const [trace, value, want] of refused) {
    const figure = { data: [trace], layout: {} };
    plot = { data: figure.data };
    const told = come(figure, value);
    expect([value, told, told === figure]).toEqual([value, { data: [want], layout: {} }, false]);
  }
});

test("an animated plot draws no points: it is told, once until it draws", () => {
  const figure = { data: [{ y: [0] }] };
  const next = (value: number) => come(figure, { y: [[value]] }, "extendData", "Graph", { animate: true });
  plot = { data: [{ y: [0] }] };
  expect(next(1)).toEqual({ data: [{ y: [0, 1] }] });
  expect(next(2)).toBeUndefined();
  expect(figure.data).toEqual([{ y: [0, 1, 2] }]);
  page.Plotly.animate(plot, { data: figure.data });
  expect(next(3)).toEqual({ data: [{ y: [0, 1, 2, 3] }] });
});

test("a library that is set twice is guarded once", async () => {
  const update = { y: [[1]] };
  plot = { data: [{ y: [0] }] };
  page.Plotly = page.Plotly;
  come(plot, update);
  await page.Plotly.extendTraces(plot, update);
  expect(drawn).toEqual([update]);
});

test("a plot that shows another figure is about to draw this one", async () => {
  const figure = { data: [{ y: [0] }] };
  const update = { y: [[1]] };
  plot = { data: [{ y: [7] }] };
  expect(come(figure, update)).toBeUndefined();
  expect(figure.data).toEqual([{ y: [0, 1] }]);
});

test("what a plot has not drawn yet is put into the figure, in order, when somebody asks", async () => {
  const figure = { data: [{ y: [0] }] };
  const [first, second, third] = [1, 2, 3].map((value) => ({ y: [[value]] }));
  plot = { data: figure.data };
  for (const update of [first, second, third]) expect(come(figure, update)).toBeUndefined();
  await page.Plotly.extendTraces(plot, first);
  putPointsInto(figure.data);
  putPointsInto(figure.data);
  expect(figure.data).toEqual([{ y: [0, 2, 3] }]);
  await page.Plotly.extendTraces(plot, second);
  expect(drawn).toEqual([first]);
});

test("a Graph that left the page has taken points with it: the next one draws them all, in order", async () => {
  const figure = { data: [{ y: [0] }] };
  const [first, second] = [1, 2].map((value) => ({ y: [[value]] }));
  plot = { data: figure.data };
  come(figure, first);
  come(figure, second);
  const next = { data: figure.data };
  await page.Plotly.extendTraces(next, second);
  expect(figure.data).toEqual([{ y: [0, 1, 2] }]);
  expect(drawn).toEqual([next]);
  await page.Plotly.extendTraces(next, first);
  expect(drawn).toEqual([next]);
});

test("points for a figure that was replaced are not drawn on the newer one", async () => {
  const figure = { data: [{ y: [0] }] };
  const update = { y: [[1]] };
  plot = { data: figure.data };
  come(figure, update);
  await page.Plotly.extendTraces({ data: [{ y: [0, 1] }] }, update);
  expect(drawn).toEqual([]);
});

test("points that do not fit are told, and those after them are put in", () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  const figure = { data: [{ y: [0] }] };
  for (const value of [{ y: [7] }, [{ y: [[1]] }, [5]], { y: null }, { y: [[1]] }]) come(figure, value);
  expect(figure).toEqual({ data: [{ y: [0, 1] }] });
  expect(said).toHaveBeenCalledTimes(2);
});

test("an event without an object, a graph without a figure, another event: nothing to do", () => {
  for (const value of [null, undefined, "text", 1]) expect(come({ data: [] }, value)).toBeUndefined();
  for (const figure of [undefined, null, {}, { data: {} }]) expect(come(figure, { y: [[1]] })).toBeUndefined();
  expect(come({ data: [{}] }, { content: "" }, "data")).toBeUndefined();
  expect(() => putPointsInto(undefined)).not.toThrow();
});
