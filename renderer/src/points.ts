// Points that come for a figure (`extendData`, `prependData`) get into it once, whether Plotly is there to draw them or not.
//
// Plotly extends the traces of the figure in the store, in place, when it draws. Dash's Graph gives it every update again
// that came while it drew (the very same object). Points that came while Plotly was loading are drawn on whatever figure is
// there by then; of those for a hidden tab, only the last. Plotly refuses some that the server takes; after that the Graph
// draws nothing any more. So Plotly gets what it is sure to take at once; the rest is put into the traces here.
import type { Component } from "./dash";
import { complain, elementOf } from "./element";
import type { Triple } from "./protocol";
import { entries, isArray, keys, values } from "./values";

/** Updates of ours: the traces they are not in yet; true: they are in, or drawn; false: for no figure of a Graph. */
const ours = new WeakMap<object, any[] | boolean>();
/** Events for these traces that may not be in them yet, oldest first. */
const handed = new WeakMap<any[], Triple[]>();
/** Traces that a plot was told of, and has not begun to draw: one telling is enough. */
const told = new WeakSet<any[]>();
const guarded = new WeakSet<object>();
const KINDS: Record<string, string> = { f: "Float", i: "Int", u: "Uint" };

const updateOf = ([, , value]: Triple): any => (isArray(value) ? value[0] : value);
const missingIn = (traces: any[]): Triple[] => (handed.get(traces) ?? []).filter((event) => ours.get(updateOf(event)) === traces);

export const isPoints = (property: string): boolean => /^(ext|prep)endData$/.test(property);

/** Before this event of a component is written. Returns the figure to write first, where a plot would not show the points otherwise. */
export function pointsCome(event: Triple, { type, props: { figure, animate } }: Component): unknown {
  const [id, property] = event;
  const update = updateOf(event);
  if (!isPoints(property) || Object(update) !== update || ours.has(update)) return undefined;
  const traces = type === "Graph" && isArray(figure?.data) && figure.data;
  ours.set(update, traces);
  if (!traces) return undefined;
  handed.set(traces, [...missingIn(traces), event]);
  const plot: any = elementOf(id)?.querySelector(".js-plotly-plot");
  // An animated plot has traces of its own. One with others will draw these soon.
  const isShown = plot && (animate || plot.data === traces);
  if (isShown && !animate && isTaken(traces, event)) return undefined;
  putPointsInto(traces);
  if (!isShown || told.has(traces)) return undefined;
  told.add(traces);
  return { ...figure };
}

/** What Plotly was given and has not drawn yet is put into the traces, and not drawn. Returns whether there was any. */
export function putPointsInto(traces?: any[]): boolean {
  const missing = traces ? missingIn(traces) : [];
  for (const event of missing) {
    ours.set(updateOf(event), true);
    try {
      extend(traces!, event);
    } catch (error) {
      complain("points that do not fit their figure", event, error);
    }
  }
  return missing.length > 0;
}

type Place = [trace: number, path: string[], points: unknown, limit: number];

/** Where the points of an event go, and how many of them may be left there; below 0: all. */
function placesOf(traces: any[], [, , value]: Triple): Place[] {
  const [update, given, limits] = isArray(value) ? value : [value];
  const indices: any[] = isArray(given) ? given : keys(values(update)[0] ?? []).map(Number);
  return entries<any>(update).flatMap(([attribute, columns]) =>
    indices.map((index, place): Place => [
      index < 0 ? index + traces.length : index,
      attribute.match(/[^.[\]]+/g) ?? [],
      columns?.[place],
      Math.floor((isArray(limits?.[attribute]) ? limits[attribute][place] : limits) ?? -1),
    ]),
  );
}

const ownOf = (part: any, name: string): any => ({}.hasOwnProperty.call(part ?? {}, name) ? part[name] : undefined);

const PLAIN = /^[^.[\]]+(\[\d+\])*(\.[^.[\]]+(\[\d+\])*)*$/;

/** Is Plotly sure to take it? It throws for lists of other lengths, for what is no list, in the trace or in the update, .. */
function isTaken(traces: any[], event: Triple): boolean {
  const [update, , limits] = isArray(event[2]) ? event[2] : [event[2]];
  const places = placesOf(traces, event);
  const count = places.length / keys(update).length;
  const fits = (columns: any): boolean => isArray(columns) && columns.length === count;
  return (
    count > 0 &&
    new Set(places.map(([trace]) => trace)).size === count &&
    entries<any>(update).every(([attribute, columns]) => PLAIN.test(attribute) && fits(columns) && (Object(limits) !== limits || fits(limits[attribute]))) &&
    places.every(([trace, path, points]) => Number.isInteger(trace) && isArray(points) && isArray(path.reduce(ownOf, traces[trace])))
  );
}

/** As the server does it: `fold_extend` in `patches.py`. */
function extend(traces: any[], event: Triple): void {
  for (const [trace, path, given, limit] of placesOf(traces, event)) {
    const name = path.pop()!;
    const points = listOf(given);
    if (!traces[trace]) throw new TypeError(`no trace ${trace}`);
    const part = path.reduce((outer, step) => ownOf(outer, step) ?? missing(outer, step), traces[trace]);
    const old = listOf(ownOf(part, name));
    const isAfter = event[1] === "extendData";
    const all = isAfter ? old.concat(points) : points.concat(old);
    part[name] = limit < 0 ? all : isAfter ? all.slice(Math.max(0, all.length - limit)) : all.slice(0, limit);
  }
}

function missing(outer: any, step: string): object {
  if (isArray(outer)) throw new TypeError(`no part ${step}`);
  return (outer[step] = {});
}

/** The data of a trace: plotly writes numpy arrays as base64. */
function listOf(data: any): any[] {
  if (!data?.bdata) return isArray(data) ? data : [...(data ?? [])];
  const bytes = Uint8Array.from(atob(data.bdata), (letter) => letter.charCodeAt(0));
  const [kind, size] = data.dtype;
  const big = kind !== "f" && size > 4 ? "Big" : "";
  return Array.from(new (globalThis as any)[`${big}${KINDS[kind]}${size * 8}Array`](bytes.buffer), Number);
}

function guard(plotly: any): void {
  if (guarded.has(plotly)) return;
  guarded.add(plotly);
  for (const name of ["react", "animate"]) {
    const draw = plotly[name];
    plotly[name] = (plot: unknown, figure: any, ...rest: unknown[]) => {
      told.delete(figure?.data);
      return draw(plot, figure, ...rest);
    };
  }
  for (const name of ["extendTraces", "prependTraces"]) {
    const draw = plotly[name];
    plotly[name] = (plot: any, update: object, ...rest: unknown[]) => {
      const traces = ours.get(update);
      if (traces === undefined) return draw(plot, update, ...rest);
      // A figure that the server sent since has it. (Not one that somebody else put there meanwhile; nobody can tell.)
      if (traces === true || (traces && plot.data !== traces)) return Promise.resolve(plot);
      const [next] = traces ? missingIn(traces) : [];
      if (next && updateOf(next) !== update) {
        // The Graph that was given the ones before has left the page.
        putPointsInto(traces as any[]);
        return plotly.redraw(plot);
      }
      ours.set(update, true);
      return draw(plot, update, ...rest);
    };
  }
}

/** Plotly comes late, with the first Graph, or is in the page already. */
export function guardPlotly(): void {
  let plotly = (window as any).Plotly;
  if (plotly) guard(plotly);
  Object.defineProperty(window, "Plotly", {
    configurable: true,
    get: () => plotly,
    set: (library) => guard((plotly = library)),
  });
}
