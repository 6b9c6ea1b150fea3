// What a page holds, and what it tells the server of it: hashes and what it has applied.
import { expect, test } from "vitest";
import type { Mod, Mods, Welcome } from "../src/protocol";
import { createSession } from "../src/session";

const WELCOME: Welcome = {
  type: "welcome", version: 1, epoch: "e1", seq: 4, mode: "fresh", build: "b", tab: "t", token: "s",
  handled: 0, kept: false, rerun: 0, watch: [], shared: [], limits: { unacked: 256, change_bytes: 1000, message_bytes: 10_000, batches: 8 },
};
const mods = (seq: number, ...triples: Mod[]): Mods => ({ type: "mods", seq, mods: triples, events: [], lost: 0 });

function joined() {
  const session = createSession("p1", "b", {});
  session.resumed(WELCOME);
  session.begin("e1", 4);
  return session;
}
type Session = ReturnType<typeof joined>;
function receive(session: Session, message: Mods) {
  message.mods.forEach((mod) => (mod[0] = session.adopt(mod[0])));
  session.arrived(message);
  return session.take(message);
}
const hash = (session: Session) => session.pong(0, true).hash;
const change = (session: Session, value: unknown) => session.change([["power", "value", value]], [], 100);

// From Python: sum(zlib.crc32(text.encode()) for text in texts) % 2**32
const POWER_5 = 1275935377;
const POWER_6 = 3573836587;
const POWER_7 = 2718129085;
const FLOAT_5 = 43972803;
const BOTH = 3120695231;

test("a page that was sent nothing yet holds nothing", () => {
  expect(hash(joined())).toBe(0);
});

test("the hash is over all properties, in UTF-8", () => {
  const session = joined();
  receive(session, mods(5, ["power", "value", 1]));
  expect(hash(session)).toBe(POWER_5);
  receive(session, mods(6, ["é☕", "children", 1]));
  expect(hash(session)).toBe(BOTH);
});

test("a mod may have a seq of its own", () => {
  const session = joined();
  receive(session, mods(9, ["power", "value", 1, 5]));
  expect(hash(session)).toBe(POWER_5);
});

test("an ack is a seq too, a refusal is none", () => {
  const session = joined();
  change(session, 1);
  session.settled({ type: "ack", n: 1, seq: 5 });
  expect(hash(session)).toBe(POWER_5);
  change(session, 2);
  session.settled({ type: "nack", n: 2, seq: 6, code: "busy", message: "", values: [] }, [["power", "value", 1]]);
  expect(hash(session)).toBe(POWER_5);
});

test("a mod that is held back is held from its arrival on", () => {
  const session = joined();
  change(session, 1);
  expect(receive(session, mods(7, ["power", "value", 2])).write).toEqual([]);
  expect(hash(session)).toBe(POWER_7);
  session.settled({ type: "ack", n: 1, seq: 6 });
  expect(hash(session)).toBe(POWER_7);
});

test("what arrived and cannot be written yet counts", () => {
  const session = joined();
  session.arrived(mods(5, ["power", "value", 1]));
  expect([hash(session), session.pong(0, false).seq]).toEqual([POWER_5, 4]);
});

test("an id is hashed as the server spells it", () => {
  const session = joined();
  receive(session, mods(5, ['{"i":1.0}', "value", 1]));
  expect(hash(session)).toBe(FLOAT_5);
});

test("what the layout had does not count, also when it comes again", () => {
  const session = joined();
  receive(session, mods(6, ["greeting", "children", 1, 3], ["power", "value", 1]));
  expect(hash(session)).toBe(POWER_6);
  session.begin("e1", 6);
  expect(hash(session)).toBe(0);
});

test("after a snapshot all counts, and nothing from before", () => {
  const session = joined();
  receive(session, mods(7, ["other", "value", 1]));
  session.resumed({ ...WELCOME, epoch: "e2", mode: "snapshot", seq: 5 });
  receive(session, mods(5, ["power", "value", 1]));
  expect(hash(session)).toBe(POWER_5);
});

test("after a delta what was held counts still", () => {
  const session = joined();
  receive(session, mods(5, ["power", "value", 1]));
  session.interrupted();
  session.resumed({ ...WELCOME, mode: "delta", seq: 5 });
  expect(hash(session)).toBe(POWER_5);
});

test("a pong has a hash only where one is asked for", () => {
  const session = joined();
  receive(session, mods(5, ["power", "value", 1]));
  expect(session.pong(70, false)).toEqual({ type: "pong", seq: 5, at: 70 });
});

test("a held value with a seq of its own is compared by that", () => {
  const session = joined();
  change(session, 2);
  receive(session, mods(8, ["power", "value", 1, 5]));
  expect(session.settled({ type: "ack", n: 1, seq: 6 }).write).toEqual([]);
});

const due = (session: Session, count: number) =>
  Array.from({ length: count }, (_, i) => receive(session, mods(10 + i, ["power", "value", i])).isDue);

test("each fourth batch is told", () => {
  expect(due(joined(), 9)).toEqual([false, false, false, true, false, false, false, true, false]);
});

test("a pong and a new line begin the count again; events are no batch", () => {
  const session = joined();
  due(session, 3);
  session.pong(0, false);
  expect(due(session, 3)).toEqual([false, false, false]);
  session.resumed({ ...WELCOME, mode: "delta" });
  expect(due(session, 3)).toEqual([false, false, false]);
  expect(receive(session, { ...mods(20), events: [["graph", "extendData", 1]] }).isDue).toBe(false);
  expect(due(session, 1)).toEqual([true]);
});

test("what is owed can be asked by age", () => {
  const session = joined();
  change(session, 1);
  session.change([["other", "value", 1]], [], 200);
  expect([session.owed(99), session.owed(100), session.owed(Infinity)]).toEqual([[], ["power"], ["power", "other"]]);
  session.settled({ type: "ack", n: 1, seq: 5 });
  expect(session.owed(Infinity)).toEqual(["other"]);
});
