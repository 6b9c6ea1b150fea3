// Why a component reports a value: somebody used it, it is being mounted, or it changed by itself.
import type { Renderer } from "./dash";
import { elementOf, isElsewhere } from "./element";
import { FIRST_LOOK, IDLE_TIME, LOOK_TIME, NEARBY_TIME, SETTLE_TIME } from "./limits";
import { clock } from "./values";

/** `use`: somebody used it. `mount`: it has just appeared. `own`: a timer, a sensor, or a repair of what was written into it. */
export type Cause = "use" | "mount" | "own";

/** Somebody does something with what they point at or type into. */
const INTERACTIONS = "pointerdown pointerup keydown keyup wheel click input change drop paste cut popstate";

/**
 * Run something when no timer and no drawing is due: what a slow page has still to say of its mounting comes first. A page that is not seen
 * draws nothing, and has no idle time either.
 */
function whenIdle(run: () => void): void {
  if (typeof requestIdleCallback === "function" && !document.hidden) requestIdleCallback(run, { timeout: IDLE_TIME });
  else setTimeout(run, SETTLE_TIME);
}

/** `watchedIds`: the watched components that are in the page. */
export function createCauses(dash: Renderer, watchedIds: () => Set<string>) {
  /** Used since something was last written into them, and until when that counts: where an event was only near, for a moment. */
  const touched = new Map<string, number>();
  /** Not settled yet, each with the moment of which the time counts. */
  const unsettled = new Map<string, object>();

  /** Components that belong to the page from now on, but may not be in the document yet: their time begins when they are. */
  function unsettle(ids: string[]): void {
    const moment = {};
    ids.forEach((id) => unsettled.set(id, moment) && touched.delete(id));
    begin(ids, moment, 0);
  }

  function begin(ids: string[], moment: object, wait: number): void {
    const left = ids.filter((id) => unsettled.get(id) === moment);
    const started = new Set(left.filter(dash.hasStarted));
    const late = left.filter((id) => !started.has(id));
    if (late.length) setTimeout(begin, wait, late, moment, Math.min(2 * wait + FIRST_LOOK, LOOK_TIME));
    if (started.size) setTimeout(() => whenIdle(() => settle(started, moment)), SETTLE_TIME);
  }

  function settle(ids: Set<string>, moment: object): void {
    ids.forEach((id) => unsettled.get(id) === moment && unsettled.delete(id));
  }

  function touch(id: string, until: number): void {
    touched.set(id, Math.max(until, touched.get(id) ?? 0));
    unsettled.delete(id);
  }

  /** An event in the page: for the watched components around its target, and for those that it may be meant for. */
  function interact({ type, target }: Event): void {
    const watched = watchedIds();
    const around: Element[] = [];
    for (let node = target as Element | null; node; node = node.parentElement) node.id && dash.isThere(node.id) && around.push(node);
    const own = around.filter(({ id }) => watched.has(id));
    own.forEach(({ id }) => touch(id, Infinity));
    // These say what they are about only where they hit something.
    if (/wheel|move/.test(type)) return;
    const [nearest] = around;
    const until = clock() + NEARBY_TIME;
    const isNearby = (id: string) =>
      elementOf(id)
        ? // A menu is drawn beside its component, or at the end of the document.
          !own.length && !unsettled.has(id) && (nearest ? nearest.contains(elementOf(id)) : isElsewhere(target))
        : dash.hasStarted(id);
    watched.forEach((id) => isNearby(id) && touch(id, until));
  }

  for (const name of INTERACTIONS.split(" ")) addEventListener(name, interact, { capture: true, passive: true });
  addEventListener("pointermove", (event) => event.buttons && interact(event), { capture: true, passive: true });

  return {
    /** Components have appeared, or were written by a callback's initial call. */
    unsettle,

    /** The server or a callback has written into a component. */
    written: (id: string): unknown => touched.delete(id),

    /** Only these components are in the page. */
    keepOnly(ids: Set<string>): void {
      for (const known of [touched, unsettled]) known.forEach((_: unknown, id: string) => ids.has(id) || known.delete(id));
    },

    /** Why does a component that reports by itself do so? */
    of: (id: string): Cause => (touched.get(id)! > clock() || dash.asksPeople(id) ? "use" : unsettled.has(id) ? "mount" : "own"),
  };
}
