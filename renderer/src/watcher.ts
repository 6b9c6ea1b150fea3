// Sees what changes in the page, and tells changes by somebody from what mounting does.
import type { Changed, Renderer, Run } from "./dash";
import { complain, elementOf } from "./element";
import { idText, keyOf } from "./ids";
import { KEPT_PROPERTIES, MOUNT_COMPONENTS } from "./limits";
import type { Triple, Watch } from "./protocol";
import { entries, equal, forgetOldest, fromEntries, holdsComponents, keys } from "./values";
import { createWatchList, type Watched } from "./watchlist";
import type { Writer } from "./writer";

/** What a page has to say. */
export interface Reports {
  /** The layout is in the store: from now on it can be written to. */
  hydrated(): void;
  change(values: Triple[], state: Triple[]): void;
  mount(values: Triple[]): void;
}

const INTERACTIONS = "pointerdown keydown wheel click input change paste drop popstate hashchange";

export function createWatcher(dash: Renderer, writer: Writer, reports: Reports) {
  let list = createWatchList([]);
  /** Components that nobody can have touched yet: what they report, they report because they were mounted. */
  const unsettled = new Set<string>();
  /** Properties that have their value from a callback's initial call, or from callbacks that only those caused. */
  const tainted = new Set<string>();
  /** Watched components that are in the page. */
  let present = new Set<string>();
  /** Places whose contents were replaced since the paths were last looked at. */
  let replaced: string[] = [];
  let isHydrated = false;
  let lastChanged: Changed | undefined;
  let lastPaths: object | undefined;
  let lastLayout: object | undefined;

  // Costs nothing once all are settled.
  const interact = () => unsettled.forEach((id) => dash.touchable(id) && unsettled.delete(id));
  for (const name of INTERACTIONS.split(" ")) addEventListener(name, interact, { capture: true, passive: true });

  const watchedIds = (): Set<string> => new Set(list.watchedTexts.flatMap(dash.matching));
  const valueOf = (id: string, property: string, layout?: object): any => dash.component(id, layout)?.props[property];

  function notice(): void {
    const { changed, paths, layout } = dash.current();
    if (changed !== lastChanged) noticeChange((lastChanged = changed));
    if (paths !== lastPaths) {
      lastPaths = paths;
      noticePaths();
    }
    lastLayout = layout;
    writer.settleDebts();
  }

  function begin(): void {
    const { changed, paths, layout } = dash.current();
    [isHydrated, lastChanged, lastPaths, lastLayout] = [true, changed, paths, layout];
    tainted.clear();
    present = watchedIds();
    unsettled.clear();
    present.forEach((id) => unsettled.add(id));
    reports.hydrated();
  }

  function noticeChange({ id: dashId, props }: Changed): void {
    const id = idText(dashId ?? "");
    const path = dash.pathOf(id);
    const author = writer.isWriting() ? undefined : dash.author(id);
    const named = entries(props);
    const isInitial = author === "callback" && isInitialCall(dash.runsOf(id, named[0]?.[0] ?? ""));
    for (const [property, value] of named) {
      taint(keyOf(id, property), isInitial);
      if (holdsComponents(property, value)) replaced.push(`${path},props,${property},`);
    }
    if (author) report(id, list.watchedOf(id), named, author === "internal" ? undefined : isInitial);
  }

  const isInitialCall = (runs: Run[]): boolean =>
    runs.length > 0 && runs.every(({ initialCall, changedPropIds }) => initialCall || keys(changedPropIds).every((key) => tainted.has(key)));

  function taint(key: string, isInitial: boolean): void {
    tainted.delete(key);
    if (isInitial) tainted.add(key);
    forgetOldest(tainted, KEPT_PROPERTIES);
  }

  /** `isInitial` is undefined when the component itself reports: then it depends on whether it is settled. */
  function report(id: string, watched: Watched, props: [string, any][], isInitial: boolean | undefined): void {
    const changed = props.filter(([property, value]) => watched.has(property) && !equal(valueOf(id, property, lastLayout), value));
    const values = changed.map(([property, value]): Triple => [id, property, value]);
    if (!values.length) return;
    if (isInitial ?? isMounting(id)) reports.mount(values);
    else reports.change(values, stateFor(watched, values));
  }

  function isMounting(id: string): boolean {
    // What has no element cannot be touched: its first report settles it.
    return unsettled.has(id) && (!!elementOf(id) || unsettled.delete(id));
  }

  function stateFor(watched: Watched, values: Triple[]): Triple[] {
    const state = new Map<string, Triple>();
    for (const [pattern, property] of values.flatMap(([, name]) => watched.get(name)!)) {
      for (const id of dash.matching(pattern)) state.set(keyOf(id, property), [id, property, valueOf(id, property)]);
    }
    return [...state.values()];
  }

  function noticePaths(): void {
    if (writer.isPlain()) return;
    const now = watchedIds();
    const isNew = (id: string) => !present.has(id) || replaced.some((place) => `${dash.pathOf(id)}`.startsWith(place));
    const appeared = [...now].filter(isNew);
    unsettled.forEach((id) => now.has(id) || unsettled.delete(id));
    appeared.forEach((id) => unsettled.add(id));
    present = now;
    replaced = [];
    writer.appeared();
    announce(appeared);
  }

  function announce(ids: string[]): void {
    const watched = (id: string): string[] => [...list.watchedOf(id).keys()];
    const values = ids.slice(0, MOUNT_COMPONENTS).flatMap((id) => watched(id).map((name): Triple => [id, name, valueOf(id, name)]));
    if (values.length) reports.mount(values);
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

    /** Replace the list of what is watched. */
    watchList(watch: Watch[]): void {
      list = createWatchList(watch);
      if (!isHydrated) return;
      const before = present;
      present = watchedIds();
      present.forEach((id) => before.has(id) || unsettled.add(id));
    },

    /** The values of some properties; nothing for a component that is not in the page. */
    readProps(id: string, properties: string[]): Record<string, unknown> {
      const found = dash.component(id);
      return found ? fromEntries(properties.map((name) => [name, found.props[name] ?? null])) : {};
    },
  };
}
