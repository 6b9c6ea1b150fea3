// One page: what comes from the line goes into the page, and what happens in the page goes to the line.
import { type Config, createRenderer } from "./dash";
import { ownText } from "./ids";
import { createMark, markControl } from "./mark";
import { type FromPage, type FromServer, SEQ_HEADER, TAB_HEADER, type Triple, VERSION, type Welcome } from "./protocol";
import { createRequests, type LightResponse } from "./requests";
import { createSession } from "./session";
import { createSocket } from "./socket";
import { stored } from "./stored";
import { parse, stringify } from "./values";
import { createWatcher } from "./watcher";
import { createWriter } from "./writer";

const COOKIE_HEADER = "x-dash-devices-cookie";

export type App = ReturnType<typeof createApp>;

export function createApp(config: Config, originalFetch: typeof fetch) {
  const { url, build, over_socket: isOverSocket } = config.dash_devices!;
  const prefix = config.requests_pathname_prefix.replace(/\/?$/, "/");
  const memory = `dash_devices:${prefix}`;
  const mark = createMark();
  const session = createSession(randomName(), build, parse(stored(memory) ?? "{}"));
  const socket = createSocket(() => new URL(url, location.href.replace("http", "ws")).href, {
    openLine: opened,
    receiveText: (text) => [].concat(parse(text)).forEach(handle),
    lostLine: lost,
    outdatedPage: () => reloadOnce(`version ${VERSION}`) || lost("Please reload this page", true),
  });
  const requests = createRequests(socket.send);
  const dash = createRenderer(() => watcher.notice());
  const writer = createWriter(dash);
  const watcher = createWatcher(dash, writer, {
    hydrated: () => early.splice(0).forEach(apply),
    change: (values, state) => session.change(values, state, Date.now()).forEach(socket.send),
    mount: (values) => say({ type: "mount", values }),
  });
  /** Messages that came before the page could be written to. */
  let early: FromServer[] = [];
  let isStarted = false;
  let ended = "";
  let welcome!: () => void;
  const welcomed = new Promise<void>((resolve) => (welcome = resolve));

  const say = (message: FromPage): void => socket.send(stringify(message));

  function reloadOnce(reason: string): boolean {
    const key = `${memory}:reload`;
    // Where nothing can be kept, it could go on for ever.
    if (stored(key) === reason || stored(key, reason) !== reason) return false;
    location.reload();
    return true;
  }

  function connect(): void {
    // A layout that is fetched again stands somewhere else: the line has to begin there too.
    if (isStarted) return socket.restartLine();
    isStarted = true;
    socket.startLine();
  }

  function opened(): void {
    say(session.hello());
    requests.frames().forEach(socket.send);
  }

  function lost(reason: string, isFinal: boolean): void {
    session.interrupted();
    mark.lostLine(reason, isFinal);
    if (!isFinal) return;
    ended = reason;
    requests.fail(reason);
    welcome();
  }

  function handle(message: FromServer): void {
    ownIds(message);
    if (message.type === "ping") {
      socket.beat();
      say({ type: "pong", seq: session.place.seq ?? 0, at: Date.now() });
    } else if (message.type === "welcome") resume(message);
    else if (message.type === "watch") watcher.watchList(message.watch);
    else if (message.type === "reply") void requests.reply(message, errand);
    else if (message.type === "error") showError(message.message, message.detail);
    // Everything else is about the contents of the page.
    else if (dash.hydrated()) apply(message);
    else early.push(message);
  }

  function showError(message: string, detail: string): void {
    if (!config.ui || !dash.showError(message, detail)) console.error(message, detail);
  }

  function resume(message: Welcome): void {
    const { tab, token } = message;
    if (build && message.build !== build && reloadOnce(message.build)) return;
    early = [];
    const { frames, unconfirmed } = session.resumed(message);
    stored(memory, stringify({ tab, token }));
    watcher.watchList(message.watch);
    mark.showsConnected();
    frames.forEach(socket.send);
    for (const [id] of unconfirmed) markControl(id, "unconfirmed", "Not confirmed: the server restarted");
    welcome();
  }

  function apply(message: FromServer): void {
    if (message.type === "mods") {
      const { write, differing } = session.mods(message);
      writer.write(write, differing);
      writer.fire(message.events);
      if (message.lost) console.warn(`dash_devices: ${message.lost} events lost`);
    } else if (message.type === "props") writer.write(message.props);
    else if (message.type === "ask") {
      say({ type: "answer", ref: message.ref, values: watcher.readProps(ownText(message.id), message.properties) });
    } else if (message.type === "ack" || message.type === "nack") {
      const { write, frames } = session.settled(message);
      writer.write(write, true);
      frames.forEach(socket.send);
      if (message.type === "nack") message.values.forEach(([id]) => markControl(id, "refused", message.message));
    }
  }

  /** What a reply asks for before it is handed over. */
  function errand(response: LightResponse): Promise<unknown> | undefined {
    // What came before the layout is in it already.
    if (takePlace(response)) early = early.filter(({ type }) => type !== "mods");
    const path = response.headers.get(COOKIE_HEADER);
    const failed = (error: unknown) => console.error("dash_devices: cookies were not set", error);
    return path ? originalFetch(path, { credentials: "same-origin" }).catch(failed) : undefined;
  }

  function takePlace({ ok, headers }: LightResponse | Response): boolean {
    const [epoch, seq] = (ok && headers.get(SEQ_HEADER)?.split(":")) || [];
    if (seq) Object.assign(session.place, { epoch, seq: +seq });
    return !!seq;
  }

  async function overHttp(route: string, input: string, init: RequestInit): Promise<Response> {
    if (isStarted && route !== "dependencies") await welcomed;
    const { token } = session.place;
    const headers = isStarted && token ? { ...init.headers, [TAB_HEADER]: token } : init.headers;
    const response = await originalFetch(input, { ...init, headers } as RequestInit);
    if (route === "layout" && takePlace(response)) connect();
    return response;
  }

  // Over HTTP the line begins where the layout stands.
  if (isOverSocket) connect();
  return {
    prefix,
    mark,
    session,

    /** An exchange of Dash's renderer. */
    request(route: string, query: string, input: string, init: RequestInit = {}): Promise<LightResponse | Response> {
      if (!isOverSocket) return overHttp(route, input, init);
      return ended ? Promise.reject(new TypeError(ended)) : requests.request(route, query, (init.body as string | null) ?? "null");
    },
  };
}

/** Give the triples of a message ids as this page writes them. */
function ownIds({ mods, events, props, values }: Partial<Record<string, any>>): void {
  const adopt = (triple: Triple) => (triple[0] = ownText(triple[0]));
  for (const triples of [mods, events, props, values]) triples?.forEach(adopt);
}

/** `crypto.randomUUID` is missing on plain http. */
const randomName = (): string => [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("");
