// What the page and the server owe each other: numbers, places, what is not acknowledged. No I/O, no clock, no Dash.
import { keyOf } from "./ids";
import { type Ack, type Change, type Hello, type Limits, MAX_CHANGE, MAX_UNACKED, type Mods, type Refusal } from "./protocol";
import { type Triple, VERSION, type Welcome } from "./protocol";
import { isPatch } from "./values";

interface Pending {
  n: number;
  values: Triple[];
  frame: string;
}
interface Aside {
  seq: number;
  triple: Triple;
}
/** A property with changes that are not acknowledged, and the mods that wait for that. */
interface Held {
  changes: number;
  aside: Aside[];
}

/** What a welcome asks of the page. */
export interface Resumed {
  /** Frames to send again, in order. */
  frames: string[];
  /** Values that the server never confirmed and that will not be sent again. */
  unconfirmed: Triple[];
}

export class Session {
  tab: string | undefined;
  token: string | undefined;
  epoch: string | undefined;
  seq: number | undefined;
  private n_ = 0;
  private pending_: Pending[] = [];
  private sent_ = 0;
  private held_ = new Map<string, Held>();
  private limits_: Limits = { unacked: MAX_UNACKED, change_bytes: MAX_CHANGE };
  private live_ = false;
  private catchingUp_ = false;

  constructor(private page_: string, private build_: string) {}

  /** Changes without an ack. */
  get unacked(): number {
    return this.pending_.length;
  }

  /** The first message of a socket. */
  hello(): Hello {
    const { tab, token, epoch, seq } = this;
    return { type: "hello", version: VERSION, page: this.page_, build: this.build_, tab, token, epoch, seq };
  }

  /** The server answered. Another epoch, or fewer numbers than it acknowledged: it forgot what we sent. */
  welcome(message: Welcome): Resumed {
    const reborn = this.epoch !== undefined && this.epoch !== message.epoch;
    const forgotten = reborn || message.handled < this.n_ - this.pending_.length;
    const unconfirmed = forgotten ? this.forget_(message.handled) : [];
    Object.assign(this, { tab: message.tab, token: message.token });
    // The place is not the welcome's: a fresh page has none until its layout, another one gets there by its mods.
    if (reborn) this.place(message.epoch, 0);
    this.limits_ = message.limits;
    this.live_ = true;
    this.catchingUp_ = message.mode === "snapshot" || (this.seq !== undefined && message.seq > this.seq);
    const handled = this.pending_.findIndex(({ n }) => n > message.handled);
    this.sent_ = handled < 0 ? this.pending_.length : handled;
    return { frames: this.send_(), unconfirmed };
  }

  /** The socket is gone: what is written from now on waits for the next welcome. */
  down(): void {
    this.live_ = false;
  }

  /** The place in the order where the layout of this page stands. */
  place(epoch: string, seq: number): void {
    this.epoch = epoch;
    this.seq = seq;
  }

  /** A change of this page. Returns the frames to send now: none while the line is down or the limit is reached. */
  change(values: Triple[], state: Triple[], at: number): string[] {
    const message: Change = { type: "change", n: this.n_ + 1, values, state, at };
    const frame = JSON.stringify(message);
    this.pending_.push({ n: ++this.n_, values, frame });
    for (const [id, property] of values) this.hold_(keyOf(id, property));
    return this.send_();
  }

  /** What to write now of a message of mods; the rest waits for acks. `differing`: only what differs from the page. */
  mods(message: Mods): { write: Triple[]; differing: boolean } {
    const differing = this.catchingUp_;
    this.catchingUp_ = false;
    this.seq = message.seq;
    return { write: message.mods.filter((triple) => !this.setAside_(message.seq, triple)), differing };
  }

  /** Changes up to `n` were stored. Returns mods that waited for it, and frames that may go now. */
  ack({ n, seq }: Ack): { write: Triple[]; frames: string[] } {
    return { write: this.settle_(n, seq), frames: this.send_() };
  }

  /** Change `n` was refused. Returns the values to show instead, and frames that may go now. */
  nack({ n, seq, values }: Refusal): { write: Triple[]; frames: string[] } {
    const newer = values.filter((triple) => (this.held_.get(keyOf(triple[0], triple[1]))?.changes ?? 0) <= this.count_(n, triple));
    const write = [...newer, ...this.settle_(n, seq)];
    return { write, frames: this.send_() };
  }

  private hold_(key: string): void {
    const held = this.held_.get(key);
    if (held) held.changes++;
    else this.held_.set(key, { changes: 1, aside: [] });
  }

  private setAside_(seq: number, triple: Triple): boolean {
    const held = this.held_.get(keyOf(triple[0], triple[1]));
    if (!held) return false;
    // A whole value makes the ones before it needless; a patch builds on them.
    held.aside = isPatch(triple[2]) ? [...held.aside, { seq, triple }] : [{ seq, triple }];
    return true;
  }

  private count_(n: number, [id, property]: Triple): number {
    const mine = this.pending_.filter((change) => change.n <= n);
    return mine.reduce((sum, { values }) => sum + values.filter((v) => v[0] === id && v[1] === property).length, 0);
  }

  private settle_(n: number, seq: number): Triple[] {
    const write: Triple[] = [];
    while (this.pending_.length && this.pending_[0]!.n <= n) {
      this.sent_ = Math.max(0, this.sent_ - 1);
      for (const [id, property] of this.pending_.shift()!.values) write.push(...this.release_(keyOf(id, property), seq));
    }
    return write;
  }

  private release_(key: string, seq: number): Triple[] {
    const held = this.held_.get(key);
    if (!held || --held.changes > 0) return [];
    this.held_.delete(key);
    return held.aside.filter((aside) => aside.seq > seq).map(({ triple }) => triple);
  }

  private send_(): string[] {
    if (!this.live_) return [];
    const from = this.sent_;
    this.sent_ = Math.max(from, Math.min(this.pending_.length, this.limits_.unacked));
    return this.pending_.slice(from, this.sent_).map(({ frame }) => frame);
  }

  private forget_(handled: number): Triple[] {
    const unconfirmed = this.pending_.flatMap(({ values }) => values);
    this.n_ = handled;
    this.sent_ = 0;
    this.pending_ = [];
    this.held_.clear();
    return unconfirmed;
  }
}
