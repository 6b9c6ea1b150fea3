// One tab of the model of values: the whole plug-in in a fake page whose time only goes on when it is told to.
// A command per line in; what came of it per line out: frames that were sent, sockets that are wanted, what components reported.
import { createInterface } from "node:readline";
import { createApp } from "../../renderer/src/app";
import { browserOf, FakeSocket, fakeDash, type Node } from "../../renderer/test/fakes";
import { type Behaviour, behaviours, type Report } from "./values_components";
import { patched } from "./values_patch";
import { createRegular } from "./values_regular";
import { clock, later, settle, stubClock } from "./values_time";

interface Command {
  do: string;
  text?: string;
  ms?: number;
  id?: string;
  values?: Report[];
  seed?: number;
  closeAfter?: number;
}
type Props = Record<string, any>;

const CONFIG = { requests_pathname_prefix: "/", dash_devices: { url: "/socket", build: "", over_socket: true } };
const ignore = (): void => undefined;
const storage = new Map<string, string>();

let page: Page | undefined;
let reported: object[] = [];
let complaints: string[] = [];
let taken = 0;
let known = 0;

function stub(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** A number between 0 and 1 that depends on the seed alone. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

class Page {
  readonly browser = browserOf(stub);
  readonly app: ReturnType<typeof createApp>;
  readonly components: Record<string, Behaviour>;
  readonly dash = fakeDash([], this.browser.page);
  /** Used components as they were left by themselves: whoever else writes into one, or replaces it, makes another one of it. */
  private readonly used_ = new Map<string, Node>();
  private drawn_ = new Map<string, Props>();
  private isDrawing_ = false;
  private isReporting_ = false;
  private regular_?: ReturnType<typeof createRegular>;

  constructor({ seed = 0, closeAfter = 0 }: Command) {
    const element = (): object => ({ style: {}, append: ignore, dataset: {} });
    Object.assign(this.browser.document, { createElement: element, documentElement: element() });
    Object.assign(location, { reload: ignore });
    stub("fetch", () => new Promise(ignore));
    stub("sessionStorage", { getItem: (key: string) => storage.get(key) ?? null, setItem: (key: string, text: string) => storage.set(key, text) });
    Math.random = random(seed);
    stubClock(() => this.browser.document["hidden"]);
    this.components = behaviours(random(seed + 1), closeAfter);
    this.app = createApp(CONFIG, fetch);
    (this.browser.page["dash_stores"] as unknown[]).push(this.dash.store);
    this.takePatches_();
    void this.load_();
  }

  private takePatches_(): void {
    const { set_props } = this.browser.page["dash_clientside"] as { set_props(id: any, props: Props): void };
    this.browser.page["dash_clientside"] = {
      set_props: (id: any, props: Props) => {
        const old = this.node(text(id))?.props ?? {};
        set_props(id, Object.fromEntries(Object.entries(props).map(([name, value]) => [name, patched(old[name], value)])));
      },
    };
  }

  private async load_(): Promise<void> {
    const response = await this.app.request("layout", "", "/_dash-layout");
    const layout = await response.json();
    if (page !== this) return;
    this.dash.lay(layout);
    this.dash.store.subscribe(() => this.changed_());
    this.regular_ = createRegular(this.dash, this.app);
    this.dash.hydrate();
    this.regular_.begin();
  }

  /** The store has changed: React draws when the task is over. */
  private changed_(): void {
    for (const [id, node] of this.isReporting_ ? [] : this.used_) if (this.node(id) !== node) this.used_.delete(id);
    if (this.isDrawing_) return;
    this.isDrawing_ = true;
    queueMicrotask(() => this.draw_());
  }
  private draw_(): void {
    this.isDrawing_ = false;
    const before = this.drawn_;
    this.drawn_ = new Map(this.nodes().map(({ props }) => [text(props["id"]), props]));
    for (const id of before.keys()) if (!this.drawn_.has(id)) this.browser.elements.delete(id);
    for (const [id, props] of this.drawn_) {
      if (!this.browser.elements.has(id)) this.browser.mount(id);
      const old = before.get(id);
      if (old !== props) this.components[id]?.drawn(props, old, (report) => this.report(id, report, "own"));
    }
  }

  nodes(): Node[] {
    const found: Node[] = [];
    const walk = (node: any): void => {
      if (Array.isArray(node)) return node.forEach(walk);
      if (!node?.props) return;
      if (node.props.id) found.push(node);
      walk(node.props.children);
    };
    walk(this.dash.state().layout.components);
    return found;
  }

  node(id: string): Node | undefined {
    return this.nodes().find(({ props }) => text(props["id"]) === id);
  }

  report(id: string, report: Report, kind: string): void {
    const before = this.node(id)?.props;
    if (!before) return;
    const props: Props = {};
    for (const [name, value] of Object.entries(report)) props[name] = value === "+1" ? (before[name] ?? 0) + 1 : value;
    reported.push({ id, props, kind: this.used_.has(id) ? "use" : kind });
    this.isReporting_ = true;
    this.dash.report(before["id"], props);
    this.isReporting_ = false;
    if (this.used_.has(id)) this.used_.set(id, this.node(id)!);
    for (const name of Object.keys(props)) this.regular_!.heard(id, name);
  }

  /** Somebody points at a component: it reports at once, all in one task, or `ms` later. */
  use(id: string, reports: Report[], ms: number): void {
    if (!this.drawn_.has(id)) return;
    this.used_.set(id, this.node(id)!);
    this.browser.fire("pointerdown", { target: this.browser.elements.get(id) });
    later(ms, () => reports.forEach((report) => this.report(id, report, "own")));
  }
}

const text = (id: any): string => (typeof id === "string" ? id : JSON.stringify(id, Object.keys(id).sort()));
const socket = (): FakeSocket | undefined => FakeSocket.all[FakeSocket.all.length - 1];

const commands: Record<string, (command: Command) => unknown> = {
  /** A new tab: nothing is left of an earlier one. */
  begin: (command) => {
    storage.clear();
    commands["load"]!(command);
  },
  load: (command) => {
    clock.forget();
    taken = known = 0;
    page = undefined;
    page = new Page(command);
  },
  open: () => socket()!.open(),
  frame: ({ text }) => socket()!.onmessage!({ data: text! }),
  lose: ({ ms }) => socket()!.lose(ms),
  use: ({ id, values, ms }) => page!.use(id!, values!, ms!),
  own: ({ id, values }) => values!.forEach((report) => page!.report(id!, report, "own")),
  advance: ({ ms }) => clock.advance(ms!),
  hide: () => (page!.browser.document["hidden"] = true),
  show: () => {
    page!.browser.document["hidden"] = false;
    page!.browser.fire("visibilitychange");
  },
  values: () => ignore,
};

function outcome(isAll: boolean): object {
  const current = socket();
  const opened = FakeSocket.all.length - known;
  if (opened) taken = 0;
  known = FakeSocket.all.length;
  const sent = current?.sent.slice(taken) ?? [];
  taken += sent.length;
  const values = isAll ? Object.fromEntries(page!.nodes().map(({ props }) => [text(props["id"]), { ...props, children: undefined, text: typeof props["children"] === "string" && props["children"] }])) : {};
  const isUp = current?.readyState === 1 && current.closedWith === undefined;
  const made = { sent, opened, closed: current?.closedWith ?? null, isUp, reported, complaints, values, view: page!.app.view() };
  reported = [];
  complaints = [];
  return made;
}

console.error = (...words: unknown[]) => complaints.push(words.map((word) => (word instanceof Error ? word.stack : JSON.stringify(word))).join(" "));
let queue = Promise.resolve();

async function run(line: string): Promise<void> {
  const command = JSON.parse(line) as Command;
  await commands[command.do]!(command);
  await settle();
  console.log(JSON.stringify(outcome(command.do === "values")));
}

createInterface({ input: process.stdin }).on("line", (line) => (queue = queue.then(() => run(line))));
