import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createApp } from "../src/app";
import { component, FakeSocket, fakeBrowser, fakeDash, fakeMicrotasks } from "./page";

const literal: any[] = JSON.parse(readFileSync(new URL("../../tests/frames.json", import.meta.url), "utf8")).from_server;
const WELCOME = literal.flat().find(({ type }) => type === "welcome");

let browser: ReturnType<typeof fakeBrowser>;
let dash: ReturnType<typeof fakeDash>;
let endTask: () => void;
let storage: Map<string, string>;
const originalFetch = vi.fn();
const reload = vi.fn();
const made: any[] = [];
const ignore = () => undefined;
function element() {
  made.push({ style: {}, append: ignore });
  return made[made.length - 1];
}

function start(overSocket = true) {
  const dash_devices = { url: "/app/socket", build: "b7", over_socket: overSocket };
  const app = createApp({ requests_pathname_prefix: "/app/", dash_devices }, originalFetch);
  (browser.page["dash_stores"] as unknown[]).push(dash.store);
  return app;
}
const socket = () => FakeSocket.all[FakeSocket.all.length - 1]!;
const sent = () => socket().sent.map((frame) => JSON.parse(frame));
function receive(...messages: object[]) {
  socket().onmessage!({ data: JSON.stringify(messages.length === 1 ? messages[0] : messages) });
}
const mods = (seq: number, value: unknown) => ({ type: "mods", seq, mods: [["power", "value", value]], events: [], lost: 0 });
const complaints = () => vi.mocked(console.error).mock.calls;

beforeEach(() => {
  // What a test leaves waiting must not open a line in the next one.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  browser = fakeBrowser();
  endTask = fakeMicrotasks();
  const power = component("Slider", { id: "power", value: 40 });
  dash = fakeDash([power, component("Div", { id: "greeting" }), component("Graph", { id: "graph" })], browser.page);
  storage = new Map();
  made.length = 0;
  Object.assign(browser.document, { createElement: element, documentElement: element() });
  Object.assign(location, { reload });
  const getItem = (key: string) => storage.get(key) ?? null;
  vi.stubGlobal("sessionStorage", { getItem, setItem: (key: string, value: string) => storage.set(key, value) });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  originalFetch.mockReset();
  reload.mockReset();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A component reports something, and a callback's initial call has a result; then the task is over. */
function report(props: object) {
  dash.report("power", props);
  endTask();
}
function initialResult(props: Record<string, any>) {
  dash.result({ initialCall: true, changedPropIds: {} }, "power", props);
  endTask();
}

function joined() {
  const app = start();
  socket().open();
  receive(WELCOME);
  dash.hydrate();
  browser.mount("power");
  browser.fire("pointerdown", { target: { id: "power" } });
  return app;
}

test("hello goes first, the layout request right behind it", async () => {
  const app = start();
  const layout = app.request("layout", "", "/app/_dash-layout");
  expect(socket().url).toBe("ws://host/app/socket");
  socket().open();
  expect(sent().map(({ type }) => type)).toEqual(["hello", "request"]);
  receive(WELCOME, literal.flat().find(({ type }) => type === "reply"));
  expect((await layout).status).toBe(200);
  expect(app.view()).toMatchObject({ status: "connected", tab: "t1", epoch: "e1", seq: 4, unacked: 0 });
});

test("every literal frame of the server is understood", () => {
  const types = new Set(literal.flat().map(({ type }) => type));
  expect([...types].sort()).toEqual(["ack", "ask", "error", "mods", "nack", "notice", "ping", "props", "reply", "watch", "welcome"]);
  joined();
  literal.forEach((frame) => receive(...[frame].flat()));
  // What is said on purpose: the author's error, and the lost events. The patch for a figure that is not there is refused.
  const [lost, error] = ["3 events lost", "set_power"].map((words) => expect.stringMatching(words));
  expect(complaints().map(([what]) => what)).toEqual(expect.arrayContaining([lost, error]));
  expect(dash.value("greeting", "children")).toBe("Hello");
});

test("a change is sent when its task is over, and answered", () => {
  const app = joined();
  report({ value: 50 });
  expect(sent().slice(-1)).toMatchObject([{ type: "change", n: 1, values: [["power", "value", 50]], state: [] }]);
  receive({ type: "ack", n: 1, seq: 5 });
  expect(app.view().unacked).toBe(0);
});

test("a refused control shows the server's value and is marked", () => {
  joined();
  report({ value: 90 });
  receive({ type: "nack", n: 1, seq: 9, code: "busy", message: "full", values: [["power", "value", 80]] });
  expect(dash.value("power", "value")).toBe(80);
  expect(browser.elements.get("power")).toMatchObject({ title: "full", dataset: { dashDevices: "refused" } });
});

test("what a component did by itself is taken back without a mark", () => {
  joined();
  report({ value: 90 });
  receive({ type: "nack", n: 1, seq: 9, code: "outdated", message: "newer", values: [] }, mods(9, 80));
  expect(dash.value("power", "value")).toBe(80);
  expect(browser.elements.get("power")).toMatchObject({ title: "", dataset: {} });
});

test("mods before the page is ready wait for it, in order", () => {
  start();
  socket().open();
  receive(WELCOME, mods(5, 1), mods(6, 2));
  expect(dash.value("power", "value")).toBe(40);
  dash.hydrate();
  expect(dash.value("power", "value")).toBe(2);
});

test("events before the page is ready come before what was sent after them", async () => {
  start();
  socket().open();
  const seen: unknown[] = [];
  const figure = (...y: number[]) => ["graph", "figure", { data: [{ y }] }];
  const points = (value: number) => ["graph", "extendData", { y: [[value]] }];
  const message = (seq: number, values: unknown[], events: unknown[]) => ({ type: "mods", seq, mods: values, events, lost: 0 });
  receive(WELCOME, message(5, [figure(0)], [points(1), points(2)]), message(6, [], [points(3)]), message(7, [figure(7)], [points(8)]));
  dash.store.subscribe(() => seen.push(JSON.stringify(dash.value("graph", "figure").data[0].y)));
  dash.hydrate();
  await new Promise((resolve) => setImmediate(resolve));
  expect([...new Set(seen)]).toEqual(["[0]", "[0,1]", "[0,1,2]", "[0,1,2,3]", "[7]", "[7,8]"]);
});

test("points for one page get into its figure too", async () => {
  joined();
  dash.setProps("graph", { figure: { data: [{ y: [0] }] } });
  const props = [1, 2].map((value) => ["graph", "extendData", { y: [[value]] }]);
  receive({ type: "props", props: [props[0], ["power", "value", 7]] }, { type: "props", props: [props[1]] });
  expect(dash.value("power", "value")).toBe(7);
  await new Promise((resolve) => setImmediate(resolve));
  expect(dash.value("graph", "figure")).toEqual({ data: [{ y: [0, 1, 2] }] });
});

test("a request without a reply is sent again on the next line", () => {
  const app = joined();
  void app.request("callback", "", "/app/_dash-update-component", { body: '{"output":"x"}' });
  socket().lose();
  browser.fire("online");
  socket().open();
  expect(sent()).toMatchObject([{ type: "hello", tab: "t1" }, { type: "request", ref: 1, body: { output: "x" } }]);
});

function reconnect() {
  socket().lose();
  browser.fire("online");
  socket().open();
}

test("a mount that a lost line swallowed is told again, behind the changes", () => {
  joined();
  dash.listen("power", "value");
  initialResult({ value: 41 });
  expect(sent().slice(-1)).toEqual([{ type: "mount", values: [["power", "value", 41]], state: [] }]);
  browser.fire("keydown", { target: { id: "power" } });
  report({ value: 42 });
  reconnect();
  report({ value: 43 });
  expect(sent().map(({ type }) => type)).toEqual(["hello"]);
  receive({ ...WELCOME, mode: "delta" });
  endTask();
  expect(sent().slice(1)).toMatchObject([
    { type: "change", n: 1 },
    { type: "change", n: 2 },
    { type: "mount", values: [["power", "value", 43]] },
  ]);
});

test("the first live push after a resume is told even where it changes nothing", () => {
  const app = joined();
  dash.listen("power", "value", { name: "own" });
  receive(mods(5, 41));
  reconnect();
  receive({ ...WELCOME, seq: 7, mode: "delta" }, mods(7, 41));
  expect(dash.told).toHaveLength(1);
  receive(mods(8, 41));
  expect(dash.told).toHaveLength(2);
  reconnect();
  receive({ ...WELCOME, seq: 9, mode: "delta" });
  receive(mods(10, 41));
  expect([dash.told.length, app.view().seq]).toEqual([3, 10]);
});

test("after a snapshot of the same epoch nothing is sent again, and the control is marked", () => {
  const app = joined();
  report({ value: 50 });
  reconnect();
  receive({ ...WELCOME, seq: 5, mode: "snapshot" }, mods(5, 40));
  expect(sent().map(({ type }) => type)).toEqual(["hello"]);
  expect([dash.value("power", "value"), app.view().unacked]).toEqual([40, 0]);
  expect(browser.elements.get("power").dataset).toEqual({ dashDevices: "unconfirmed" });
});

test("the mark shows what everybody should know, until it is taken back or clicked away", () => {
  const app = joined();
  const mark = made.find(({ id }) => id === "_dash-devices-mark");
  const seen = () => [mark.textContent, mark.style.borderColor];
  const quiet = seen();
  receive({ type: "notice", message: "Changes cannot be kept" });
  expect(seen()).toEqual(["Changes cannot be kept", "#e90"]);
  expect(app.view().status).toBe("connected");
  mark.onclick();
  expect(seen()).toEqual(quiet);
  receive({ type: "notice", message: "Changes cannot be kept" });
  receive({ type: "notice", message: "" });
  expect(seen()).toEqual(quiet);
  socket().lose();
  mark.onclick();
  expect(mark.textContent).toBe("Reconnecting…");
});

test("a page catches up with another epoch, also if the line is lost before it does", () => {
  joined();
  const places = { getInputs: () => [], getState: () => [], getOutputs: () => [[{ id: "power", property: "value", path: [] }]] };
  dash.ask({ callback: { inputs: [], state: [] }, resolvedId: "a", initialCall: true, ...places });
  dash.move("requested", "watched");
  dash.move("watched", "");
  const again = (epoch: string, mode: string) => {
    reconnect();
    vi.advanceTimersByTime(1000);
    receive({ ...WELCOME, mode, epoch, rerun: 1000 });
    return made.find(({ id }) => id === "_dash-devices-mark").textContent;
  };
  expect([again("e1", "snapshot"), again("e2", "snapshot"), again("e2", "delta")]).toEqual(["", "Catching up…", "Catching up…"]);
  expect(dash.state().callbacks.requested).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(dash.state().callbacks.requested).toMatchObject([{ resolvedId: "a", initialCall: true }]);
});

test("changes that an earlier life kept are not marked", () => {
  joined();
  report({ value: 50 });
  socket().lose();
  browser.fire("online");
  socket().open();
  receive({ ...WELCOME, mode: "snapshot", epoch: "e2", handled: 1, kept: true });
  expect(browser.elements.get("power").dataset).toEqual({});
});

test("the mark says that the line is lost, and why where there is more to say", () => {
  joined();
  const words = () => made.map(({ textContent }) => textContent).filter((text) => text);
  socket().lose();
  expect(words()).toEqual(["Reconnecting…"]);
  browser.fire("online");
  socket().lose(1009);
  expect(words()).toEqual(["Message too big. Reconnecting…"]);
});

test("cookies are fetched before the reply is handed over", async () => {
  const app = joined();
  const reply = app.request("callback", "", "/app/_dash-update-component", { body: "{}" });
  let fetched!: (value: unknown) => void;
  originalFetch.mockReturnValue(new Promise((resolve) => (fetched = resolve)));
  receive({ type: "reply", ref: 1, status: 200, headers: { "x-dash-devices-cookie": "/app/c/1" }, body: {} });
  const handed = vi.fn();
  void reply.then(handed);
  await Promise.resolve();
  expect(originalFetch).toHaveBeenCalledWith("/app/c/1", { credentials: "same-origin" });
  expect(handed).not.toHaveBeenCalled();
  fetched({});
  await reply;
});

test("what the server has forgotten meanwhile counts no more, and is announced again where the page shows it", () => {
  joined();
  receive({ ...mods(5, 55), mods: [["power", "value", 55], ["gone", "value", 1]] });
  socket().lose();
  browser.fire("online");
  socket().open();
  receive({ ...WELCOME, mode: "delta" }, { ...mods(6, 0), mods: [], gone: ["power", "gone"] }, { type: "ping", at: 0, check: true });
  endTask();
  expect(sent().find(({ type }) => type === "pong")).toMatchObject({ seq: 6, hash: 0 });
  expect(sent().slice(-1)).toMatchObject([{ type: "mount", values: [["power", "value", 55]] }]);
  const before = sent().length;
  receive({ ...mods(7, 0), mods: [], gone: ["power"] });
  endTask();
  expect(sent()).toHaveLength(before);
});

test("another build reloads once", () => {
  start();
  socket().open();
  receive({ ...WELCOME, build: "b8" });
  receive({ ...WELCOME, build: "b8" });
  expect(reload).toHaveBeenCalledOnce();
});

test("another version reloads once, then says so", () => {
  const app = start();
  socket().lose(4426);
  expect([reload.mock.calls.length, app.view().status]).toEqual([1, "connecting"]);
  start();
  socket().lose(4426);
  expect(reload).toHaveBeenCalledOnce();
});

test("where the browser keeps nothing, nothing reloads and the page works", () => {
  vi.stubGlobal("sessionStorage", undefined);
  start();
  socket().open();
  receive({ ...WELCOME, build: "b8" });
  expect(reload).not.toHaveBeenCalled();
});

test("a final close fails what waits and what comes", async () => {
  const app = joined();
  const waiting = app.request("callback", "", "", { body: "{}" });
  socket().lose(4403);
  await expect(waiting).rejects.toThrow("Not allowed");
  await expect(app.request("callback", "", "", {})).rejects.toThrow("Not allowed");
  expect(app.view().status).toBe("gone");
});

test("a ping is answered at once, with the hash where it is asked for", () => {
  joined();
  receive(mods(5, 1));
  receive({ type: "ping", at: 1, check: false });
  receive({ type: "ping", at: 1, check: true });
  const [first, second] = sent().slice(-2);
  expect(first).toEqual({ type: "pong", seq: 5, at: expect.any(Number) });
  // zlib.crc32(b"power.value:5")
  expect(second).toMatchObject({ type: "pong", seq: 5, hash: 1275935377 });
});

test("a hello tells the page's clock", () => {
  start();
  socket().open();
  expect(sent()[0].at).toBeCloseTo(Date.now(), -4);
});

test("each fourth batch is told, after it was written", () => {
  joined();
  for (const seq of [5, 6, 7]) receive(mods(seq, seq));
  expect(sent().map(({ type }) => type)).toEqual(["hello"]);
  receive(mods(8, 8));
  expect(sent().slice(1)).toEqual([{ type: "applied", seq: 8 }]);
});

test("a value that was told as mounted and comes back with its seq is not written again", () => {
  joined();
  dash.listen("power", "value", { name: "own" });
  initialResult({ value: 41 });
  dash.told.length = 0;
  receive(mods(5, 41));
  expect(dash.told).toEqual([]);
  // The next one is somebody's push.
  receive(mods(6, 41));
  expect(dash.told).toHaveLength(1);
});

const labels = () => ["power", "greeting"].map((id) => browser.elements.get(id).dataset.dashDevices);

test("without a line what is shared, watched or was sent is stale, until the page has caught up", () => {
  joined();
  ["greeting", "graph"].forEach(browser.mount);
  receive({ type: "mods", seq: 5, mods: [["greeting", "children", "Hello"]], events: [], lost: 0 });
  socket().lose();
  expect([labels(), browser.elements.get("graph").dataset]).toEqual([["stale", "stale"], {}]);
  browser.fire("online");
  socket().open();
  expect(labels()).toEqual(["stale", "stale"]);
  receive({ ...WELCOME, shared: ["graph"], mode: "delta" });
  expect(labels()).toEqual([undefined, undefined]);
  socket().lose();
  expect(browser.elements.get("graph").dataset).toEqual({ dashDevices: "stale" });
});

test("what is changed without a line is pending until its answer", () => {
  joined();
  browser.mount("greeting");
  socket().lose();
  report({ value: 50 });
  expect(labels()[0]).toBe("pending");
  browser.fire("online");
  socket().open();
  receive({ ...WELCOME, mode: "delta" });
  // Just made: while there is a line it is no news that an answer takes its time.
  expect(labels()[0]).toBeUndefined();
  vi.setSystemTime(Date.now() + 1_001);
  receive({ type: "ping", at: 1, check: false });
  expect(labels()[0]).toBe("pending");
  receive({ type: "ack", n: 1, seq: 5 });
  expect(labels()[0]).toBeUndefined();
});

test("before a reload the fields are kept, and looked for after it", () => {
  storage.set("dash_devices:/app/:typed", '[["note","half",true,4,4]]');
  browser.document["querySelectorAll"] = () => [];
  joined();
  expect(storage.get("dash_devices:/app/:typed")).toBe("[]");
  browser.document["querySelectorAll"] = (selector: string) =>
    selector.startsWith("input") ? [{ id: "power", value: "half", selectionStart: 4, selectionEnd: 4 }] : [];
  receive({ ...WELCOME, build: "b8" });
  expect(JSON.parse(storage.get("dash_devices:/app/:typed")!)).toEqual([["power", "half", false, 4, 4]]);
  expect(reload).toHaveBeenCalledOnce();
});

test("over HTTP the line begins where the layout stands, and callbacks carry the token", async () => {
  const app = start(false);
  expect(FakeSocket.all).toHaveLength(0);
  originalFetch.mockResolvedValue({ ok: true, status: 200, headers: new Headers({ "x-dash-devices-seq": "e1:4" }) });
  const layout = app.request("layout", "", "/app/_dash-layout", { headers: { Accept: "x" } });
  await vi.waitFor(() => expect(FakeSocket.all).toHaveLength(1));
  const callback = app.request("callback", "", "/app/_dash-update-component", { method: "POST" });
  socket().open();
  expect(sent()).toMatchObject([{ type: "hello", epoch: "e1", seq: 4 }]);
  receive({ ...WELCOME, mode: "delta" });
  await Promise.all([layout, callback]);
  expect(originalFetch.mock.calls).toEqual([
    ["/app/_dash-layout", { headers: { Accept: "x" } }],
    ["/app/_dash-update-component", { method: "POST", headers: { "x-dash-devices-tab": "s1" } }],
  ]);
});

test("a message that the server names as unreadable is not sent again, and the page says so", async () => {
  const app = joined();
  report({ value: 90 });
  const reply = app.request("callback", "", "/app/_dash-update-component", { body: "{}" });
  socket().lose(4400, "change 1: frame: expected JSON");
  browser.fire("online");
  socket().open();
  receive({ ...WELCOME, mode: "delta" });
  expect(sent().map(({ type, values }) => [type, values?.length])).toEqual([["hello", undefined], ["request", undefined], ["change", 0], ["mount", 1]]);
  expect(browser.elements.get("power").dataset).toEqual({ dashDevices: "refused" });
  expect(made.map(({ textContent }) => textContent)).toContain("The server cannot read this; not sent again");
  socket().lose(1009);
  expect((await reply).status).toBe(413);
});
