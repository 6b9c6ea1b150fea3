// Points that come for a figure (`extendData`, `prependData`) get into it once, whether Plotly is there to draw them or not.
//
// Dash's Graph keeps those that come while Plotly draws, and hands all it kept to Plotly each time: the very same objects.
// While Plotly is loaded it keeps them, too, and draws them on top of a newer figure that has them; while it is in no
// shown tab, it gets the last one only. Then they are put into the figure here.
import type { Component } from "./dash";
import { complain, elementOf } from "./element";
import type { Triple } from "./protocol";
import { entries, isArray, keys } from "./values";

/** Updates of ours, and whether they are in the figure. */
const ours = new WeakMap<object, boolean>();
/** Events that Plotly was to draw, by the traces they are for: Plotly extends those in place. */
const handed = new WeakMap<object, Triple[]>();
const KINDS: Record<string, string> = { f: "Float", i: "Int", u: "Uint" };

const updateOf = ([, , value]: Triple): any => (isArray(value) ? value[0] : value);

/** The figure to write before this event of a component, as nobody would draw the points; undefined: there is none. */
export function pointsCome(event: Triple, { type, props: { figure } }: Component): unknown {
  const [id, property] = event;
  const update = updateOf(event);
  if (!/^(ext|prep)endData$/.test(property) || Object(update) !== update || ours.has(update)) return undefined;
  ours.set(update, false);
  if (type !== "Graph" || !figure?.data) return undefined;
  handed.set(figure.data, [...missingIn(figure), event]);
  const isDrawn = elementOf(id)?.querySelector(".js-plotly-plot") && isTaken(figure.data, event);
  return isDrawn ? undefined : withPoints(figure);
}

const missingIn = (figure: any): Triple[] => (handed.get(figure?.data) ?? []).filter((event) => ours.get(updateOf(event)) === false);

/** The figure with the points that Plotly was to draw and has not drawn yet; undefined: there are none. */
export function withPoints(figure: any): unknown {
  const missing = missingIn(figure);
  const data = [...(figure?.data ?? [])];
  for (const event of missing) {
    ours.set(updateOf(event), true);
    try {
      extend(data, event);
    } catch (error) {
      complain("points that do not fit their figure", event, error);
    }
  }
  return missing.length ? { ...figure, data } : undefined;
}

/** Plotly extends lists, and neither nothing nor what came in base64. */
const isTaken = (traces: any[], event: Triple): boolean =>
  placesOf(traces, event).every(([trace, path]) => isArray(path.reduce((part, name) => part?.[name], traces[trace])));

/** As the server does it: `fold_extend` in `patches.py`. */
function extend(traces: any[], event: Triple): void {
  for (const [trace, path, given, limit] of placesOf(traces, event)) {
    const points = listOf(given);
    traces[trace] = extended(traces[trace], path, (old) => {
      const both = event[1] === "extendData" ? [...old, ...points] : [...points, ...old];
      if (limit < 0) return both;
      return event[1] === "extendData" ? both.slice(Math.max(0, both.length - limit)) : both.slice(0, limit);
    });
  }
}

type Place = [trace: number, path: string[], points: unknown, limit: number];

function placesOf(traces: any[], [, , value]: Triple): Place[] {
  const [update, indices, limits] = isArray(value) ? value : [value];
  return entries<any>(update).flatMap(([attribute, columns]) =>
    (isArray(indices) ? indices : keys(columns)).map((index: any, place: number): Place => [
      index < 0 ? +index + traces.length : +index,
      attribute.split("."),
      columns[place],
      limits?.[attribute]?.[place] ?? limits ?? -1,
    ]),
  );
}

function extended(part: any, [name, ...deeper]: string[], join: (old: any[]) => any[]): any {
  const old = part?.[name!];
  return { ...part, [name!]: deeper.length ? extended(old, deeper, join) : join(listOf(old)) };
}

/** The data of a trace: plotly writes numpy arrays as base64. */
function listOf(data: any): any[] {
  if (!data?.bdata) return [...(data ?? [])];
  const bytes = Uint8Array.from(atob(data.bdata), (letter) => letter.charCodeAt(0));
  const [kind, size] = data.dtype;
  return [...new (globalThis as any)[`${KINDS[kind]}${size * 8}Array`](bytes.buffer)];
}

function guard(plotly: any): void {
  for (const name of ["extendTraces", "prependTraces"]) {
    const draw = plotly[name];
    plotly[name] = (plot: unknown, update: object, ...rest: unknown[]) => {
      if (ours.get(update)) return Promise.resolve(plot);
      if (ours.has(update)) ours.set(update, true);
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
