// A regular callback as the renderer runs it: `mirror.value` from `gain.value`, at page load and whenever that changes.
import type { createApp } from "../../renderer/src/app";
import type { fakeDash } from "../../renderer/test/fakes";

const OUTPUT = { id: "mirror", property: "value" };
const INPUT = { id: "gain", property: "value" };
const ROUTE = "/_dash-update-component";

/** Runs go through the lists of the store: requested, watched (the server is asked), executed (the result is written). */
export function createRegular(dash: ReturnType<typeof fakeDash>, app: ReturnType<typeof createApp>) {
  const callback = { name: "mirror", inputs: [INPUT], state: [] };
  const place = ({ id, property }: typeof INPUT, paths: any) => [[{ id, property, path: paths.strs[id] }]];
  let isDue = false;

  function ask(changedPropIds: object): void {
    const getInputs = (paths: object) => place(INPUT, paths);
    const getOutputs = (paths: object) => place(OUTPUT, paths);
    const initialCall = !Object.keys(changedPropIds).length;
    dash.ask({ callback, resolvedId: ROUTE, initialCall, changedPropIds, getInputs, getOutputs, getState: () => [] });
  }

  function start(): void {
    isDue = false;
    const run = dash.state().callbacks.requested.at(-1);
    dash.move("requested", "");
    if (!run) return;
    // The renderer drops the result of a run whose Input changes.
    dash.update({ callbacks: { ...dash.state().callbacks, watched: [run] } });
    void answer(run);
  }

  async function answer(run: any): Promise<void> {
    const inputs = [{ ...INPUT, value: dash.value(INPUT.id, INPUT.property) ?? null }];
    const body = { output: "mirror.value", outputs: OUTPUT, inputs, changedPropIds: Object.keys(run.changedPropIds), state: [] };
    const reply = await app.request("callback", "", ROUTE, { body: JSON.stringify(body) });
    const { response } = await reply.json();
    if (!dash.state().callbacks.watched.includes(run)) return;
    dash.move("watched", "", [run]);
    dash.result(run, OUTPUT.id, response[OUTPUT.id]);
  }

  function heard(id: string, property: string): void {
    if (id === INPUT.id && property === INPUT.property) ask({ [`${id}.${property}`]: 1 });
  }

  dash.listen(INPUT.id, INPUT.property, callback);
  dash.told.push = ([, place]) => (heard(...(place.split(".") as [string, string])), 0);
  dash.store.subscribe(() => {
    if (isDue || !dash.state().callbacks.requested.length) return;
    isDue = true;
    queueMicrotask(start);
  });
  return {
    /** The page is loaded. */
    begin: (): void => ask({}),

    /** A component has reported. */
    heard,
  };
}
