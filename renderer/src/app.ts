// One page: what comes from the line goes into the page, and what happens in the page goes to the line.
import { type Config, createRenderer } from "./dash";
import { complain } from "./element";
import { ownText } from "./ids";
import { createLabels } from "./labels";
import { createMark } from "./mark";
import { isPoints } from "./points";
import {
  type Ack,
  type Ask,
  CLOSE,
  type Error,
  type FromPage,
  type FromServer,
  type Mods,
  NACK,
  type Notice,
  type Ping,
  type Props,
  type Refusal,
  type Reply,
  SEQ_HEADER,
  TAB_HEADER,
  type Triple,
  VERSION,
  type WatchList,
  type Welcome,
} from "./protocol";
import { createRequests, type LightResponse } from "./requests";
import { createRerun } from "./rerun";
import { createSession } from "./session";
import { type Closed, createSocket } from "./socket";
import { stored } from "./stored";
import { createTyped } from "./typed";
import { clock, parse, stringify } from "./values";
import { createWatcher } from "./watcher";
import { createWriter } from "./writer";

/** Codes with which a server closes a socket because of one message: that is not sent to it again. */
const UNREADABLE: number[] = [CLOSE.UNSUPPORTED, CLOSE.INVALID, CLOSE.POLICY, CLOSE.TOO_BIG, CLOSE.BAD_MESSAGE];
const COOKIE_HEADER = "x-dash-devices-cookie";

export type App = ReturnType<typeof createApp>;

export function createApp(config: Config, originalFetch: typeof fetch) {
  const { url, build, over_socket: isOverSocket } = config.dash_devices!;
  const { requests_pathname_prefix: prefix } = config;
  const memory = `dash_devices:${prefix}`;
  const mark = createMark();
  const session = createSession(`${Math.random()}`, build, parse(stored(memory) ?? "{}"), refused);
  const socket = createSocket(() => location.origin.replace("http", "ws") + url, {
    openLine: opened,
    receiveText(text) {
      [].concat(parse(text)).forEach(handle);
      if (session.caughtUp()) labels.showDown(false);
    },
    lostLine: lost,
    outdatedPage: () => reloadOnce("version") || lost("Please reload", true),
  });
  const { send } = socket;
  const requests = createRequests(send, session.mayCarry, (reason) => refused([], reason));
  const dash = createRenderer(() => {
    rerun.notice();
    watcher.notice();
  });
  const rerun = createRerun(dash, mark.catchesUp);
  const writer = createWriter(dash);
  const watcher = createWatcher(dash, writer, {
    hydrated() {
      replay(early.splice(0));
      typed.restore();
    },
    change(values, state, isOwn) {
      session.change(values, state, clock(), isOwn).forEach(send);
      labels.look();
    },
    mount: (values, state) => session.mount(values, state).forEach(send),
    fits: session.fits,
  });
  const typed = createTyped(`${memory}:typed`, dash);
  const labels = createLabels(
    () => [...shared, ...session.ids(), ...watcher.watchedTexts()].flatMap((id) => dash.matching(ownText(id))),
    session.owed,
  );
  /** Components that show shared state, as the server says. */
  let shared: string[] = [];
  /** Messages that came before the page could be written to. */
  let early: FromServer[] = [];
  let isStarted = false;
  let ended = "";
  let warning = ""; // for when the line is there again
  let welcome!: () => void;
  const welcomed = new Promise<void>((resolve) => (welcome = resolve));

  const say = (message: FromPage): unknown => send(stringify(message));

  function reloadOnce(reason: string): boolean {
    const key = `${memory}:reload`;
    // Where nothing can be kept, it could go on for ever.
    if (stored(key) === reason || stored(key, reason) !== reason) return false;
    typed.keep();
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
    say(session.hello(clock()));
    requests.sendAgain();
  }

  function lost(reason: string, isFinal: boolean, by?: Closed): void {
    const isUnreadable = by && UNREADABLE.includes(by.code);
    if (isUnreadable) blame(by);
    requests.interrupted(!!by && !isUnreadable);
    session.interrupted();
    rerun.interrupted();
    mark.lostLine(reason, isFinal);
    labels.showDown(true);
    if (!isFinal) return;
    ended = reason;
    requests.fail(reason);
    welcome();
  }

  /** Give up the message under which the line ended: the one that the server names, or the largest one, where size was the matter. */
  function blame({ code, reason }: Closed): void {
    const carried = [...session.carried(), ...requests.carried()].sort((a, b) => b.size - a.size);
    const named = carried.find(({ name }) => reason.startsWith(name));
    const guilty = named ?? (code === CLOSE.BAD_MESSAGE ? undefined : carried[0]);
    guilty?.giveUp("The server cannot read this; not sent again");
    if (!guilty) watcher.forgetMounted();
  }

  /** A message of ours is not sent (again): that is said at the controls, and by the mark. Returns the words. */
  function refused(triples: Triple[], reason = "Too large; not sent"): string {
    warning = reason;
    if (mark.shown() === "connected") mark.showsConnected(reason);
    triples.forEach(([id]) => labels.notify(id, "refused", reason));
    return reason;
  }

  function handle(message: any): void {
    if (message.gone) session.drop(new Set((message.gone = message.gone.map(ownText))));
    for (const name of ["mods", "events", "props", "values"]) {
      message[name]?.forEach((triple: Triple) => (triple[0] = session.adopt(triple[0])));
    }
    handlers[message.type as keyof typeof handlers]?.(message);
  }

  /** For messages about the contents of the page: they wait until there are any. */
  function onPage<Message extends FromServer>(apply: (message: Message) => void) {
    return (message: Message): unknown => (dash.hydrated() ? apply(message) : early.push(message));
  }

  const handlers = {
    welcome(message: Welcome): void {
      const { tab, token, epoch } = message;
      const { epoch: before = epoch } = session.place;
      if (build && message.build !== build && reloadOnce(message.build)) return;
      early = [];
      shared = message.shared;
      const { frames, unconfirmed } = session.resumed(message);
      stored(memory, stringify({ tab, token }));
      mark.showsConnected(warning);
      warning = "";
      frames.forEach(send);
      watcher.watchList(message.watch, message.mode);
      rerun.resumed(epoch !== before, message.rerun);
      unconfirmed.forEach(([id]) => labels.notify(id, "unconfirmed", "Not confirmed"));
      welcome();
    },

    ping({ check }: Ping): void {
      say(session.pong(clock(), check));
      socket.beat();
      labels.paint();
    },

    error({ message, detail }: Error): void {
      if (config.ui) dash.showError(message, detail);
      else complain(message, detail);
    },

    notice: ({ message }: Notice): void => mark.showsConnected(message),
    watch: (message: WatchList): void => watcher.watchList(message.watch),
    reply: (message: Reply): unknown => requests.replied(message, errand),

    props: onPage(({ props }: Props) => {
      writer.write(props.filter(([, property]) => !isPoints(property)));
      writer.fire(props.filter(([, property]) => isPoints(property)));
    }),
    mods(message: Mods): void {
      session.arrived(message);
      showMods(message);
    },
    ask: onPage(({ ref, id, properties }: Ask) => say({ type: "answer", ref, values: watcher.readProps(ownText(id), properties) })),
    ack: onPage(settle),
    nack: onPage((message: Refusal) => settle(message, message.values)),
  };

  /** What comes after events is for a page that has seen them. */
  function replay([message, ...later]: FromServer[]): void {
    if (!message) return;
    handle(message);
    writer.afterEvents(() => replay(later));
  }

  const showMods = onPage((message: Mods) => {
    const { write, differing, isDue } = session.take(message);
    writer.write(write.filter((triple) => !watcher.isEcho(triple)), differing);
    writer.fire(message.events);
    // What this page was not there to show, the server has forgotten: it hears of it again.
    if (differing && message.gone) watcher.tellAgain(message.gone);
    if (message.lost) complain(`${message.lost} events lost`);
    if (isDue) say({ type: "applied", seq: message.seq });
  });

  function settle(message: Ack | Refusal, values?: Triple[]): void {
    const { write, refused, frames } = session.settled(message, values);
    writer.write(write, true);
    frames.forEach(send);
    const { code, message: reason } = message as Refusal;
    // No mark for a change that a component made by itself: no person waits for it.
    if (code !== NACK.OUTDATED) refused.forEach(([id]) => labels.notify(id, "refused", reason));
    labels.look();
  }

  /** What a reply asks for before it is handed over. */
  function errand(response: LightResponse): Promise<unknown> | undefined {
    // What came before the layout is in it already.
    if (takePlace(response)) early = early.filter(({ type }) => type !== "mods");
    const path = response.headers.get(COOKIE_HEADER);
    const failed = (error: unknown) => complain("cookies were not set", error);
    return path ? originalFetch(path, { credentials: "same-origin" }).catch(failed) : undefined;
  }

  function takePlace({ ok, headers }: LightResponse | Response): boolean {
    const [epoch, seq] = (ok && headers.get(SEQ_HEADER)?.split(":")) || [];
    if (seq) session.begin(epoch!, +seq);
    return !!seq;
  }

  async function overHttp(route: string, input: string, init: RequestInit): Promise<Response> {
    if (isStarted && route !== "dependencies") {
      await welcomed;
      init = { ...init, headers: { ...init.headers, [TAB_HEADER]: session.place.token ?? "" } };
    }
    const response = await originalFetch(input, init);
    if (route === "layout" && takePlace(response)) {
      connect();
      // What is watched has to be known before the page begins to live.
      await welcomed;
    }
    return response;
  }

  // Over HTTP the line begins where the layout stands.
  if (isOverSocket) connect();
  return {
    prefix,
    /** What tests and the curious may know. */
    view() {
      const { tab, epoch, seq } = session.place;
      return { version: VERSION, status: mark.shown(), unacked: session.backlog(), tab, epoch, seq };
    },

    /** An exchange of Dash's renderer. */
    request(route: string, query: string, input: string, init: RequestInit = {}): Promise<LightResponse | Response> {
      if (!isOverSocket) return overHttp(route, input, init);
      return ended ? Promise.reject(new TypeError(ended)) : requests.request(route, query, (init.body as string | null) ?? "null");
    },
  };
}
