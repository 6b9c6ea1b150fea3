// All that leans on Dash's renderer: its globals, its store, its URLs. Read in dash 4.4.1, `dash-renderer/src`.
import { elementOf } from "./element";
import { type DashId, fits, hasWildcards, idText, isObjectText, namesOf, parseId } from "./ids";
import { fromEntries, isArray, parse, type Props, values } from "./values";

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
  dash_devices?: { url: string; build: string; over_socket: boolean };
}
/** The last property change: a new object for each. `reducers/reducer.js`. */
export interface Changed {
  id: DashId | null;
  props: Props;
}
/** A callback as the page knows it: what the server says of it, and more. `actions/dependencies.js`, computeGraphs. */
export interface Callback {
  inputs: Dependency[];
  state: Dependency[];
  persistent?: boolean;
  prevent_initial_call?: boolean;
  clientside_function?: object | null;
  noOutput?: boolean;
  rerun?: boolean;
}
interface Dependency {
  id: DashId;
  allow_optional?: boolean;
}
/** A property of a component in the page. */
export interface Place {
  id: DashId;
  property: string;
  path: Path;
}
/** A list of callbacks that listen to a property: `owner[name]`. */
interface Listeners {
  owner: Record<string, Callback[]>;
  name: string;
}
/** One run of a callback. `resolvedId`: of the callback, with the values of its MATCH. `types/callbacks.ts`. */
export interface Run {
  callback: Callback;
  resolvedId: string;
  initialCall: boolean;
  changedPropIds: Record<string, unknown>;
  /** Callbacks whose results led here. */
  predecessors?: object[];
  getInputs(paths: object): Place[][];
  getState(paths: object): Place[][];
  getOutputs(paths: object): Place[][];
  executionResult?: { data?: Record<string, Props> } | null;
}
/** All runs, by how far they are. `reducers/callbacks.ts`. */
export type RunLists = Record<"requested" | "prioritized" | "blocked" | "executing" | "watched" | "executed", Run[]>;
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
  callbacks: RunLists;
  history: { past: unknown[] };
}
interface Store {
  getState(): State;
  dispatch(action: object): void;
  subscribe(listener: () => void): void;
}

const ROUTES = /^(.*)_dash-(layout|dependencies|update-component)(\?.*)?$/;
const OWN_LIBRARIES = /^dash_(core_components|html_components|table|ag_grid)$/;
const WITHOUT_ELEMENT = /^(Store|Location|Interval|Download|Geolocation|ConfirmDialog)$/;
const SENSORS = /^(Geolocation|WebSocket|EventSource)$/;
/** Marks what `runAgain` asked for. It stands among the predecessors, which the renderer hands on to what a result brings about. */
const AGAIN = {};

/** The page's config; undefined while its element has not been parsed. */
export function readConfig(): Config | undefined {
  const text = elementOf("_dash-config")?.textContent;
  return text ? (parse(text) as Config) : undefined;
}

/** What of Dash a request is for; undefined: not Dash's business, or another origin's. */
export function dashRoute(input: RequestInfo | URL, prefix: string): [route: string, query: string] | undefined {
  const [, base, name, search = ""] = ROUTES.exec(`${input}`) ?? [];
  if (!name || (base !== prefix && base !== location.origin + prefix)) return undefined;
  return [name === "update-component" ? "callback" : name, search.slice(1)];
}

const follow = (path: Path, root: any): any => path.reduce((node, step) => node?.[step], root);

export type Renderer = ReturnType<typeof createRenderer>;

/** The renderer's store, seen as components, properties and callbacks. `notice` is called after each action. */
export function createRenderer(notice: () => void) {
  let store: Store | undefined;
  const named = new WeakMap<object, Map<string, Path>>();
  const state = (): State => store!.getState();
  const undoable = (): number => state().history.past.length;

  // `store.ts` pushes each new store to this list, before React subscribes to it.
  const stores: Store[] = ((window as any).dash_stores ??= []);
  stores.push = (added) => {
    stores[stores.length] = take(added);
    return stores.length;
  };
  take(stores[0]!);

  function take(added: Store): Store {
    if (!store) (store = added)?.subscribe(notice);
    return added;
  }

  /** Components with object ids of these names; the look-up is made once per list of the renderer's. */
  function namedPaths(names: string): Map<string, Path> {
    const list = state().paths.objs[names];
    if (!isArray(list)) return new Map();
    let found = named.get(list);
    if (!found) {
      const keys = names.split(",");
      const text = (values: any[]) => idText(fromEntries(keys.map((key, i) => [key, values[i]])));
      named.set(list, (found = new Map(list.map(({ values, path }) => [text(values), path]))));
    }
    return found;
  }

  function pathOf(id: string): Path | undefined {
    if (isObjectText(id)) return namedPaths(namesOf(parseId(id))).get(id);
    const path = state().paths.strs[id];
    return isArray(path) ? path : undefined;
  }

  function component(id: string, layout: object = state().layout): Component | undefined {
    const found = follow(pathOf(id) ?? [""], layout);
    return found?.props && idText(found.props.id ?? "") === id ? found : undefined;
  }

  /** The contents of a dcc.Tab are in the layout before they are in the page. */
  function isInHiddenTab(id: string): boolean {
    let node: any = state().layout;
    let tabs: any;
    let place = 0;
    return !!pathOf(id)?.some((step) => {
      node = node?.[step];
      if (typeof step === "number") place = step;
      if (node?.type === "Tabs") [tabs, place] = [node, 0];
      return node?.type === "Tab" && (node.props.value ?? `tab-${place + 1}`) !== tabs?.props.value;
    });
  }

  function listenersOf(id: string, property: string): Listeners[] {
    const { inputMap, inputPatterns } = state().graphs;
    const parsed = parseId(id);
    if (isObjectText(id)) return patternsFor(parsed, inputPatterns?.[namesOf(parsed)]?.[property] ?? []);
    const owner = inputMap?.[id];
    return isArray(owner?.[property]) ? [{ owner, name: property }] : [];
  }

  return {
    pathOf,
    component,
    namedPaths,
    listenersOf,
    current: state,

    hydrated: (): boolean => store?.getState().appLifecycle === "HYDRATED",

    /** Ids of the components in the page that an id, maybe with wildcards, stands for. */
    matching(text: string): string[] {
      const id = isObjectText(text) && parseId(text);
      if (!id || !hasWildcards(id)) return pathOf(text) ? [text] : [];
      return [...namedPaths(namesOf(id)).keys()].filter((candidate) => fits(parseId(candidate), id));
    },

    /** Who made the last change of a component: `internal` (itself), `callback`, `clientsideApi`, ... `DashWrapper.tsx`. */
    author: (id: string): string | undefined => state().layoutHashes[`${pathOf(id)}`]?.renderType,

    /** Runs whose results are being written now and hold this property. `observers/executedCallbacks.ts`. */
    runsOf: (id: string, property: string): Run[] =>
      state().callbacks.executed.filter(({ executionResult }) => property in (executionResult?.data?.[id] ?? {})),

    /** Is a callback under way that reads this property, or its result? A persistent one always is: it does not count. */
    isRunning(callback: Callback, id: string, property: string): boolean {
      const { executing, watched, executed } = state().callbacks;
      const reads = ({ getInputs }: Run) =>
        !isObjectText(id) || getInputs(state().paths).flat().some((input) => input.property === property && idText(input.id) === id);
      return !callback.persistent && [...executing, ...watched, ...executed].some((run) => run.callback === callback && reads(run));
    },

    /** Runs that were asked for, until their results are written. `reducers/callbacks.ts`; what is in `stored` is done. */
    runs(): Run[] {
      const { requested, prioritized, blocked, executing, watched, executed } = state().callbacks;
      return [requested, prioritized, blocked, executing, watched, executed].flat();
    },

    inputsOf: ({ getInputs }: Run): Place[] => getInputs(state().paths).flat(),
    outputsOf: ({ getOutputs }: Run): Place[] => getOutputs(state().paths).flat(),

    /** Are all Inputs and State in the page that the renderer does not do without? `actions/callbacks.ts`, unwrapIfNotMulti. */
    isComplete({ callback, getInputs, getState }: Run): boolean {
      const { paths } = state();
      const found = [...getInputs(paths), ...getState(paths)];
      const isNeeded = ({ id, allow_optional }: Dependency) => !allow_optional && !values(id).some((value) => value?.multi);
      return [...callback.inputs, ...callback.state].every((one, i) => found[i]!.length || !isNeeded(one));
    },

    /** Ask for runs as initial calls, together, as `actions/index.js` does at page load. */
    runAgain(runs: Run[]): void {
      const news = { initialCall: true, changedPropIds: {}, predecessors: [AGAIN], executionGroup: `${Math.random()}` };
      store!.dispatch({ type: "Callbacks.AddRequested", payload: runs.map((run) => ({ ...run, ...news })) });
    },

    /** Did `runAgain` ask for it, or the result of such a run? */
    isAgain: ({ predecessors }: Run): boolean => !!predecessors?.includes(AGAIN),

    /** Take back what was asked for in the last action. */
    withdraw(runs: Run[]): void {
      store!.dispatch({ type: "Callbacks.RemoveRequested", payload: runs });
    },

    /** Write properties that no callback listens to and that bring no components: what `set_props` adds is not needed. */
    putProps(id: string, props: Props): void {
      store!.dispatch({ type: "ON_PROP_CHANGE", payload: { itempath: pathOf(id), props, renderType: "clientsideApi" } });
    },

    /** Write properties and tell the callbacks that listen. */
    setProps(id: string, props: Props): void {
      (window as any).dash_clientside.set_props(parseId(id), props);
    },

    /** Run something, and take back what it put into the undo history: it would grow for ever. */
    withoutUndo(run: () => void): void {
      const before = undoable();
      try {
        run();
      } finally {
        for (let left = undoable() - before; left > 0; left--) store!.dispatch({ type: "REVERT" });
      }
    },

    /** Is there a component with this id, as the document writes it? */
    isThere(id: string): boolean {
      try {
        return !!pathOf(id);
      } catch {
        return false; // An element of the app's own, with an id that only looks like one of ours.
      }
    },

    /** Is it in the document, and has it begun to live there? A component that has an element only when it is. */
    hasStarted(id: string): boolean {
      const { namespace = "", type = "" } = component(id) ?? {};
      return !!elementOf(id) || ((!OWN_LIBRARIES.test(namespace) || WITHOUT_ELEMENT.test(type)) && !isInHiddenTab(id));
    },

    /** Does it measure, or hear, what happens elsewhere? What it says first is news, and no part of its mounting. */
    isSensor: (id: string): boolean => SENSORS.test(component(id)?.type ?? ""),

    /** Does it ask in a window of the browser's own, where the page sees no events? */
    asksPeople: (id: string): boolean => /^ConfirmDialog/.test(component(id)?.type ?? ""),

    /** Show an error in Dash's dev tools. */
    showError(message: string, html: string): void {
      store!.dispatch({ type: "ON_ERROR", payload: { type: "backEnd", error: { message, html } } });
    },
  };
}

function patternsFor(id: DashId, patterns: Pattern[]): Listeners[] {
  const isListening = ({ keys, values }: Pattern) =>
    keys.every((key, i) => values[i]?.wild || values[i] === (id as any)[key]);
  return patterns.filter(isListening).map((owner) => ({ owner: owner as any, name: "callbacks" }));
}
