// Why a component reports a value: somebody used it, it is being mounted, or it changed by itself.
import type { Renderer } from "./dash";
import { elementOf } from "./element";
import { FIRST_LOOK, IDLE_TIME, LOOK_TIME, SETTLE_TIME } from "./limits";

/** `use`: somebody used it. `mount`: it has just appeared. `own`: a timer, a sensor, or a repair of what was written into it. */
export type Cause = "use" | "mount" | "own";

/** Somebody does something with what they point at or type into. */
const INTERACTIONS = "pointerdown keydown wheel click input change drop paste cut popstate";

/** Run something when no timer and no drawing is due: what a slow page has still to say of its mounting comes first. */
const whenIdle = (run: () => void): unknown =>
  typeof requestIdleCallback === "function" ? requestIdleCallback(run, { timeout: IDLE_TIME }) : setTimeout(run, SETTLE_TIME);

/** `watchedIds`: the watched components that are in the page. */
export function createCauses(dash: Renderer, watchedIds: () => Set<string>) {
  /** Used since something was last written into them. */
  const touched = new Set<string>();
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

  function touch(id: string): void {
    touched.add(id);
    unsettled.delete(id);
  }

  /** An event in the page: of the components around its target, or, if those are not watched, of what is inside of them. */
  function interact({ target }: Event): void {
    const watched = watchedIds();
    const around: Element[] = [];
    for (let node = target as Element | null; node; node = node.parentElement) node.id && dash.isThere(node.id) && around.push(node);
    const own = around.filter(({ id }) => watched.has(id));
    own.forEach(({ id }) => touch(id));
    if (own.length) return;
    // A menu may be drawn anywhere: then it belongs to one of all those that had the time to be used. What has no element hears of everything.
    const [nearest] = around;
    const isUsable = (id: string) => !unsettled.has(id) || (!elementOf(id) && dash.hasStarted(id));
    watched.forEach((id) => isUsable(id) && (!nearest || nearest.contains(elementOf(id))) && touch(id));
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
      for (const known of [touched, unsettled]) known.forEach((_, id) => ids.has(id as string) || known.delete(id as string));
    },

    /** Why does a component that reports by itself do so? */
    of: (id: string): Cause => (touched.has(id) ? "use" : unsettled.has(id) ? "mount" : "own"),
  };
}
