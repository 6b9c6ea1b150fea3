// A page as far as the plug-in sees it: globals of the browser, and a store shaped like that of Dash's renderer. Needs no test runner.

export type Node = { type: string; namespace: string; props: Record<string, any> };
type Listener = (event?: unknown) => void;

export function component(type: string, props: Record<string, any>, namespace = "dash_core_components"): Node {
  return { type, namespace, props };
}

/** A WebSocket in the hands of the test. */
export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];
  closedWith: number | undefined;
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number; reason: string }) => void;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(frame: string) {
    this.sent.push(frame);
  }
  close(code: number) {
    this.closedWith = code;
  }
  open() {
    this.readyState = 1;
    this.onopen!();
  }
  lose(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose!({ code, reason });
  }
}

/** Tells of changes of the document when the test says so. */
export class FakeObserver {
  static all: FakeObserver[] = [];
  observing = false;
  constructor(private readonly tell: () => void) {
    FakeObserver.all.push(this);
  }
  observe() {
    this.observing = true;
  }
  disconnect() {
    this.observing = false;
  }
  static documentChanges() {
    this.all.forEach((observer) => observer.observing && observer.tell());
  }
}

/** Globals that every test needs, put there by `stub`. `elements`: ids that have an element; `fire`: an event of the window. */
export function browserOf(stub: (name: string, value: unknown) => unknown) {
  const listeners = new Map<string, Listener[]>();
  const elements = new Map<string, any>();
  const on = (name: string, listener: Listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]);
  const page = { addEventListener: on } as Record<string, unknown>;
  const labelled = () => [...elements.values()].filter(({ dataset }) => dataset.dashDevices);
  const document = {
    hidden: false,
    body: {},
    adoptedStyleSheets: [] as unknown[],
    getElementById: (id: string) => elements.get(id) ?? null,
    querySelectorAll: (selector: string): any[] => (selector.startsWith("[data-dash-devices") ? labelled() : []),
    querySelector: (): unknown => null,
  } as Record<string, any>;
  stub("window", page);
  stub("document", document);
  stub("addEventListener", on);
  stub("WebSocket", FakeSocket);
  stub("requestIdleCallback", (run: () => void) => setTimeout(run, 0));
  stub("CSSStyleSheet", class { replaceSync = () => undefined; });
  stub("MutationObserver", FakeObserver);
  FakeObserver.all = [];
  FakeSocket.all = [];
  stub("location", { origin: "http://host", href: "http://host/app/" });
  const fire = (name: string, event: unknown = {}) => (listeners.get(name) ?? []).forEach((listener) => listener(event));
  const mount = (id: string, parentElement: any = null) => {
    const element: any = { id, title: "", dataset: {}, parentElement };
    element.contains = (other: any): boolean => !!other && (other === element || element.contains(other.parentElement));
    elements.set(id, element);
    return element;
  };
  return { page, document, elements, fire, mount };
}

function crawl(node: any, path: (string | number)[], found: (node: Node, path: (string | number)[]) => void): void {
  if (Array.isArray(node)) node.forEach((child, i) => crawl(child, [...path, i], found));
  else if (node?.props) {
    found(node, path);
    crawl(node.props.children, [...path, "props", "children"], found);
  }
}

function computePaths(layout: any) {
  const paths: any = { strs: {}, objs: {} };
  crawl(layout.components, ["components"], ({ props: { id } }, path) => {
    if (typeof id === "string") paths.strs[id] = path;
    else if (id) {
      const keys = Object.keys(id).sort();
      (paths.objs[keys.join(",")] ??= []).push({ values: keys.map((key) => id[key]), path });
    }
  });
  return paths;
}

function assoc(root: any, [step, ...rest]: (string | number)[], value: any): any {
  if (step === undefined) return value;
  const copy = Array.isArray(root) ? [...root] : { ...root };
  copy[step] = assoc(root?.[step], rest, value);
  return copy;
}

/** The renderer: its reducers, `set_props`, and who was told of what. */
export function fakeDash(children: Node[], page: Record<string, any>) {
  const subscribers: Listener[] = [];
  const told: [string, string][] = [];
  let setPropsCalls = 0;
  let state: any = {
    appLifecycle: "STARTED",
    changed: { id: null, props: {} },
    layout: { components: component("Div", { children }, "dash_html_components") },
    layoutHashes: {},
    graphs: { inputMap: {}, inputPatterns: {} },
    callbacks: { requested: [], prioritized: [], blocked: [], executing: [], watched: [], executed: [] },
    history: { past: [] as unknown[] },
  };
  state.paths = computePaths(state.layout);
  const at = (path: (string | number)[]) => path.reduce((node: any, step) => node?.[step], state.layout);

  function reduce(action: any): void {
    const { requested } = state.callbacks;
    const request = (now: object[]) => (state = { ...state, callbacks: { ...state.callbacks, requested: now } });
    if (action.type === "Callbacks.AddRequested") request([...requested, ...action.payload]);
    if (action.type === "Callbacks.RemoveRequested") request(requested.filter((run: object) => !action.payload.includes(run)));
    if (action.type === "REVERT") state = { ...state, history: { past: state.history.past.slice(0, -1) } };
    if (action.type !== "ON_PROP_CHANGE") return;
    const { itempath, props, renderType } = action.payload;
    const old = at(itempath);
    // As the renderer does: the state that was is changed too.
    if (old.props.id) state.changed = { id: old.props.id, props };
    const listened = Object.keys(props).some((name) => state.graphs.inputMap[old.props.id]?.[name]?.length);
    const past = listened ? [...state.history.past, {}] : state.history.past;
    const layout = assoc(state.layout, [...itempath, "props"], { ...old.props, ...props });
    const layoutHashes = { ...state.layoutHashes, [itempath.join(",")]: { renderType } };
    state = { ...state, layout, layoutHashes, history: { past } };
  }

  function dispatch(action: any): void {
    reduce(action);
    subscribers.forEach((subscriber) => subscriber());
  }

  const update = (change: object) => {
    state = { ...state, ...change };
    dispatch({ type: "TEST" });
  };
  function pathOf(id: any) {
    if (typeof id === "string") return state.paths.strs[id];
    const keys = Object.keys(id).sort();
    return state.paths.objs[keys.join(",")]?.find(({ values }: any) => values.join() === keys.map((key) => id[key]).join()).path;
  }

  function setProps(id: any, props: object, renderType = "clientsideApi"): void {
    dispatch({ type: "ON_PROP_CHANGE", payload: { itempath: pathOf(id), props, renderType } });
    for (const name of Object.keys(props)) {
      for (const callback of state.graphs.inputMap[id]?.[name] ?? []) told.push([callback.name, `${id}.${name}`]);
    }
    update({ paths: computePaths(state.layout) });
  }

  page["dash_clientside"] = {
    set_props: (id: any, props: object) => {
      setPropsCalls++;
      setProps(id, props);
    },
  };
  const store = { getState: () => state, dispatch, subscribe: (listener: Listener) => subscribers.push(listener) };
  return {
    store,
    told,
    update,
    setProps,
    setPropsCalls: () => setPropsCalls,
    state: () => state,
    value: (id: any, name: string) => at(pathOf(id) ?? [])?.props?.[name],
    /** The layout arrives. */
    lay: (components: Node) => update({ layout: { components }, paths: computePaths({ components }) }),
    hydrate: () => update({ appLifecycle: "HYDRATED" }),
    /** A component reports; a callback's result arrives. */
    report: (id: any, props: object) =>
      dispatch({ type: "ON_PROP_CHANGE", payload: { itempath: pathOf(id), props, renderType: "internal" } }),
    result: (run: object, id: string, props: Record<string, any>) => {
      update({ callbacks: { ...state.callbacks, executed: [{ executionResult: { data: { [id]: props } }, ...run }] } });
      setProps(id, props, "callback");
      update({ callbacks: { ...state.callbacks, executed: [] } });
    },
    listen: (id: string, name: string, ...callbacks: object[]) => {
      state.graphs.inputMap[id] = { ...state.graphs.inputMap[id], [name]: callbacks };
    },
    ask: (...runs: object[]) => dispatch({ type: "Callbacks.AddRequested", payload: runs }),
    /** The runs go from one list to the next; all of them, or those that are named. */
    move: (from: string, to: string, runs: object[] = state.callbacks[from]) => {
      const stay = state.callbacks[from].filter((run: object) => !runs.includes(run));
      update({ callbacks: { ...state.callbacks, [from]: stay, ...(to && { [to]: [...state.callbacks[to], ...runs] }) } });
    },
    busy: (...callbacks: object[]) =>
      update({ callbacks: { ...state.callbacks, watched: callbacks.map((callback) => ({ callback, getInputs: () => [] })) } }),
  };
}
