// GENERATED from dash_devices/protocol.py by tools/generate_protocol.py. Do not edit; run make renderer.

export const VERSION = 1;
export const PATH = "_dash-devices/socket";
export const SEQ_HEADER = "x-dash-devices-seq";
export const TAB_HEADER = "x-dash-devices-tab";
export const MAX_DEPTH = 64;
export const MAX_NODES = 100000;
export const MAX_MESSAGE = 25165824;
export const MAX_CHANGE = 262144;
export const MAX_NAME = 64;
export const MAX_UNACKED = 256;
export const MAX_BATCHES = 8;
export const PING_SECONDS = 5;
export const CHECK_EVERY = 6;
export const DEAD_SECONDS = 9;

/** Close codes that this package sends or understands; `PROTOCOL.md` says what a page does with each. */
export const CLOSE = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  UNSUPPORTED: 1003,
  INVALID: 1007,
  POLICY: 1008,
  TOO_BIG: 1009,
  INTERNAL: 1011,
  RESTART: 1012,
  BAD_MESSAGE: 4400,
  UNAUTHENTICATED: 4401,
  FORBIDDEN: 4403,
  HELLO_TIMEOUT: 4408,
  REPLACED: 4409,
  VERSION: 4426,
  TOO_FAST: 4429,
} as const;

/** Codes of a refused change. */
export const NACK = {
  BUSY: "busy",
  NOT_FOUND: "not_found",
  TOO_BIG: "too_big",
  TOO_COMPLEX: "too_complex",
  BAD_VALUE: "bad_value",
  TOO_OLD: "too_old",
  STORAGE: "storage",
  OUTDATED: "outdated",
  UNCONFIRMED: "unconfirmed",
} as const;

/** `[id, property, value]` */
export type Triple = [string, string, any];

/** `[id, property, value]`, or with its own seq */
export type Mod = [string, string, any, number?];

/** The first message of a socket. `at` is the page's clock in milliseconds, `n` the number of its last change. */
export interface Hello {
  type: "hello";
  version: number;
  page: string;
  build: string;
  tab?: string | null;
  token?: string | null;
  epoch?: string | null;
  seq?: number | null;
  at?: number | null;
  n?: number | null;
}

/** Watched properties got new values in a page. `at` is the page's clock in milliseconds.

`base`: the component changed by itself, in a page that stood at this seq. */
export interface Change {
  type: "change";
  n: number;
  values: Triple[];
  state: Triple[];
  at: number;
  base?: number | null;
}

/** Watched properties appeared in a page with these values, as part of mounting. `state` is as in `Change`. */
export interface Mount {
  type: "mount";
  values: Triple[];
  state?: Triple[] | null;
}

/** An HTTP exchange of Dash's renderer that travels over the socket. */
export interface Request {
  type: "request";
  ref: number;
  route: string;
  query: string;
  body: any;
}

/** The answer to an `Ask`: `{property: value}`. */
export interface Answer {
  type: "answer";
  ref: number;
  values: Record<string, any>;
}

/** The answer to a `Ping`. `seq` is the newest one applied, `at` the page's clock in milliseconds.

`hash`, when the ping has `check`: what the page holds, as the sum of the CRC-32 of each `id.property:seq`. */
export interface Pong {
  type: "pong";
  seq: number;
  at: number;
  hash?: number | null;
}

/** Everything up to `seq` was applied. */
export interface Applied {
  type: "applied";
  seq: number;
}

/** One watched property, or pattern of them, with the State that travels with its changes. */
export interface Watch {
  id: string;
  property: string;
  state: [string, string][];
}

/** What the page has to keep to. */
export interface Limits {
  unacked: number;
  change_bytes: number;
  message_bytes: number;
  batches: number;
}

/** The answer to a `Hello`. `shared`: the ids, or patterns of them, of components that show shared state.

`kept`: the epoch is new, but `handled` still counts. `rerun`: milliseconds in which a page of another epoch
repeats its initial calls; 0: it does not. */
export interface Welcome {
  type: "welcome";
  version: number;
  epoch: string;
  seq: number;
  mode: string;
  build: string;
  tab: string;
  token: string;
  handled: number;
  kept: boolean;
  rerun: number;
  watch: Watch[];
  shared: string[];
  limits: Limits;
}

/** Replaces the page's list of watched properties. */
export interface WatchList {
  type: "watch";
  watch: Watch[];
}

/** New values, applied in one synchronous task; then the events. The page stands at `seq` afterwards.

`gone`: components of which the server has forgotten all values; it comes before the mods. */
export interface Mods {
  type: "mods";
  seq: number;
  mods: Mod[];
  events: Triple[];
  lost: number;
  gone?: string[] | null;
}

/** Values for one page alone. */
export interface Props {
  type: "props";
  props: Triple[];
}

/** Change `n` was stored, at `seq`. There is one for each change. */
export interface Ack {
  type: "ack";
  n: number;
  seq: number;
}

/** Change `n` was refused; `values` are the server's own. */
export interface Refusal {
  type: "nack";
  n: number;
  seq: number;
  code: string;
  message: string;
  values: Triple[];
}

/** The answer to a `Request`. */
export interface Reply {
  type: "reply";
  ref: number;
  status: number;
  headers: Record<string, string>;
  body: any;
}

/** What are these properties in your page now? */
export interface Ask {
  type: "ask";
  ref: number;
  id: string;
  properties: string[];
}

/** Something the author of the app should see. `detail` is its traceback. Sent in debug mode only. */
export interface Error {
  type: "error";
  message: string;
  detail: string;
}

/** Something that everybody who looks at the page should know, shown with the mark; empty: no more. */
export interface Notice {
  type: "notice";
  message: string;
}

/** Heartbeat. `at` is the server's clock in milliseconds; `check`: the answer is to have the hash. */
export interface Ping {
  type: "ping";
  at: number;
  check: boolean;
}

export type FromPage = Hello | Change | Mount | Request | Answer | Pong | Applied;
export type FromServer = Welcome | WatchList | Mods | Props | Ack | Refusal | Reply | Ask | Error | Notice | Ping;
