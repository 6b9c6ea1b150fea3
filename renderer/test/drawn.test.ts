// Points that Dash's Graph hands to Plotly twice.
import { beforeEach, expect, test } from "vitest";
import { guardPlotly, once } from "../src/drawn";

const drawn: unknown[] = [];
const library = () => ({
  extendTraces: (_: unknown, update: unknown) => Promise.resolve(drawn.push(update)),
  prependTraces: (_: unknown, update: unknown) => Promise.resolve(drawn.push(update)),
});
let page: any;

beforeEach(() => {
  page = (globalThis as any).window = {};
  drawn.length = 0;
});

test("our update is drawn once, whoever comes first, Plotly or we", async () => {
  guardPlotly();
  page.Plotly = library();
  const update = { x: [[1]] };
  once(update);
  await page.Plotly.extendTraces("plot", update, [0]);
  expect(await page.Plotly.extendTraces("plot", update, [0])).toBe("plot");
  expect(drawn).toEqual([update]);
});

test("a Plotly that is there already is guarded too", async () => {
  page.Plotly = library();
  guardPlotly();
  const update = { x: [[1]] };
  once(update);
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

test("an event without an object is no update", () => {
  for (const value of [null, undefined, "text", 1]) expect(once(value)).toBeFalsy();
});
