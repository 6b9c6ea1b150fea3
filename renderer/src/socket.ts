// The line: one WebSocket at a time, opened again for ever unless the server said not to.
import { CLOSE } from "./protocol";

/** What the socket reports. */
export interface Line {
  open(): void;
  receive(text: string): void;
  /** The line is lost; `reason` says why in words when there is more to say than "lost". `final`: it stays so. */
  down(reason: string, final: boolean): void;
  /** The server speaks another version. */
  outdated(): void;
}

const FIRST_DELAY = 250; // ms; doubles with each failure
const LAST_DELAY = 8_000;
const CONNECT_LIMIT = 10_000; // ms: a line that does not open in that time never will
const PATIENT_DELAY = 5_000; // ms, after the server complained about us
const SILENCES = 3; // so many usual heartbeats without a word: the line is dead, whatever the browser thinks
const SHORTEST_SILENCE = 10_000; // ms

const REASONS = new Map<number, string>([
  [CLOSE.UNSUPPORTED, "The server could not read a message"],
  [CLOSE.INVALID, "The server could not read a message"],
  [CLOSE.TOO_BIG, "A message was too big for the server"],
  [CLOSE.BAD_MESSAGE, "The server refused a message"],
  [CLOSE.UNAUTHENTICATED, "Please log in and load this page again"],
  [CLOSE.FORBIDDEN, "This page may not connect to the server"],
  [CLOSE.REPLACED, "This page was opened again elsewhere"],
  [CLOSE.TOO_FAST, "Too many changes at once"],
]);
const FINAL: number[] = [CLOSE.UNAUTHENTICATED, CLOSE.FORBIDDEN, CLOSE.REPLACED];
const PATIENT: number[] = [CLOSE.BAD_MESSAGE, CLOSE.TOO_FAST];

export class Socket {
  private socket_: WebSocket | undefined;
  private timer_: ReturnType<typeof setTimeout> | undefined;
  private failures_ = 0;
  private wanted_ = false;
  private heard_ = 0;
  private pinged_ = 0;
  private silence_ = Infinity;

  constructor(private url_: () => string, private line_: Line) {}

  /** Open the line, and open it again whenever it is lost. */
  start(): void {
    this.wanted_ = true;
    for (const name of ["online", "pageshow"]) window.addEventListener(name, () => this.wake_());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake_());
    window.addEventListener("pagehide", (event) => event.persisted && this.drop_(CLOSE.NORMAL));
    this.connect_();
  }

  /** Close the line and open it again: the other end has to hear where we stand now. */
  restart(): void {
    this.drop_(CLOSE.NORMAL);
    this.connect_();
  }

  /** Send one frame. Silently dropped while the line is down: the session sends it again. */
  send(frame: string): void {
    if (this.socket_?.readyState === WebSocket.OPEN) this.socket_.send(frame);
  }

  /** A heartbeat came: learn how often they do. */
  beat(): void {
    const now = Date.now();
    if (this.pinged_) this.silence_ = Math.max(SHORTEST_SILENCE, SILENCES * (now - this.pinged_));
    this.pinged_ = now;
  }

  private connect_(): void {
    clearTimeout(this.timer_);
    const socket = (this.socket_ = new WebSocket(this.url_()));
    // A late event of an old socket must not touch the new one.
    const current = (handle: (event: any) => void) => (event: any) => this.socket_ === socket && handle(event);
    socket.onopen = current(() => this.opened_());
    socket.onmessage = current((event) => this.heardFrom_(event.data));
    socket.onclose = current((event) => this.closed_(event.code));
    this.timer_ = setTimeout(() => {
      this.drop_(CLOSE.NORMAL);
      this.retry_(0);
    }, CONNECT_LIMIT);
  }

  private opened_(): void {
    this.heard_ = Date.now();
    this.pinged_ = 0;
    clearTimeout(this.timer_);
    this.watch_();
    this.line_.open();
  }

  private heardFrom_(data: unknown): void {
    this.heard_ = Date.now();
    this.failures_ = 0;
    if (typeof data === "string") this.line_.receive(data);
  }

  private closed_(code: number): void {
    this.socket_ = undefined;
    clearTimeout(this.timer_);
    if (code === CLOSE.VERSION) return this.line_.outdated();
    this.wanted_ = !FINAL.includes(code);
    this.line_.down(REASONS.get(code) ?? "", !this.wanted_);
    if (this.wanted_) this.retry_(PATIENT.includes(code) ? PATIENT_DELAY : 0);
  }

  /** Full jitter: a thousand pages must not come back in the same instant. */
  private retry_(least: number): void {
    const span = Math.min(LAST_DELAY, FIRST_DELAY * 2 ** this.failures_++);
    this.timer_ = setTimeout(() => document.hidden || this.connect_(), least + Math.random() * span);
  }

  private wake_(): void {
    if (!this.wanted_) return;
    if (!this.socket_) this.connect_();
    else if (this.isSilent_()) this.restart();
  }

  private isSilent_(): boolean {
    return this.socket_?.readyState === WebSocket.OPEN && Date.now() - this.heard_ > this.silence_;
  }

  /** A line that died without a word is noticed by the heartbeats that do not come. */
  private watch_(): void {
    this.timer_ = setTimeout(() => (this.isSilent_() ? this.restart() : this.watch_()), SHORTEST_SILENCE);
  }

  private drop_(code: number): void {
    const socket = this.socket_;
    this.socket_ = undefined;
    clearTimeout(this.timer_);
    if (!socket) return;
    socket.close(code);
    this.line_.down("", false);
  }
}
