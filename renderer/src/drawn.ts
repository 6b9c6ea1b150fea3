// Points are drawn once. Dash's Graph keeps those that come while Plotly draws, and hands all it kept to Plotly each time.
// What is handed over again is the very same object.

/** Updates of ours, and whether Plotly has had them. */
const ours = new WeakMap<object, boolean>();

/** Plotly is to draw this update no more than once. */
export const once = (update: any): unknown => Object(update) === update && ours.set(update, false);

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
