import { expect, test, vi } from "vitest";
import type { Mod, Mods, Triple, Welcome } from "../src/protocol";
import { createSession } from "../src/session";

const WELCOME: Welcome = {
  type: "welcome", version: 1, epoch: "e1", seq: 4, mode: "fresh", build: "b", tab: "t", token: "s",
  handled: 0, kept: false, rerun: 0, watch: [], shared: [], limits: { unacked: 3, change_bytes: 1000, message_bytes: 10_000, batches: 8 },
};
const mods = (seq: number, ...triples: Mod[]): Mods => ({ type: "mods", seq, mods: triples, events: [], lost: 0 });
const ack = (n: number, seq: number) => ({ type: "ack", n, seq }) as const;
const patch = { __dash_patch_update: "", operations: [] };

function joined() {
  const session = createSession("p1", "b", {});
  session.resumed(WELCOME);
  session.begin("e1", 4);
  return session;
}
const change = (session: ReturnType<typeof joined>, value: unknown, id = "power") => session.change([[id, "value", value]], [], 0);
const numbers = (frames: string[]) => frames.map((frame) => JSON.parse(frame).n);

test("the first hello knows neither tab nor place", () => {
  const hello = JSON.parse(JSON.stringify(createSession("p1", "b7", {}).hello(7)));
  expect(hello).toEqual({ type: "hello", version: 1, n: 0, page: "p1", build: "b7", at: 7 });
});

test("a later hello says who the tab is and where it stands", () => {
  expect(joined().hello(7)).toMatchObject({ tab: "t", token: "s", epoch: "e1", seq: 4 });
});

test("changes are numbered from 1 and go at once", () => {
  const session = joined();
  expect([...numbers(change(session, 1)), ...numbers(change(session, 2))]).toEqual([1, 2]);
  expect(session.backlog()).toBe(2);
});

test("past the limit changes wait for acks, in order", () => {
  const session = joined();
  const sent = [1, 2, 3, 4, 5].flatMap((value) => numbers(change(session, value)));
  expect(sent).toEqual([1, 2, 3]);
  expect(numbers(session.settled(ack(1, 5)).frames)).toEqual([4]);
  expect(numbers(session.settled(ack(2, 6)).frames)).toEqual([5]);
});

test("crossing: an older mod is dropped at the ack", () => {
  const session = joined();
  change(session, 60);
  expect(session.take(mods(5, ["power", "value", 50])).write).toEqual([]);
  expect(session.settled(ack(1, 6)).write).toEqual([]);
});

test("crossing: a newer mod is written at the ack", () => {
  const session = joined();
  change(session, 50);
  session.take(mods(6, ["power", "value", 60]));
  expect(session.settled(ack(1, 5)).write).toEqual([["power", "value", 60]]);
});

test("mods are held back until the last change of the property has its ack", () => {
  const session = joined();
  change(session, 1);
  change(session, 2);
  session.take(mods(6, ["power", "value", 60]));
  expect(session.settled(ack(1, 5)).write).toEqual([]);
  expect(session.settled(ack(2, 7)).write).toEqual([]);
});

test("mods of other properties are not held back", () => {
  const session = joined();
  change(session, 1);
  expect(session.take(mods(5, ["power", "max", 9], ["other", "value", 9])).write).toHaveLength(2);
});

test("a patch held back is kept on top of the value before it", () => {
  const session = joined();
  change(session, 1);
  session.take(mods(6, ["power", "value", [1]]));
  session.take(mods(7, ["power", "value", patch]));
  expect(session.settled(ack(1, 5)).write.map(([, , value]) => value)).toEqual([[1], patch]);
});

test("an ack covers all changes before it", () => {
  const session = joined();
  change(session, 1);
  change(session, 2, "other");
  session.settled(ack(2, 6));
  expect(session.backlog()).toBe(0);
});

test("a refused change shows the server's value", () => {
  const session = joined();
  change(session, 90);
  expect(session.settled(ack(1, 9), [["power", "value", 80]]).write).toEqual([["power", "value", 80]]);
});

test("a refused change leaves a newer one of the page alone", () => {
  const session = joined();
  change(session, 90);
  change(session, 91);
  expect(session.settled(ack(1, 9), [["power", "value", 80]]).write).toEqual([]);
});

test("a refused control is known as such also when its value comes with the mods", () => {
  const session = joined();
  change(session, 90);
  expect(session.settled(ack(1, 9), [])).toEqual({ write: [], refused: [["power", "value", 90]], frames: [] });
});

test("a refusal that comes again after a resume changes nothing", () => {
  const session = joined();
  change(session, 90);
  session.settled(ack(1, 9), [["power", "value", 80]]);
  expect(session.settled(ack(1, 9), [["power", "value", 80]])).toEqual({ write: [], refused: [], frames: [] });
});

test("after a lost line only what was not handled is sent again", () => {
  const session = joined();
  change(session, 1);
  change(session, 2);
  session.interrupted();
  expect(change(session, 3)).toEqual([]);
  const { frames, unconfirmed } = session.resumed({ ...WELCOME, mode: "delta", handled: 1 });
  expect(numbers(frames)).toEqual([2, 3]);
  expect(unconfirmed).toEqual([]);
  expect(session.backlog()).toBe(3); // the ack of the first one is still to come
});

test("after a new epoch nothing is sent again, and numbers start at 1", () => {
  const session = joined();
  change(session, 80);
  session.take(mods(6, ["power", "value", 70]));
  const { frames, unconfirmed } = session.resumed({ ...WELCOME, epoch: "e2", seq: 1, mode: "snapshot" });
  expect([frames, unconfirmed, session.backlog()]).toEqual([[], [["power", "value", 80]], 0]);
  expect(session.take(mods(1, ["power", "value", 40]))).toEqual({ write: [["power", "value", 40]], differing: true, isDue: false });
  expect(numbers(change(session, 5))).toEqual([1]);
});

test("a snapshot in the same epoch means starting over too", () => {
  const session = joined();
  change(session, 70);
  session.settled(ack(1, 5));
  change(session, 80);
  const { frames, unconfirmed } = session.resumed({ ...WELCOME, seq: 6, mode: "snapshot" });
  expect([frames, unconfirmed, session.backlog()]).toEqual([[], [["power", "value", 80]], 0]);
  expect(session.hello(7)).toMatchObject({ epoch: "e1", seq: 0 });
  expect(session.take(mods(6, ["power", "value", 40]))).toEqual({ write: [["power", "value", 40]], differing: true, isDue: false });
  expect(numbers(change(session, 5))).toEqual([1]);
});

test("a line lost before the snapshot came asks for all of it again", () => {
  const session = joined();
  session.resumed({ ...WELCOME, epoch: "e2", seq: 9, mode: "snapshot" });
  expect(session.hello(7)).toMatchObject({ epoch: "e2", seq: 0 });
});

test("a server that forgot this tab is not sent old numbers", () => {
  const session = joined();
  change(session, 1);
  session.settled(ack(1, 5));
  change(session, 2);
  session.interrupted();
  const { frames, unconfirmed } = session.resumed({ ...WELCOME, mode: "delta", handled: 0 });
  expect([frames, unconfirmed]).toEqual([[], [["power", "value", 2]]]);
  expect(numbers(change(session, 3))).toEqual([1]);
});

const KEPT: Welcome = { ...WELCOME, mode: "snapshot", epoch: "e2", seq: 2, kept: true };

test("an earlier life that kept its numbers: what it handled is settled, the rest is sent again, nothing is unconfirmed", () => {
  const session = joined();
  for (const value of [1, 2, 3, 4]) change(session, value);
  session.interrupted();
  const { frames, unconfirmed } = session.resumed({ ...KEPT, handled: 2 });
  expect([numbers(frames), unconfirmed, session.backlog()]).toEqual([[3, 4], [], 2]);
  expect(session.hello(0)).toMatchObject({ epoch: "e2", seq: 0, n: 4 });
  expect(numbers(change(session, 5))).toEqual([5]);
});

test("a number that was answered need not be known to the life after", () => {
  const session = joined();
  change(session, 1);
  session.settled(ack(1, 5));
  change(session, 2);
  session.interrupted();
  expect(numbers(session.resumed({ ...KEPT, handled: 0 }).frames)).toEqual([2]);
});

test("what was held back in an earlier life is not shown in this one", () => {
  const session = joined();
  change(session, 1);
  change(session, 2);
  session.take(mods(7, ["power", "value", "old"]));
  session.interrupted();
  session.resumed({ ...KEPT, handled: 1 });
  expect(session.settled(ack(2, 3)).write).toEqual([]);
  expect(session.take(mods(4, ["power", "value", 9])).write).toEqual([["power", "value", 9]]);
});

test("a change that was kept no longer holds back what comes", () => {
  const session = joined();
  change(session, 1);
  session.interrupted();
  session.resumed({ ...KEPT, handled: 1 });
  expect(session.take(mods(2, ["power", "value", 1])).write).toEqual([["power", "value", 1]]);
});

test("only what differs is written of the first mods after a resume, live ones always", () => {
  const session = joined();
  session.interrupted();
  session.resumed({ ...WELCOME, mode: "delta", seq: 8 });
  expect(session.take(mods(8)).differing).toBe(true);
  session.caughtUp();
  expect(session.take(mods(9)).differing).toBe(false);
});

test("a resume that brought nothing, as all that is newer is the page's own, leaves the next mods live", () => {
  const session = joined();
  session.resumed({ ...WELCOME, mode: "delta", seq: 8 });
  session.caughtUp();
  expect(session.take(mods(9)).differing).toBe(false);
});

test("a resume with nothing newer leaves the next mods live", () => {
  const session = joined();
  session.resumed({ ...WELCOME, mode: "delta", seq: 4 });
  session.caughtUp();
  expect(session.take(mods(5)).differing).toBe(false);
});

const mounts = (frames: string[]) => frames.map((frame) => JSON.parse(frame)).filter(({ type }) => type === "mount");

test("a mount goes at once when no change waits", () => {
  const session = joined();
  change(session, 1);
  expect(mounts(session.mount([["late", "value", 7]], []))).toEqual([{ type: "mount", values: [["late", "value", 7]], state: [] }]);
  expect(mounts(change(session, 2))).toEqual([]);
});

test("a mount carries the State of its task, unless that is too much for one message", () => {
  const session = joined();
  const triple: Triple[] = [["late", "value", 7]];
  expect(mounts(session.mount(triple, [["note", "value", "n"]]))).toEqual([
    { type: "mount", values: triple, state: [["note", "value", "n"]] },
  ]);
  expect(mounts(session.mount(triple, [["note", "value", "é".repeat(140_000)]]))).toEqual([{ type: "mount", values: triple }]);
});

test("what a component changed by itself says where the page stood", () => {
  const session = joined();
  session.take(mods(5));
  const own = (isOwn: boolean) => JSON.parse(session.change([["power", "value", 1]], [], 0, isOwn)[0]!);
  expect(own(true)).toEqual({ type: "change", n: 1, values: [["power", "value", 1]], state: [], at: 0, base: 5 });
  expect("base" in own(false)).toBe(false);
});

test("in another life of the server a base of the one before stands for nothing", () => {
  const session = joined();
  session.take(mods(5));
  session.change([["power", "value", 1]], [], 0, true);
  session.change([["power", "value", 2]], [], 0);
  const { frames } = session.resumed({ ...WELCOME, epoch: "e2", mode: "snapshot", kept: true, handled: 0 });
  expect(frames.map((frame) => JSON.parse(frame).base)).toEqual([0, undefined]);
});

test("values fit into one change as far as the server takes them, in bytes", () => {
  const session = createSession("p", "b", {});
  session.resumed({ ...WELCOME, limits: { ...WELCOME.limits, change_bytes: 30 } });
  const sized = (text: string): Triple[] => [["a", "value", text]];
  expect([session.fits(sized("x".repeat(12))), session.fits(sized("é".repeat(12)))]).toEqual([true, false]);
});

test("past the limit a mount waits behind the changes", () => {
  const session = joined();
  for (const value of [1, 2, 3, 4]) change(session, value);
  expect([...session.mount([["late", "value", 7]], []), ...session.mount([["late", "max", 9]], [])]).toEqual([]);
  const frames = session.settled(ack(1, 5)).frames.map((frame) => JSON.parse(frame));
  expect(frames).toMatchObject([{ type: "change", n: 4 }, { type: "mount", values: [["late", "value", 7], ["late", "max", 9]] }]);
});

test("mounts do not wait for the next line: they are told again there", () => {
  const session = joined();
  for (const value of [1, 2, 3, 4]) change(session, value);
  session.mount([["late", "value", 7]], []);
  session.interrupted();
  expect(session.mount([["late", "value", 8]], [])).toEqual([]);
  expect(mounts(session.resumed({ ...WELCOME, mode: "delta", handled: 4 }).frames)).toEqual([]);
});

test("a value that is no JSON takes no number", () => {
  const session = joined();
  const loop: unknown[] = [];
  loop.push(loop);
  expect(() => change(session, loop)).toThrow(TypeError);
  expect(numbers(change(session, 1))).toEqual([1]);
});

test("a change larger than the server takes is not sent: an empty one takes its number, and the server's value is asked for", () => {
  const refused = vi.fn();
  const session = createSession("p1", "b", {}, refused);
  session.resumed({ ...WELCOME, limits: { ...WELCOME.limits, message_bytes: 200 } });
  const state: Triple[] = [["file", "contents", "x".repeat(300)]];
  const frames = session.change([["power", "value", 1]], state, 7).map((frame) => JSON.parse(frame));
  expect(frames).toEqual([
    { type: "change", n: 1, values: [], state: [], at: 7 },
    { type: "mount", values: [["power", "value", null]], state: [] },
  ]);
  expect(refused).toHaveBeenCalledWith([["power", "value", 1]], undefined);
  expect(session.take(mods(5, ["power", "value", 9])).write).toHaveLength(1);
});

test("a change that the server could not read is not sent again; those around it are", () => {
  const session = joined();
  for (const value of [1, 2, 3]) change(session, value);
  expect(session.carried().map(({ name }) => name)).toEqual(["change 1:", "change 2:", "change 3:"]);
  session.carried()[1]!.giveUp("unreadable");
  session.interrupted();
  expect(session.carried()).toEqual([]);
  const { frames } = session.resumed({ ...WELCOME, mode: "delta" });
  expect(frames.map((frame) => JSON.parse(frame).values.length)).toEqual([1, 0, 1, 1]);
  expect(JSON.parse(frames[3]!)).toMatchObject({ type: "mount", values: [["power", "value", null]] });
});

test("what is made while the line is down is looked at when the limit is known", () => {
  const refused = vi.fn();
  const session = createSession("p1", "b", {}, refused);
  change(session, "x".repeat(300));
  expect(refused).not.toHaveBeenCalled();
  session.resumed({ ...WELCOME, limits: { ...WELCOME.limits, message_bytes: 200 } });
  expect(refused).toHaveBeenCalledOnce();
});
