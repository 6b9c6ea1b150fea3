// Points that Dash's Graph hands to Plotly twice, or that Plotly is not there to draw.
import { beforeEach, expect, test, vi } from "vitest";
import { guardPlotly, pointsCome, withPoints } from "../src/points";
import type { Triple } from "../src/protocol";

const drawn: unknown[] = [];
const library = () => ({
  extendTraces: (_: unknown, update: unknown) => Promise.resolve(drawn.push(update)),
  prependTraces: (_: unknown, update: unknown) => Promise.resolve(drawn.push(update)),
});
let page: any;
let isPlotted = true;

beforeEach(() => {
  page = (globalThis as any).window = {};
  (globalThis as any).document = { getElementById: () => ({ querySelector: () => (isPlotted ? {} : null) }) };
  drawn.length = 0;
  isPlotted = true;
});

const graph = (figure: unknown, type = "Graph") => ({ type, namespace: "dash_core_components", props: { id: "g", figure } });
const points = (value: unknown, property = "extendData"): Triple => ["g", property, value] as Triple;
/** The first trace of the figure that has to be written before these points. */
const written = (trace: object, value: unknown, property?: string) => {
  isPlotted = false;
  return (pointsCome(points(value, property), graph({ data: [trace], layout: { title: "kept" } })) as any)?.data[0];
};

test("our update is drawn once, whoever comes first, Plotly or we", async () => {
  guardPlotly();
  page.Plotly = library();
  const update = { x: [[1]] };
  expect(pointsCome(points([update, [0]]), graph({ data: [{ x: [] }] }))).toBeUndefined();
  await page.Plotly.extendTraces("plot", update, [0]);
  expect(await page.Plotly.extendTraces("plot", update, [0])).toBe("plot");
  expect(drawn).toEqual([update]);
});

test("a Plotly that is there already is guarded too, also for what is no Graph of Dash", async () => {
  page.Plotly = library();
  guardPlotly();
  const update = { x: [[1]] };
  isPlotted = false;
  expect(pointsCome(points(update, "prependData"), graph({ data: [{}] }, "LikeGraph"))).toBeUndefined();
  await page.Plotly.prependTraces("plot", update);
  await page.Plotly.prependTraces("plot", update);
  expect(drawn).toEqual([update]);
});

test("what others draw twice is drawn twice", async () => {
  guardPlotly();
  page.Plotly = library();
  const update = { x: [[1]] };
  await page.Plotly.extendTraces("plot", update);
  await page.Plotly.extendTraces("plot", update);
  expect(drawn).toHaveLength(2);
});

test("without a plot they are put into the figure, and drawn no more", async () => {
  guardPlotly();
  page.Plotly = library();
  const update = { x: [[2]], "marker.size": [[5]] };
  const event = points(update);
  const figure = { data: [{ x: [1] }], layout: { title: "kept" } };
  isPlotted = false;
  expect(pointsCome(event, graph(figure))).toEqual({ data: [{ x: [1, 2], marker: { size: [5] } }], layout: { title: "kept" } });
  expect(figure.data).toEqual([{ x: [1] }]);
  expect(pointsCome(event, graph(figure))).toBeUndefined();
  await page.Plotly.extendTraces("plot", update);
  expect(drawn).toEqual([]);
});

test("as many as the limit says are left, for all or for each", () => {
  expect(written({ y: [1, 2] }, [{ y: [[3]] }, [0], 2])).toEqual({ y: [2, 3] });
  expect(written({ y: [1, 2] }, [{ y: [[3]] }, [0], 0])).toEqual({ y: [] });
  expect(written({ y: [1, 2] }, [{ y: [[3]] }, [0], null])).toEqual({ y: [1, 2, 3] });
  expect(written({ y: [1, 2], x: [] }, [{ y: [[3]], x: [[1, 2]] }, [0], { y: [1], x: [9] }])).toEqual({ y: [3], x: [1, 2] });
  expect(written({ y: [1, 2] }, [{ y: [[3]] }, [0], 2], "prependData")).toEqual({ y: [3, 1] });
  expect(written({ y: [1, 2] }, { y: [[3]] }, "prependData")).toEqual({ y: [3, 1, 2] });
});

test("arrays in base64 are numbers like others", () => {
  const y = { dtype: "f8", bdata: Buffer.from(new Float64Array([0.5, 1.5]).buffer).toString("base64") };
  expect(written({ y }, { y: [[2.5]] })).toEqual({ y: [0.5, 1.5, 2.5] });
  expect(written({ y: [1] }, { y: [{ dtype: "u2", bdata: Buffer.from([2, 0, 3, 1]).toString("base64") }] })).toEqual({ y: [1, 2, 259] });
});

test("what Plotly refuses to extend is put into the figure: nothing, and base64", () => {
  const y = { dtype: "u1", bdata: Buffer.from([1]).toString("base64") };
  expect(pointsCome(points({ y: [[2]] }), graph({ data: [{ y }] }))).toEqual({ data: [{ y: [1, 2] }] });
  expect(pointsCome(points({ "marker.size": [[2]] }), graph({ data: [{}] }))).toEqual({ data: [{ marker: { size: [2] } }] });
  expect(pointsCome(points({ y: [[2]] }), graph({ data: [{ y: [1] }] }))).toBeUndefined();
});

test("the traces that are named, in their order", () => {
  isPlotted = false;
  const event = points([{ y: [[7], [8]] }, [-1, 0]]);
  expect(pointsCome(event, graph({ data: [{ y: [1] }, { y: [2] }, { y: [3] }] }))).toEqual({ data: [{ y: [1, 8] }, { y: [2] }, { y: [3, 7] }] });
});

test("what a plot has not drawn yet is put into the figure, in order, when somebody asks", async () => {
  guardPlotly();
  page.Plotly = library();
  const figure = { data: [{ y: [0] }] };
  const [first, second, third] = [1, 2, 3].map((value) => ({ y: [[value]] }));
  for (const update of [first, second, third]) expect(pointsCome(points(update), graph(figure))).toBeUndefined();
  await page.Plotly.extendTraces("plot", first);
  expect(withPoints(figure)).toEqual({ data: [{ y: [0, 2, 3] }] });
  expect(withPoints(figure)).toBeUndefined();
  await page.Plotly.extendTraces("plot", second);
  expect(drawn).toEqual([first]);
});

test("a figure that is another has its points already", () => {
  pointsCome(points({ y: [[1]] }), graph({ data: [{ y: [0] }] }));
  expect(withPoints({ data: [{ y: [0, 1] }] })).toBeUndefined();
});

test("points that do not fit are told, and those after them are put in", () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  const figure = { data: [{ y: [0] }] };
  for (const value of [{ y: [7] }, { y: [[1]] }]) pointsCome(points(value), graph(figure));
  expect(withPoints(figure)).toEqual({ data: [{ y: [0, 1] }] });
  expect(said).toHaveBeenCalledOnce();
});

test("an event without an object, a graph without a figure, another event: nothing to do", () => {
  isPlotted = false;
  for (const value of [null, undefined, "text", 1]) expect(pointsCome(points(value), graph({ data: [] }))).toBeUndefined();
  expect(pointsCome(points({ y: [[1]] }), graph(undefined))).toBeUndefined();
  expect(pointsCome(points({ content: "" }, "data"), graph({ data: [{}] }))).toBeUndefined();
});
