// Repeats the initial calls of a page after a restart of the server: what they had set there is lost.
import type { Callback, Changed, Renderer, Run, RunLists } from "./dash";
import { complain } from "./element";
import { idOf, idText, keyOf } from "./ids";
import { KEPT_PROPERTIES } from "./limits";
import { equal, keys } from "./values";
import { isResize } from "./watcher";

/**
 * Keys of properties that are event-like by their name: they say what was done, not how something is. A callback that runs with such a
 * value does it again.
 *
 * Counters and times of any component (`n_clicks`, `submit_n_clicks`, `n_clicks_timestamp`); what was last done to a Graph, an Upload, an
 * AgGrid or a Cytoscape; what an EventListener, a Keyboard, a WebSocket or an EventSource heard.
 */
const EVENTS =
  /[._]n_\w*$|_timestamp$|\.((click|clickAnnotation|hover|selected|relayout|restyle|event)Data|contents|(cell|tap|mouseover)[A-Z]\w+|event|message|keydown|keyup)$/;

/** Lists of runs that have not begun. */
const WAITING = ["requested", "prioritized", "blocked", "executing"] as const;

/** Does it run at the server, and by itself when its components appear? */
const isRepeatable = (callback: Callback): boolean =>
  !callback.clientside_function && !callback.prevent_initial_call && callback.rerun !== false;

/** `showLate` hears whether calls have still to be repeated. */
export function createRerun(dash: Renderer, showLate: (isLate: boolean) => void) {
  /** Initial calls that were asked for and have not begun, by callback and MATCH. */
  const asked = new Map<string, Run>();
  /** Those that have run; the newest counts. */
  const ran = new Map<string, Run>();
  /** What properties were before the first event: those that are event-like by name, and those with a result of an event. */
  const initialEventValues = new Map<string, unknown>();
  /** The parts of the store's state as they were after the last action. */
  let seen = {} as { changed?: Changed; paths?: object; layout?: object; callbacks?: RunLists };
  /** Calls to repeat that are not asked for yet. */
  let left: Run[] = [];
  /** Calls that were under way when the new epoch began: their requests are sent again anyway. */
  let resent: Run[] = [];
  let isRunning = false;
  let span = 0; // ms in which it has to begin; 0: it has, or need not
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pruneAt = KEPT_PROPERTIES;

  /** What a property is now, or was in `layout`; null if nothing was done yet: a counter may be missing, null or 0. */
  function eventValue(id: string, property: string, layout?: object): any {
    const value = dash.component(id, layout)?.props[property] ?? null;
    return isResize([id, property, value]) || (!value && EVENTS.test(keyOf(id, property))) ? null : value;
  }

  const showState = () => showLate(span > 0 || isRunning);

  function forget(): void {
    for (const map of [asked, ran, initialEventValues]) map.clear();
    seen = {};
    clearTimeout(timer);
    left = [];
    span = 0;
    isRunning = false;
    showState();
  }

  function notice(): void {
    const { changed, paths, layout, callbacks } = dash.current();
    const { requested, watched } = callbacks;
    const before = seen;
    seen = { changed, paths, layout, callbacks };
    if (changed !== before.changed && before.layout) noticeEvents(changed, before.layout);
    if (paths !== before.paths) initialEventValues.forEach((_, key) => dash.pathOf(idOf(key)) || initialEventValues.delete(key));
    if (requested !== before.callbacks?.requested) noticeRequests(requested, before.callbacks);
    if (watched !== before.callbacks?.watched) watched.forEach(noticeRun);
    if (isRunning && !dash.runs().some((run) => dash.isAgain(run) && !run.callback.persistent)) next();
  }

  function noticeEvents({ id, props }: Changed, layout: object): void {
    const text = idText(id ?? "");
    for (const property of keys(props)) {
      const key = keyOf(text, property);
      const isEvent = EVENTS.test(key) || dash.runsOf(text, property).some(({ changedPropIds }) => keys(changedPropIds).some(isEventLike));
      const value = eventValue(text, property, layout);
      if (initialEventValues.has(key) === isEvent || equal(value, eventValue(text, property))) continue;
      if (isEvent) initialEventValues.set(key, value);
      else initialEventValues.delete(key);
    }
  }

  /** A result may come when the button is gone. */
  const isEventLike = (key: string): boolean => initialEventValues.has(key) || (EVENTS.test(key) && !dash.pathOf(idOf(key)));

  /** `before`: as it was before the last action. The renderer drops a call that waits for a result that does not come. */
  function noticeRequests(requested: Run[], before?: RunLists): void {
    const waiting = new Set(before && WAITING.flatMap((name) => before[name]).map(({ resolvedId }) => resolvedId));
    for (const run of requested) {
      if (run.initialCall && isRepeatable(run.callback)) {
        asked.set(run.resolvedId, run);
        waiting.add(run.resolvedId);
      } else if (!waiting.has(run.resolvedId)) asked.delete(run.resolvedId);
    }
    // A callback without output is a command: it does not follow from a repeated call either.
    const noOutputRuns = requested.filter((run) => run.callback.noOutput && dash.isAgain(run));
    if (noOutputRuns.length) dash.withdraw(noOutputRuns);
  }

  /** A call that waited for another callback's result is not initial any more; it counts as the one that was asked for. */
  function noticeRun({ resolvedId }: Run): void {
    const initial = asked.get(resolvedId);
    if (!initial) return;
    asked.delete(resolvedId);
    ran.set(resolvedId, initial);
    if (ran.size > pruneAt) {
      for (const map of [asked, ran]) map.forEach((run, id) => dash.outputsOf(run).length || map.delete(id));
      pruneAt = ran.size + KEPT_PROPERTIES;
    }
  }

  function isDue(run: Run): boolean {
    const isAsBefore = (id: string, property: string): boolean => {
      const key = keyOf(id, property);
      return !initialEventValues.has(key) || equal(initialEventValues.get(key), eventValue(id, property));
    };
    // A callback without output has none in the page: it is never repeated.
    return (
      dash.outputsOf(run).length > 0 &&
      dash.isComplete(run) &&
      dash.inputsOf(run).every(({ id, property }) => isAsBefore(idText(id), property))
    );
  }

  const due = (): Run[] => [...ran.values()].filter(isDue);

  function begin(): void {
    span = 0;
    left = due();
    next();
  }

  /** Ask for the next calls. Those inside of an output of others wait for them: new contents bring initial calls anyway. */
  function next(): void {
    // A second call would make the renderer drop the result of one that is under way, and what a user did with it.
    const busy = new Set([...resent, ...dash.runs()].map(({ resolvedId }) => resolvedId));
    left = left.filter((run) => ran.get(run.resolvedId) === run && !busy.has(run.resolvedId) && isDue(run));
    const places = new Set(left.flatMap(dash.outputsOf).map(({ path, property }) => `${[...path, "props", property]}`));
    const isInside = (run: Run) =>
      dash.outputsOf(run).some(({ path }) => path.some((step, i) => step === "props" && places.has(`${path.slice(0, i + 2)}`)));
    const outer = left.filter((run) => !isInside(run));
    const now = outer.length ? outer : left;
    left = left.filter((run) => !now.includes(run));
    isRunning = now.length > 0;
    showState();
    if (isRunning) dash.runAgain(now);
  }

  return {
    /** Call it after each action of the store. An error here must not break the renderer's dispatch. */
    notice(): void {
      try {
        if (dash.hydrated()) notice();
        else if (seen.changed) forget();
      } catch (error) {
        complain("the page does not catch up", error);
      }
    },

    /** The connection is back. `ms`: the time in which a page of another epoch has to begin; 0: it need not. */
    resumed(isNewEpoch: boolean, ms: number): void {
      // A page without its layout has run nothing yet.
      if (isNewEpoch) {
        const isHydrated = dash.hydrated();
        span = isHydrated && due().length ? ms : 0;
        resent = isHydrated ? dash.runs() : [];
        left = [];
      }
      clearTimeout(timer);
      if (span) timer = setTimeout(begin, Math.random() * span);
      showState();
    },

    /** The connection is lost: what has not begun waits for the next one. */
    interrupted: (): void => clearTimeout(timer),
  };
}
