// All that leans on Dash's renderer: its globals, its store, its URLs. Read in dash 4.4.1, `dash-renderer/src`.
import { type DashId, fits, hasWildcards, idText, namesOf, parseId } from "./ids";
import type { Run } from "./mounts";
import type { Props } from "./values";

export type Path = (string | number)[];
export interface Component {
  type: string;
  namespace: string;
  props: Props;
}
/** What the page's own config says, and what we put there. */
export interface Config {
  requests_pathname_prefix: string;
  ui?: boolean;
  dash_devices: { url: string; build: string; over_socket: boolean };
}
/** The last property change: a new object for each. `reducers/reducer.js`. */
export interface Changed {
  id: DashId | null;
  props: Props;
}
/** A callback as the page knows it. `actions/dependencies.js`, computeGraphs. */
export interface Callback {
  persistent?: boolean;
}
/** A list of callbacks that listen to a property: `owner[name]`. */
export interface Listeners {
  owner: Record<string, Callback[]>;
  name: string;
}
/** One run of a callback. `types/callbacks.ts`. */
interface CallbackRun extends Run {
  callback: Callback;
  getInputs(paths: object): { id: DashId; property: string }[][];
  executionResult?: { data?: Record<string, Props> } | null;
}
interface Pattern {
  keys: string[];
  values: any[];
  callbacks: Callback[];
}
interface State {
  appLifecycle: string;
  changed: Changed;
  layout: object;
  layoutHashes: Record<string, { renderType?: string }>;
  paths: { strs: Record<string, Path>; objs: Record<string, { values: any[]; path: Path }[]> };
  graphs: { inputMap?: Record<string, Record<string, Callback[]>>; inputPatterns?: Record<string, Record<string, Pattern[]>> };
  callbacks: { executing: CallbackRun[]; watched: CallbackRun[]; executed: CallbackRun[] };
  history: { past: unknown[] };
}
interface Store {
  getState(): State;
  dispatch(action: object): void;
  subscribe(listener: () => void): void;
}

const ROUTES = new Map([
  ["_dash-layout", "layout"],
  ["_dash-dependencies", "dependencies"],
  ["_dash-update-component", "callback"],
]);
const OWN_LIBRARIES = ["dash_core_components", "dash_html_components"];
const WITHOUT_ELEMENT = ["Store", "Location", "Interval", "Download", "Geolocation", "ConfirmDialog"];

/** The page's config; undefined while its element has not been parsed. */
export function readConfig(): Config | undefined {
  const text = document.getElementById("_dash-config")?.textContent;
  return text ? (JSON.parse(text) as Config) : undefined;
}

/** What of Dash a request is for; undefined: not Dash's business, or another origin's. */
export function dashRoute(input: unknown, prefix: string): { route: string; query: string } | undefined {
  if (typeof input !== "string" || !input.includes("_dash-")) return undefined;
  const url = new URL(input, location.href);
  const base = prefix.endsWith("/") ? prefix : `${prefix}/`;
  if (url.origin !== location.origin || !url.pathname.startsWith(base)) return undefined;
  const route = ROUTES.get(url.pathname.slice(base.length));
  return route === undefined ? undefined : { route, query: url.search.slice(1) };
}

function follow(path: Path, root: any): any {
  return path.reduce((node, step) => node?.[step], root);
}

/** The renderer's store, seen as components, properties and callbacks. */
export class Renderer {
  private store_: Store | undefined;
  private named_ = new WeakMap<object, Map<string, Path>>();

  /** Wait for the store; `notice` is called after each action, before React hears of it. */
  attach(notice: () => void): void {
    const page = window as any;
    const stores: Store[] = (page.dash_stores ??= []);
    const take = (store: Store | undefined) => {
      if (this.store_ || !store) return;
      this.store_ = store;
      store.subscribe(notice);
    };
    // `store.ts` pushes each new store here, before React subscribes to it.
    Object.defineProperty(stores, "push", {
      configurable: true,
      value: (...added: Store[]) => (take(added[0]), Array.prototype.push.apply(stores, added)),
    });
    take(stores[0]);
  }

  get hydrated(): boolean {
    return this.store_?.getState().appLifecycle === "HYDRATED";
  }

  get changed(): Changed {
    return this.state_.changed;
  }

  get paths(): object {
    return this.state_.paths;
  }

  get layout(): object {
    return this.state_.layout;
  }

  private get state_(): State {
    return this.store_!.getState();
  }

  /** Where a component stands in the layout. */
  pathOf(id: string): Path | undefined {
    if (!this.store_) return undefined;
    if (id.startsWith("{")) return this.named(namesOf(parseId(id))).get(id);
    const path = this.state_.paths.strs[id];
    return Array.isArray(path) ? path : undefined;
  }

  /** Components with object ids of these names; the look-up is made once per list of the renderer's. */
  named(names: string): Map<string, Path> {
    const list = this.state_.paths.objs[names];
    if (!Array.isArray(list)) return new Map();
    let found = this.named_.get(list);
    if (!found) {
      const keys = names.split(",").map((name) => `${JSON.stringify(name)}:`);
      const text = (values: any[]) => `{${keys.map((key, i) => key + JSON.stringify(values[i])).join(",")}}`;
      this.named_.set(list, (found = new Map(list.map(({ values, path }) => [text(values), path]))));
    }
    return found;
  }

  /** Ids of the components in the page that an id, maybe with wildcards, stands for. */
  matching(text: string): string[] {
    const id = parseId(text);
    if (!hasWildcards(id)) return this.pathOf(idText(id)) ? [idText(id)] : [];
    return [...this.named(namesOf(id)).keys()].filter((candidate) => fits(parseId(candidate), id));
  }

  /** A component, in the layout as it is or as it was. */
  component(id: string, layout: object = this.layout): Component | undefined {
    const path = this.pathOf(id);
    const found = path && follow(path, layout);
    return found?.props && idText(found.props.id ?? "") === id ? found : undefined;
  }

  /** Who made the last change of a component: `internal` (itself), `callback`, `clientsideApi`, ... `DashWrapper.tsx`. */
  author(path: Path): string | undefined {
    return this.state_.layoutHashes[path.join(",")]?.renderType;
  }

  /** Runs whose results are being written now and hold this property. `observers/executedCallbacks.ts`. */
  runs(id: string, property: string): Run[] {
    return this.state_.callbacks.executed.filter((run) => property in (run.executionResult?.data?.[id] ?? {}));
  }

  /** Lists of callbacks that listen to a property. */
  listeners(id: string, property: string): Listeners[] {
    const { inputMap, inputPatterns } = this.state_.graphs;
    if (id.startsWith("{")) return patternsFor(parseId(id), inputPatterns?.[namesOf(parseId(id))]?.[property] ?? []);
    const owner = inputMap?.[id];
    return Array.isArray(owner?.[property]) && owner[property].length ? [{ owner, name: property }] : [];
  }

  /** Is a callback under way because of, or with, this property? A persistent one always is: it does not count. */
  running(callback: Callback, id: string, property: string): boolean {
    const { executing, watched } = this.state_.callbacks;
    return !callback.persistent && [...executing, ...watched].some((run) => run.callback === callback && this.reads_(run, id, property));
  }

  /** Is a callback's result on its way into the page? */
  finishing(callback: Callback): boolean {
    return this.state_.callbacks.executed.some((run) => run.callback === callback);
  }

  private reads_(run: CallbackRun, id: string, property: string): boolean {
    if (!id.startsWith("{")) return true;
    return run.getInputs(this.paths).flat().some((input) => input.property === property && idText(input.id) === id);
  }

  /** Write properties that no callback listens to and that bring no components: all that `set_props` adds is not needed. */
  put(id: string, props: Props): void {
    const payload = { itempath: this.pathOf(id), props, renderType: "clientsideApi" };
    this.store_!.dispatch({ type: "ON_PROP_CHANGE", payload });
  }

  /** Write properties and tell the callbacks that listen. */
  setProps(id: string, props: Props): void {
    (window as any).dash_clientside.set_props(parseId(id), props);
  }

  /** Steps in the undo history. */
  get undoable(): number {
    return this.store_ ? this.state_.history.past.length : 0;
  }

  /** Take back what our own writes put into the undo history: it would grow for ever. */
  forgetUndo(depth: number): void {
    for (let left = this.undoable - depth; left > 0; left--) this.store_!.dispatch({ type: "REVERT" });
  }

  /** May somebody have touched it? A component that has an element only when it is in the document. */
  touchable(id: string): boolean {
    if (document.getElementById(id)) return true;
    const path = this.pathOf(id);
    const component = this.component(id);
    if (!path || !component) return false;
    // The contents of a dcc.Tab are in the layout before they are in the page.
    let node: any = this.layout;
    if (path.some((step) => (node = node?.[step])?.type === "Tab")) return false;
    return !OWN_LIBRARIES.includes(component.namespace) || WITHOUT_ELEMENT.includes(component.type);
  }

  /** Show an error in Dash's dev tools, where they are on. */
  error(message: string, detail: string, devTools: boolean): void {
    if (!devTools || !this.store_) return console.error(message, detail);
    this.store_.dispatch({ type: "ON_ERROR", payload: { type: "backEnd", error: { message, html: detail } } });
  }
}

function patternsFor(id: DashId, patterns: Pattern[]): Listeners[] {
  const values = id as Record<string, any>;
  const listening = ({ keys, values: wanted, callbacks }: Pattern) =>
    callbacks.length > 0 && keys.every((key, i) => wanted[i]?.wild || wanted[i] === values[key]);
  return patterns.filter(listening).map((owner) => ({ owner: owner as any, name: "callbacks" }));
}
