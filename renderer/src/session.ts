// What the page and the server owe each other: numbers, places, what is not acknowledged. No I/O, no clock, no Dash.
import { idOf, keyOf, ownText } from "./ids";
import { type Ack, type Hello, MAX_CHANGE, MAX_MESSAGE, type Mod, type Mods, type Pong, type Refusal, type Triple, VERSION, type Welcome } from "./protocol";
import type { Carried } from "./requests";
import { bytes, crc32, exceeds, isPatch, stringify } from "./values";

/** Who this tab is, and where in the order of the server it stands. */
export interface Place {
  tab?: string | undefined;
  token?: string | undefined;
  epoch?: string | undefined;
  seq?: number | undefined;
}
/** A change without an ack. */
interface Pending {
  n: number;
  triples: Triple[];
  at: number;
  /** The message without its base. */
  text: string;
  /** Of what a component changed by itself: the seq at which the page stood. */
  base: number | undefined;
}
/** A property with changes that are not acknowledged, and the mods that wait for that. */
interface Held {
  count: number;
  aside: [seq: number, triple: Triple][];
}

export type Session = ReturnType<typeof createSession>;

/** The bookkeeping of one page load. `refused`: called with the values of a change that is given up before it is sent (again). */
export function createSession(page: string, build: string, identity: Place, refused: (triples: Triple[], reason?: string) => void = () => {}) {
  const place: Place = { ...identity };
  const held = new Map<string, Held>();
  const versions = new Map<string, number>(); // the newest seq that is known of each property
  const spelled = new Map<string, string>(); // ids that the server spells otherwise than this page
  let base = 0; // versions up to this one do not count: the layout had them
  let batches = 0; // messages with mods since the server last heard how far we are
  let half = 0; // after so many of them it has to hear
  let pending: Pending[] = [];
  let last = 0; // number of the last change
  let sent = 0; // changes of `pending` that this line has carried
  let limit = 0; // 0: the line is down, or has not said hello
  let catchingUp = false;
  let changeBytes = MAX_CHANGE;
  let messageBytes = MAX_MESSAGE;
  let unknown: Triple[] = []; // properties of which the server's own value has to be asked for
  let mounts: Triple[] = []; // values of a mount message that waits behind changes
  let mountState: Triple[] = [];

  const frameOf = ({ text, base }: Pending): string => (base === undefined ? text : `${text.slice(0, -1)},"base":${base}}`);

  /** State that is too much for one message stays here: the server takes what it has itself. */
  function mountFrame(): string {
    const state = stringify(mountState.splice(0));
    return `{"type":"mount","values":${stringify(mounts.splice(0))}${bytes(state) > changeBytes ? "" : `,"state":${state}`}}`;
  }

  /** A change goes no further: an empty one takes its number, and the server's values take its place. */
  function giveUp(change: Pending, reason?: string): void {
    const { n, at, triples } = change;
    Object.assign(change, { triples: [], base: undefined, text: stringify({ type: "change", n, values: [], state: [], at }) });
    triples.forEach((triple) => release(triple, 0, false));
    unknown.push(...triples.map(([id, property]): Triple => [id, property, null]));
    refused(triples, reason);
  }

  function due(): string[] {
    const from = sent;
    sent = Math.max(from, Math.min(pending.length, limit));
    const carried = pending.slice(from, sent);
    carried.forEach((change) => exceeds(change.text, messageBytes) && giveUp(change));
    const frames = carried.map(frameOf);
    if (limit) mounts.push(...unknown.splice(0)); // a mounted null is never adopted: the answer is what the server has
    if (mounts.length && sent === pending.length) frames.push(mountFrame());
    return frames;
  }

  function begin(epoch: string, seq: number): void {
    Object.assign(place, { epoch, seq });
    base = seq;
    versions.clear();
  }

  /** The server forgot what we sent. What it never confirmed is not sent again. */
  function forget(handled: number): Triple[] {
    const lost = pending.flatMap(({ triples }) => triples);
    pending = [];
    last = handled;
    held.clear();
    return lost;
  }

  function release([id, property]: Triple, seq: number, isStored: boolean): Triple[] {
    const key = keyOf(id, property);
    if (isStored) versions.set(key, Math.max(seq, versions.get(key) ?? 0));
    const waiting = held.get(key);
    if (!waiting || --waiting.count) return [];
    held.delete(key);
    return waiting.aside.filter(([asideSeq]) => asideSeq > seq).map(([, triple]) => triple);
  }

  function settle(n: number, seq: number, isStored: boolean): Triple[] {
    const done = pending.filter((change) => change.n <= n);
    pending = pending.slice(done.length);
    sent = Math.max(0, sent - done.length);
    return done.flatMap(({ triples }) => triples.flatMap((triple) => release(triple, seq, isStored)));
  }

  function isHeld(seq: number, triple: Mod): boolean {
    const waiting = held.size && held.get(keyOf(triple[0], triple[1]));
    // A whole value makes the ones before it needless; a patch builds on them.
    if (waiting) waiting.aside = [...(isPatch(triple[2]) ? waiting.aside : []), [triple[3] ?? seq, triple as Triple]];
    return !!waiting;
  }

  /** A number that the server can tell too, from what it sent: of the properties that have a seq, in its spelling. */
  function hash(): number {
    let sum = 0;
    versions.forEach((seq, key) => {
      const id = idOf(key);
      if (seq > base) sum += crc32(`${spelled.get(id) ?? id}${key.slice(id.length)}:${seq}`);
    });
    return sum >>> 0;
  }

  return {
    place,
    begin,

    /** May this text be one message? */
    mayCarry: (text: string): boolean => !exceeds(text, messageBytes),

    /** Changes that this line has carried, and that have no answer. */
    carried: (): Carried[] =>
      pending.slice(0, sent).map((change) => ({ name: `change ${change.n}:`, size: change.text.length, giveUp: (reason) => giveUp(change, reason) })),

    /** How many changes have no ack. */
    backlog: (): number => pending.length,

    /** Components with changes that have no ack and were made up to a time of this page's clock. */
    owed: (until: number): string[] =>
      pending.flatMap(({ at, triples }) => (at > until ? [] : triples.map(([id]) => id))),

    /** Components that the server has sent or acknowledged something of. */
    ids: (): string[] => [...versions.keys()].map(idOf),

    /** How this page writes an id that the server wrote. */
    adopt(text: string): string {
      const own = ownText(text);
      if (own !== text) spelled.set(own, text);
      return own;
    },

    /** Mods have arrived, even if they cannot be written yet. */
    arrived: ({ seq, mods }: Mods): void =>
      mods.forEach(([id, property, , own]) => versions.set(keyOf(id, property), own ?? seq)),

    /** The server has forgotten all values of these components: they do not count any more. */
    drop(ids: Set<string>): void {
      ids.forEach((id) => spelled.delete(id));
      [...versions.keys()].forEach((key) => ids.has(idOf(key)) && versions.delete(key));
    },

    /** The first message of a line. */
    hello: (at: number): Hello => ({ type: "hello", version: VERSION, page, build, ...place, at, n: last }),

    /** The answer to a heartbeat. */
    pong(at: number, check: boolean): Pong {
      batches = 0;
      return { type: "pong", seq: place.seq ?? 0, at, ...(check && { hash: hash() }) };
    },

    /** The server answered. Returns frames to send (again), and the values of changes that it forgot. */
    resumed({ epoch, mode, handled, kept, tab, token, limits }: Welcome): { frames: string[]; unconfirmed: Triple[] } {
      const isReborn = mode === "snapshot";
      // What an earlier life wrote down counts; not every answer has to be there.
      const isForgotten = !kept && (isReborn || handled < last - pending.length);
      const unconfirmed = isForgotten ? forget(handled) : [];
      // The place is not the welcome's: a fresh page has none until its layout, another one gets there by its mods.
      Object.assign(place, { tab, token });
      if (isReborn) begin(epoch, 0);
      if (kept) {
        held.forEach((waiting) => (waiting.aside = []));
        settle(handled, 0, false);
        // A seq of an earlier life says nothing in this one.
        pending.forEach((change) => change.base && (change.base = 0));
      }
      catchingUp = true;
      limit = limits.unacked;
      changeBytes = limits.change_bytes;
      messageBytes = limits.message_bytes;
      half = limits.batches / 2;
      batches = 0;
      sent = pending.filter(({ n }) => n <= handled).length;
      return { frames: due(), unconfirmed };
    },

    /** The line is down: what is changed from now on waits for the next welcome. */
    interrupted(): void {
      limit = sent = 0;
      mounts = [];
      mountState = [];
    },

    /** All of a frame was handled. What a page has missed comes in one frame with the welcome: the next one is news. */
    caughtUp(): boolean {
      const wasCatchingUp = catchingUp;
      catchingUp = false;
      return wasCatchingUp;
    },

    /** May these values be one change? */
    fits: (values: Triple[]): boolean => bytes(stringify(values)) <= changeBytes,

    /** Values that nobody chose. They go behind the changes; while the line is down they are dropped: tell them again. */
    mount(values: Triple[], state: Triple[]): string[] {
      if (limit) {
        mounts.push(...values);
        mountState.push(...state);
      }
      return due();
    },

    /**
     * A change of this page. Returns the frames to send now: none while the line is down or full. `isOwn`: a component changed
     * by itself, so it must not undo what is newer than what this page has seen.
     */
    change(values: Triple[], state: Triple[], at: number, isOwn = false): string[] {
      const n = last + 1;
      const text = stringify({ type: "change", n, values, state, at });
      pending.push({ n, triples: values, at, text, base: isOwn ? (place.seq ?? 0) : undefined });
      last = n;
      for (const [id, property] of values) {
        const key = keyOf(id, property);
        const entry = held.get(key) ?? { count: 0, aside: [] };
        entry.count++;
        held.set(key, entry);
      }
      return due();
    },

    /**
     * What to write now of a message of mods; the rest waits for acks. `differing`: only what differs from the page.
     * `isDue`: once it is written, the server is to hear of it.
     */
    take({ seq, mods }: Mods): { write: Triple[]; differing: boolean; isDue: boolean } {
      place.seq = seq;
      const isDue = mods.length > 0 && ++batches >= half;
      if (isDue) batches = 0;
      return { write: mods.filter((triple) => !isHeld(seq, triple)) as Triple[], differing: catchingUp, isDue };
    },

    /** Changes up to `n` were stored, or `n` was refused. Returns values to show, what of ours was refused, and frames that may go now. */
    settled({ n, seq }: Ack | Refusal, values?: Triple[]): { write: Triple[]; refused: Triple[]; frames: string[] } {
      // After a resume all answers come again: those that are known say nothing new.
      const own = pending.find((change) => change.n === n)?.triples;
      const released = settle(n, seq, !values);
      // The server's value instead of a refused one, unless there is a newer change of ours. Large ones come with the mods.
      const unheld = (triples?: Triple[]) => (own && triples ? triples.filter(([id, property]) => !held.has(keyOf(id, property))) : []);
      return { write: [...unheld(values), ...released], refused: unheld(values && own), frames: due() };
    },
  };
}
