// The plug-in's parts on a fake page, for vitest.
import { vi } from "vitest";
import { createRenderer } from "../src/dash";
import type { Triple, Watch } from "../src/protocol";
import { createWatcher } from "../src/watcher";
import { createWriter } from "../src/writer";
import { browserOf, fakeDash, type Node } from "./fakes";

export { component, FakeObserver, FakeSocket, fakeDash, type Node } from "./fakes";

/** Globals that every test needs. */
export const fakeBrowser = () => browserOf((name, value) => vi.stubGlobal(name, value));

/** Renderer, writer and watcher on a fake page; what they report is collected. */
export function fakeApp(children: Node[], list: Watch[]) {
  const browser = fakeBrowser();
  const dash = fakeDash(children, browser.page);
  const told = { changes: [] as { values: Triple[]; state: Triple[]; isOwn?: boolean }[], mounts: [] as Triple[][], mountState: [] as Triple[][] };
  const hydrated = vi.fn();
  const endTask = fakeMicrotasks();
  const renderer = createRenderer(() => watcher.notice());
  const writer = createWriter(renderer);
  const watcher = createWatcher(renderer, writer, {
    hydrated,
    change: (values, state, isOwn) => told.changes.push({ values, state, ...(isOwn && { isOwn }) }),
    mount: (values, state) => told.mounts.push(values) && told.mountState.push(state),
    fits: (values) => JSON.stringify(values).length < 1_000,
  });
  (browser.page["dash_stores"] as unknown[]).push(dash.store);
  watcher.watchList(list);
  dash.hydrate();
  const made = { ...browser, dash, renderer, writer, watcher, hydrated, endTask };
  return Object.defineProperties(made as typeof made & typeof told, {
    changes: { get: () => endTask() ?? told.changes },
    mounts: { get: () => endTask() ?? told.mounts },
    mountState: { get: () => endTask() ?? told.mountState },
  });
}

/** Microtasks run as ever, or earlier, when a test looks at what came of them. */
export function fakeMicrotasks() {
  const real = queueMicrotask;
  const waiting = new Set<() => void>();
  const run = (task: () => void) => void (waiting.delete(task) && task());
  vi.stubGlobal("queueMicrotask", (task: () => void) => {
    waiting.add(task);
    real(() => run(task));
  });
  return (): undefined => waiting.forEach(run) as undefined;
}

export const watch = (id: string, property: string, ...state: [string, string][]): Watch => ({ id, property, state });
