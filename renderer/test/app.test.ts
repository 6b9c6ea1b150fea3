import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createApp } from "../src/app";
import { component, FakeSocket, fakeBrowser, fakeDash } from "./page";

const frames = JSON.parse(readFileSync(new URL("../../tests/frames.json", import.meta.url), "utf8"));
const literal: any[] = Array.isArray(frames.from_server) ? frames.from_server : frames.from_server.valid;
const WELCOME = literal.flat().find(({ type }) => type === "welcome");

let browser: ReturnType<typeof fakeBrowser>;
let dash: ReturnType<typeof fakeDash>;
let storage: Map<string, string>;
const originalFetch = vi.fn();
const reload = vi.fn();
const element = () => ({ style: {} as any, attachShadow: () => ({ append: () => undefined }), setAttribute: () => undefined, append: () => undefined });

function start(overSocket = true) {
  const config = { requests_pathname_prefix: "/app/", dash_devices: { url: "/app/socket", build: "b7", over_socket: overSocket } };
  const app = createApp(config, originalFetch);
  (browser.page["dash_stores"] as unknown[]).push(dash.store);
  return app;
}
const socket = () => FakeSocket.all[FakeSocket.all.length - 1]!;
const sent = () => socket().sent.map((frame) => JSON.parse(frame));
const receive = (...messages: object[]) => socket().onmessage!({ data: JSON.stringify(messages.length === 1 ? messages[0] : messages) });
const complaints = () => vi.mocked(console.error).mock.calls;

beforeEach(() => {
  browser = fakeBrowser();
  dash = fakeDash([component("Slider", { id: "power", value: 40 }), component("Div", { id: "greeting" }), component("Graph", { id: "graph" })], browser.page);
  storage = new Map();
  Object.assign(browser.document, { createElement: element, documentElement: element() });
  Object.assign(location, { reload });
  vi.stubGlobal("sessionStorage", { getItem: (key: string) => storage.get(key) ?? null, setItem: (key: string, value: string) => storage.set(key, value) });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  originalFetch.mockReset();
  reload.mockReset();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function joined() {
  const app = start();
  socket().open();
  receive(WELCOME);
  dash.hydrate();
  browser.mount("power");
  browser.fire("pointerdown");
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
  expect([...types].sort()).toEqual(["ack", "ask", "error", "mods", "nack", "ping", "props", "reply", "watch", "welcome"]);
  joined();
  literal.forEach((frame) => receive(...[frame].flat()));
  // What is said on purpose: the author's error, and the lost events. The patch for a figure that is not there is refused.
  expect(complaints().map(([what]) => what)).toEqual(expect.arrayContaining([expect.stringMatching("3 events lost"), expect.stringMatching("set_power")]));
  expect(dash.value("greeting", "children")).toBe("Hello");
});

test("a change is sent inside the event, and answered", () => {
  const app = joined();
  dash.report("power", { value: 50 });
  expect(sent().slice(-1)).toMatchObject([{ type: "change", n: 1, values: [["power", "value", 50]], state: [] }]);
  receive({ type: "ack", n: 1, seq: 5 });
  expect(app.view().unacked).toBe(0);
});

test("a refused control shows the server's value and is marked", () => {
  joined();
  dash.report("power", { value: 90 });
  receive({ type: "nack", n: 1, seq: 9, code: "busy", message: "full", values: [["power", "value", 80]] });
  expect(dash.value("power", "value")).toBe(80);
  expect(browser.elements.get("power")).toMatchObject({ title: "full", dataset: { dashDevices: "refused" } });
});

test("mods before the page is ready wait for it, in order", () => {
  start();
  socket().open();
  receive(WELCOME, { type: "mods", seq: 5, mods: [["power", "value", 1]], events: [], lost: 0 }, { type: "mods", seq: 6, mods: [["power", "value", 2]], events: [], lost: 0 });
  expect(dash.value("power", "value")).toBe(40);
  dash.hydrate();
  expect(dash.value("power", "value")).toBe(2);
});

test("a request without a reply is sent again on the next line", () => {
  const app = joined();
  void app.request("callback", "", "/app/_dash-update-component", { body: '{"output":"x"}' });
  socket().lose();
  browser.fire("online");
  socket().open();
  expect(sent()).toMatchObject([{ type: "hello", tab: "t1" }, { type: "request", ref: 1, body: { output: "x" } }]);
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

test("a ping is answered at once", () => {
  joined();
  receive({ type: "ping", at: 1 });
  expect(sent().slice(-1)).toMatchObject([{ type: "pong", seq: 0 }]);
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
