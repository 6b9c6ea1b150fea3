// Sees what changes in the page, and tells changes by somebody from what mounting does.
import { type Cause, createCauses } from "./causes";
import type { Changed, Renderer, Run } from "./dash";
import { complain } from "./element";
import { createGathering, type Report } from "./gathering";
import { idText, isObjectText, keyOf } from "./ids";
import { ANSWER_TIME, ANSWERS, ANSWERS_TIME, KEPT_PROPERTIES, MOUNT_COMPONENTS } from "./limits";
import type { Triple, Watch } from "./protocol";
import { clock, entries, equal, forgetOldest, fromEntries, holdsComponents, keys } from "./values";
import { createWatchList, type Watched } from "./watchlist";
import type { Writer } from "./writer";

/** What a page has to say. */
export interface Reports {
  /** The layout is in the store: from now on it can be written to. */
  hydrated(): void;
  /** `isOwn`: the component changed by itself. */
  change(values: Triple[], state: Triple[], isOwn: boolean): void;
  mount(values: Triple[], state: Triple[]): void;
  /** May these values be one change? */
  fits(values: Triple[]): boolean;
}

/** The parts of the store's state as they were after the last action. They are kept apart: the renderer changes old states. */
interface Seen {
  changed: Changed;
  paths: object;
  layout: object;
}

/** Plotly says this when it fits a figure into its place, a tenth of a second after that appeared or changed its size. */
export const isResize = ([, property, value]: Triple): boolean => property === "relayoutData" && equal(value, { autosize: true });

export function createWatcher(dash: Renderer, writer: Writer, reports: Reports) {
  let list = createWatchList([]);
  const causes = createCauses(dash, () => present);
  const gather = createGathering(tell, reports.fits);
  /** Properties that have their value from a callback's initial call, or from callbacks that only those caused. */
  const tainted = new Set<string>();
  /** Properties that were told as mounted, and when; 0: that was answered. A lost line may have swallowed them. */
  const mounted = new Map<string, [id: string, property: string, at: number]>();
  /** What was last written into a component, and how often it has answered a write with another value of the same property since a time. */
  const writes = new Map<string, { names: string[]; answers: number; since: number }>();
  /** When something was last told as mounted. */
  let mountedAt = 0;
  /** Watched components that are in the page. */
  let present = new Set<string>();
  /** Places whose contents were replaced since the paths were last looked at, each with the layout of before. */
  let replaced: [place: string, layout: object][] = [];
  let isHydrated = false;
  let seen = {} as Seen;

  const watchedIds = (): Set<string> => new Set(list.watchedTexts.flatMap(dash.matching));
  const valueOf = (id: string, property: string, layout?: object): any => dash.component(id, layout)?.props[property];

  function see(): void {
    const { changed, paths, layout } = dash.current();
    seen = { changed, paths, layout };
  }

  function notice(): void {
    const before = seen;
    see();
    if (seen.changed !== before.changed) noticeChange(seen.changed, before.layout);
    if (seen.paths !== before.paths) noticePaths();
    writer.settleDebts();
  }

  function begin(): void {
    isHydrated = true;
    see();
    tainted.clear();
    mounted.clear();
    present = new Set();
    causes.keepOnly(present);
    look();
    reports.hydrated();
  }

  /** Watched components that are here for the first time are not settled. */
  function look(): void {
    const before = present;
    present = watchedIds();
    causes.unsettle([...present].filter((id) => !before.has(id)));
  }

  function noticeChange({ id: dashId, props }: Changed, layout: object): void {
    const id = idText(dashId ?? "");
    const path = dash.pathOf(id);
    const author = writer.isWriting() ? undefined : dash.author(id);
    const named = entries(props);
    const isInitial = author === "callback" && isInitialCall(dash.runsOf(id, named[0]?.[0] ?? ""));
    for (const [property, value] of named) {
      const isNews = !writer.isWriting() || (valueOf(id, property, layout) !== value && !isAnswer(id, property));
      if (isNews) taint(keyOf(id, property), isInitial);
      if (holdsComponents(property, value)) replaced.push([`${path},props,${property},`, layout]);
    }
    const isUsed = causes.of(id) === "use";
    if (author !== "internal") causes.written(id);
    if (!author && present.has(id)) noticeWrite(id, keys(props));
    if (author) report(id, layout, named, author === "internal" ? causes.of(id) : isInitial ? "mount" : "use");
    if (isInitial && !isUsed && present.has(id)) causes.unsettle([id]);
  }

  function noticeWrite(id: string, names: string[]): void {
    writes.set(id, { answers: 0, since: 0, ...writes.get(id), names });
    forgetOldest(writes, KEPT_PROPERTIES);
  }

  /** Two tabs whose components answer each other's values would do so without end: each keeps its own value. */
  function isEndless(id: string, values: Triple[]): boolean {
    const last = writes.get(id);
    if (!last || !values.every(([, property]) => last.names.includes(property))) return false;
    if (clock() - last.since >= ANSWERS_TIME) [last.answers, last.since] = [0, clock()];
    if (++last.answers === ANSWERS + 1) complain(`${id} answers each value with another one; this one is not reported`, values);
    return last.answers > ANSWERS;
  }

  function isInitialCall(runs: Run[]): boolean {
    const isNobodys = ({ initialCall, changedPropIds }: Run) => initialCall || keys(changedPropIds).every((key) => tainted.has(key));
    return runs.length > 0 && runs.every(isNobodys);
  }

  function taint(key: string, isInitial: boolean): void {
    tainted.delete(key);
    if (isInitial) tainted.add(key);
    forgetOldest(tainted, KEPT_PROPERTIES);
  }

  /** Does the server write its own value instead of a mounted one? That says nothing about who chose it: the taint stays. */
  function isAnswer(id: string, property: string): boolean {
    const told = mounted.get(keyOf(id, property));
    return !!told && clock() - told[2] < ANSWER_TIME && !(told[2] = 0);
  }

  /** `layout`: as it was before. */
  function report(id: string, layout: object, props: [string, any][], cause: Cause): void {
    const watched = list.watchedOf(id);
    const changed = props.filter(([property, value]) => watched.has(property) && !equal(valueOf(id, property, layout), value));
    const values = changed.map(([property, value]): Triple => [id, property, value]);
    if (!values.length) return;
    if (cause === "own" && isEndless(id, values)) return;
    const isMeasured = cause === "mount" && dash.isSensor(id) && values.some(([, , value]) => value !== null);
    gather({ id, values, kind: isMeasured ? "own" : values.every(isResize) ? "mount" : cause });
  }

  /** Send a report at the end of its task: the State is what the page shows now. */
  function tell({ values: said, kind }: Report): void {
    // The mods behind a welcome may have taken away components whose values were to be sent again.
    const values = kind === "mount" ? said.filter(([one]) => dash.component(one)) : said;
    if (!values.length) return;
    // Components that appeared together are in one report.
    const watched = new Map<string, Watched>();
    for (const [one] of values) watched.has(one) || watched.set(one, list.watchedOf(one));
    const read = values.flatMap(([one, name]) => watched.get(one)!.get(name) ?? []);
    if (kind === "mount") mount(values, stateOf(read));
    else reports.change(values, stateOf(read), kind === "own");
  }

  function stateOf(read: [pattern: string, property: string][]): Triple[] {
    const state = new Map<string, Triple>();
    const isDone = new Set<string>();
    for (const [pattern, property] of read) {
      const name = keyOf(pattern, property);
      if (isDone.has(name)) continue;
      isDone.add(name);
      for (const id of dash.matching(pattern)) state.set(keyOf(id, property), [id, property, valueOf(id, property)]);
    }
    return [...state.values()];
  }

  function noticePaths(): void {
    if (writer.isPlain()) return;
    const now = watchedIds();
    // A Patch leaves what it does not name as it is: the same object at the same place.
    const isReplaced = (id: string) => (of: (typeof replaced)[0]) =>
      `${dash.pathOf(id)}`.startsWith(of[0]) && dash.component(id, of[1]) !== dash.component(id);
    const isNew = (id: string) => !present.has(id) || replaced.some(isReplaced(id));
    const appeared = [...now].filter(isNew);
    causes.keepOnly(now);
    causes.unsettle(appeared);
    present = now;
    replaced = [];
    writer.appeared();
    tellMounted(watchedProps(appeared));
  }

  function tellMounted(values: Triple[]): void {
    if (values.length) gather({ id: "", values, kind: "mount" });
  }

  /** The watched properties of some components. */
  function watchedProps(ids: string[]): Triple[] {
    const watched = (id: string): string[] => [...list.watchedOf(id).keys()];
    return ids.slice(0, MOUNT_COMPONENTS).flatMap((id) => watched(id).map((name): Triple => [id, name, valueOf(id, name)]));
  }

  function mount(values: Triple[], state: Triple[]): void {
    for (const [id, name] of values) {
      mounted.set(keyOf(id, name), [id, name, (mountedAt = clock())]);
      forgetOldest(mounted, KEPT_PROPERTIES);
    }
    reports.mount(values, state);
  }

  return {
    /** Call it after each action of the store. An error here must not break the renderer's dispatch. */
    notice(): void {
      try {
        if (!dash.hydrated()) isHydrated = false;
        else if (isHydrated) notice();
        else begin();
      } catch (error) {
        complain("a change was not reported", error);
      }
    },

    /** Replace the list of what is watched. `mode`: of the welcome it came with. */
    watchList(watch: Watch[], mode?: string): void {
      list = createWatchList(watch);
      if (isHydrated) look();
      if (!mode) return;
      // After a snapshot the server knows no object id of this page any more.
      const isUnknown = (id: string) => mode === "snapshot" && isObjectText(id);
      const again = [...mounted.values()].filter(([id]) => dash.component(id) && !isUnknown(id));
      tellMounted([...again.map(([id, name]): Triple => [id, name, valueOf(id, name)]), ...watchedProps([...present].filter(isUnknown))]);
    },

    /** Tell of components that are in the page as if they had just appeared. */
    tellAgain: (ids: string[]): void => tellMounted(watchedProps(ids.filter((id) => present.has(id)))),

    /** What was told as mounted may be what the server cannot read. */
    forgetMounted: (): void => mounted.clear(),

    /** Is it a value that this page told as mounted, and that only comes back to it with a seq? No value was told as null. */
    isEcho: ([id, property, value]: Triple): boolean =>
      clock() - mountedAt < ANSWER_TIME && equal(valueOf(id, property) ?? null, value) && isAnswer(id, property),

    /** Everything that is watched: ids and patterns. */
    watchedTexts: (): string[] => list.watchedTexts,

    /** The values of some properties; nothing for a component that is not in the page. */
    readProps(id: string, properties: string[]): Record<string, unknown> {
      const found = dash.component(id);
      return found ? fromEntries(properties.map((name) => [name, found.props[name] ?? null])) : {};
    },
  };
}
