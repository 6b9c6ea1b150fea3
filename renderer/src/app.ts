// One page: what comes from the line goes into the page, and what happens in the page goes to the line.
import { type Config, Renderer } from "./dash";
import { ownText } from "./ids";
import { Mark, markControl } from "./mark";
import { Memory, randomName } from "./memory";
import { type FromPage, type FromServer, type Mods, SEQ_HEADER, TAB_HEADER, type Triple, VERSION, type Welcome } from "./protocol";
import { type LightResponse, Requests } from "./requests";
import { Session } from "./session";
import { Socket } from "./socket";
import { Watcher } from "./watcher";
import { Writer } from "./writer";

const COOKIE_HEADER = "x-dash-devices-cookie";
type Fetch = typeof fetch;

export class App {
  readonly session: Session;
  readonly mark = new Mark();
  private dash_ = new Renderer();
  private writer_ = new Writer(this.dash_);
  private watcher_ = new Watcher(this.dash_, this.writer_, {
    hydrated: () => this.catchUp_(),
    change: (values, state) => this.send_(this.session.change(values, state, Date.now())),
    mount: (values) => this.say_({ type: "mount", values }),
  });
  private requests_ = new Requests();
  private memory_: Memory;
  private socket_: Socket;
  /** Messages that came before the page could be written to. */
  private early_: FromServer[] = [];
  private ready_: (() => void) | undefined;
  /** Settled by the first welcome. */
  private welcomed_ = new Promise<void>((resolve) => (this.ready_ = resolve));
  private started_ = false;
  private ended_ = "";

  constructor(private config_: Config, private fetch_: Fetch) {
    this.memory_ = new Memory(config_.requests_pathname_prefix);
    this.session = new Session(randomName(), config_.dash_devices.build);
    Object.assign(this.session, this.memory_.identity());
    this.socket_ = new Socket(() => new URL(config_.dash_devices.url, location.href.replace(/^http/, "ws")).href, {
      open: () => this.opened_(),
      receive: (text) => this.receive_(JSON.parse(text) as FromServer | FromServer[]),
      down: (reason, final) => this.down_(reason, final),
      outdated: () => this.reload_(`version ${VERSION}`, "This page is older than the server. Please load it again"),
    });
  }

  /** Listen to the page; over the socket: connect at once, else when the layout says where it stands. */
  start(): void {
    this.watcher_.start();
    if (this.config_.dash_devices.over_socket) this.connect_();
  }

  /** Where this app lives on its host. */
  get prefix(): string {
    return this.config_.requests_pathname_prefix;
  }

  /** An exchange of Dash's renderer. */
  request(route: string, query: string, input: string, init?: RequestInit): Promise<LightResponse | Response> {
    if (!this.config_.dash_devices.over_socket) return this.overHttp_(route, input, init);
    if (this.ended_) return Promise.reject(new TypeError(this.ended_));
    const body = typeof init?.body === "string" ? init.body : "null";
    return this.requests_.ask(route, query, body, (frame) => this.socket_.send(frame));
  }

  private async overHttp_(route: string, input: string, init: RequestInit = {}): Promise<Response> {
    if (route === "dependencies") return this.fetch_.call(window, input, init);
    if (this.started_) await this.welcomed_;
    const headers = new Headers(init.headers);
    if (this.started_ && this.session.token) headers.set(TAB_HEADER, this.session.token);
    const response = await this.fetch_.call(window, input, { ...init, headers });
    if (route === "layout" && this.place_(response)) this.connect_();
    return response;
  }

  private connect_(): void {
    // A layout that is fetched again stands somewhere else: the line begins there too.
    if (this.started_) return this.socket_.restart();
    this.started_ = true;
    this.socket_.start();
  }

  private opened_(): void {
    this.say_(this.session.hello());
    for (const frame of this.requests_.frames()) this.socket_.send(frame);
  }

  private down_(reason: string, final: boolean): void {
    this.session.down();
    this.mark.lost(reason, final);
    if (!final) return;
    this.ended_ = reason;
    this.requests_.fail(reason);
    this.ready_?.();
  }

  private reload_(why: string, words: string): void {
    if (!this.memory_.reloadOnce(why)) this.down_(words, true);
  }

  private say_(message: FromPage): void {
    this.socket_.send(JSON.stringify(message));
  }

  private send_(frames: string[]): void {
    for (const frame of frames) this.socket_.send(frame);
  }

  private receive_(frame: FromServer | FromServer[]): void {
    for (const message of Array.isArray(frame) ? frame : [frame]) this.handle_(message);
  }

  private handle_(message: FromServer): void {
    switch (message.type) {
      case "welcome":
        return this.welcome_(message);
      case "ping":
        this.socket_.beat();
        return this.say_({ type: "pong", seq: this.session.seq ?? 0, at: Date.now() });
      case "watch":
        return this.watcher_.watch(message.watch);
      case "reply":
        return void this.requests_.reply(message, (response) => this.beforeReply_(message.ref, response));
      case "error":
        return this.dash_.error(message.message, message.detail, Boolean(this.config_.ui));
      default:
        // Everything else is about the contents of the page.
        if (this.dash_.hydrated) this.apply_(message);
        else this.early_.push(message);
    }
  }

  private welcome_(message: Welcome): void {
    const { build } = this.config_.dash_devices;
    if (build && message.build !== build && this.memory_.reloadOnce(message.build)) return;
    this.early_ = [];
    const { frames, unconfirmed } = this.session.welcome(message);
    this.memory_.keep({ tab: message.tab, token: message.token });
    this.watcher_.watch(message.watch);
    this.mark.connected();
    this.send_(frames);
    for (const [id] of unconfirmed) markControl(id, "unconfirmed", "The server restarted: this was not confirmed");
    this.ready_?.();
  }

  private catchUp_(): void {
    for (const message of this.early_.splice(0)) this.apply_(message);
  }

  private apply_(message: FromServer): void {
    if (message.type === "mods") return this.mods_(message);
    if (message.type === "props") return this.writer_.write(own(message.props));
    if (message.type === "ask") {
      return this.say_({ type: "answer", ref: message.ref, values: this.watcher_.read(ownText(message.id), message.properties) });
    }
    if (message.type !== "ack" && message.type !== "nack") return;
    const { write, frames } = message.type === "ack" ? this.session.ack(message) : this.session.nack({ ...message, values: own(message.values) });
    this.writer_.write(write, true);
    this.send_(frames);
    if (message.type === "nack") for (const [id] of message.values) markControl(id, "refused", message.message);
  }

  private mods_(message: Mods): void {
    const { write, differing } = this.session.mods({ ...message, mods: own(message.mods) });
    this.writer_.write(write, differing);
    this.writer_.fire(own(message.events));
    if (message.lost) console.warn(`dash_devices: ${message.lost} events were not kept for this page`);
  }

  private beforeReply_(ref: number, response: LightResponse): Promise<unknown> | undefined {
    if (response.headers.get(SEQ_HEADER) && this.place_(response)) {
      // What came before the layout is in it already.
      this.early_ = this.early_.filter(({ type }) => type !== "mods");
    }
    const url = response.headers.get(COOKIE_HEADER);
    if (url === null) return undefined;
    const failed = (error: unknown) => console.error(`dash_devices: the cookies of reply ${ref} were not set`, error);
    return this.fetch_.call(window, url, { credentials: "same-origin" }).catch(failed);
  }

  private place_({ status, headers }: LightResponse | Response): boolean {
    const place = status === 200 ? headers.get(SEQ_HEADER) : null;
    if (place === null) return false;
    const colon = place.lastIndexOf(":");
    this.session.place(place.slice(0, colon), Number(place.slice(colon + 1)));
    return true;
  }
}

/** Triples with ids as this page writes them. */
function own(triples: Triple[]): Triple[] {
  return triples.map(([id, property, value]) => [ownText(id), property, value]);
}
