// Repeats the initial calls of a page after a restart of the server: what they had set there is lost.
import type { Callback, Changed, Renderer, Run } from "./dash";
import { complain } from "./element";
import { idOf, idText, keyOf } from "./ids";
import { KEPT_PROPERTIES } from "./limits";
import { equal, keys } from "./values";
import { isResize } from "./watcher";

/**
 * Event-like properties: they say what was done, not how something is. A callback that runs with such a value does it again.
 *
 * Counters and times of any component (`n_clicks`, `submit_n_clicks`, `n_clicks_timestamp`); what was last done to a Graph, an Upload, an
 * AgGrid or a Cytoscape; what an EventListener or a Keyboard heard.
 */
const EVENTS =
  /(^|_)n_|_timestamp$|^((click|clickAnnotation|hover|selected|relayout|restyle|event)Data|contents|(cell|tap|mouseover)[A-Z]\w+|event|keydown|keyup)$/;

/** The value of an event-like property; null if nothing was done yet: a counter may be missing, null or 0. */
const deed = (property: string, value: any): any => (isResize(["", property, value]) ? null : value || null);

/** Does it run at the server, and by itself when its components appear? */
const isRepeatable = (callback: Callback): boolean =>
  !callback.clientside_function && !callback.prevent_initial_call && callback.rerun !== false;

/** `showLate` hears whether calls have still to be repeated. */
export function createRerun(dash: Renderer, showLate: (isLate: boolean) => void) {
  /** Initial calls that were asked for and have not begun, by callback and MATCH. */
  const asked = new Map<string, Run>();
  /** Those that have run; the newest counts. */
  const ran = new Map<string, Run>();
  /** What event-like properties were before the first event. */
  const untouched = new Map<string, unknown>();
  /** The parts of the store's state as they were after the last action. */
  let seen = {} as { changed?: Changed; paths?: object; layout?: object; requested?: Run[]; watched?: Run[] };
  /** Calls to repeat that are not asked for yet. */
  let left: Run[] = [];
  /** Calls that were under way when the new epoch began: their requests are sent again anyway. */
  let resent: Run[] = [];
  let isRunning = false;
  let span = 0; // ms in which it has to begin; 0: it has, or need not
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pruneAt = KEPT_PROPERTIES;

  const showState = () => showLate(span > 0 || isRunning);

  function forget(): void {
    for (const map of [asked, ran, untouched]) map.clear();
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
    seen = { changed, paths, layout, requested, watched };
    if (changed !== before.changed && before.layout) noticeEvents(changed, before.layout);
    if (paths !== before.paths) untouched.forEach((_, key) => dash.pathOf(idOf(key)) || untouched.delete(key));
    if (requested !== before.requested) noticeRequests(requested);
    if (watched !== before.watched) watched.forEach(noticeRun);
    if (isRunning && !dash.runs().some((run) => dash.isAgain(run) && !run.callback.persistent)) next();
  }

  function noticeEvents({ id, props }: Changed, layout: object): void {
    const text = idText(id ?? "");
    for (const property of keys(props)) {
      const key = keyOf(text, property);
      if (!EVENTS.test(property) || untouched.has(key)) continue;
      untouched.set(key, deed(property, dash.component(text, layout)?.props[property]));
    }
  }

  function noticeRequests(requested: Run[]): void {
    for (const run of requested) if (run.initialCall && isRepeatable(run.callback)) asked.set(run.resolvedId, run);
    // A callback without output is a command: it does not follow from a repeated call either.
    const ghosts = requested.filter((run) => run.callback.noOutput && dash.isAgain(run));
    if (ghosts.length) dash.withdraw(ghosts);
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
      return !untouched.has(key) || equal(untouched.get(key), deed(property, dash.component(id)?.props[property]));
    };
    // A callback without output has none in the page: it is never repeated.
    return (
      dash.outputsOf(run).length > 0 &&
      dash.isComplete(run) &&
      dash.inputsOf(run).every(({ id, property }) => !EVENTS.test(property) || isAsBefore(idText(id), property))
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
