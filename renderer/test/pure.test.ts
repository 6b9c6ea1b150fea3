import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { dashRoute } from "../src/dash";
import { fits, hasWildcards, idText, ownText, parseId } from "../src/ids";
import { lightResponse } from "../src/requests";
import { equal, holdsComponents, isPatch } from "../src/values";
import { createWatchList } from "../src/watchlist";
import { component, fakeBrowser, watch } from "./page";

afterEach(() => vi.unstubAllGlobals());

test("ids as text and back", () => {
  expect(idText({ type: "w", index: 0 })).toBe('{"index":0,"type":"w"}');
  expect(parseId('{"index":0,"type":"w"}')).toEqual({ type: "w", index: 0 });
  expect([idText("plain"), parseId("plain")]).toEqual(["plain", "plain"]);
  expect(ownText('{"type": "\\u00e9", "index": 1}')).toBe('{"index":1,"type":"é"}');
});

test("wildcards", () => {
  const pattern = { index: ["ALL"], type: "w" };
  expect([hasWildcards(pattern), hasWildcards({ index: 0 }), hasWildcards("a")]).toEqual([true, false, false]);
  expect(fits({ index: 3, type: "w" }, pattern)).toBe(true);
  expect(fits({ index: 3, type: "v" }, pattern)).toBe(false);
  expect(fits({ index: 3, type: "w", more: 1 }, pattern)).toBe(false);
});

test("a watch list finds literals, patterns, and both at once", () => {
  const list = createWatchList([
    watch("a", "value", ["s", "data"]),
    watch("a", "value", ["t", "data"]),
    watch('{"index":["MATCH"],"type":"w"}', "value"),
    watch('{"type":"w","index":1}', "n_clicks"),
  ]);
  expect([...list.watchedOf("a")]).toEqual([["value", [["s", "data"], ["t", "data"]]]]);
  expect([...list.watchedOf('{"index":1,"type":"w"}').keys()]).toEqual(["n_clicks", "value"]);
  expect([...list.watchedOf('{"index":2,"type":"w"}').keys()]).toEqual(["value"]);
  expect(list.watchedOf("constructor").size).toBe(0);
});

test("equal", () => {
  expect(equal({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
  const pairs = [[1, "1"], [null, {}], [[], {}], [{ a: 1 }, { b: 1 }], [{ a: 1 }, { a: 1, b: 1 }], [[1], [1, 2]], [undefined, null]];
  for (const [a, b] of pairs) expect(equal(a, b)).toBe(false);
});

test("what brings components", () => {
  const part = component("Div", {});
  expect(holdsComponents("children", ["text", part])).toBe(true);
  expect(holdsComponents("options", [{ label: { deep: part } }])).toBe(true);
  expect(holdsComponents("children", "text")).toBe(false);
  expect(holdsComponents("figure", { data: [part] })).toBe(false);
  expect(holdsComponents("columns", Array.from({ length: 6000 }, () => 0))).toBe(false);
  expect(holdsComponents("columns", Array.from({ length: 6000 }, () => ({})))).toBe(true);
  expect([isPatch({ __dash_patch_update: "" }), isPatch({}), isPatch(null)]).toEqual([true, false, false]);
});

test("only Dash's own addresses of this app are taken", () => {
  fakeBrowser();
  expect(dashRoute("/app/_dash-layout", "/app/")).toEqual(["layout", ""]);
  expect(dashRoute("http://host/app/_dash-dependencies", "/app/")).toEqual(["dependencies", ""]);
  expect(dashRoute("/app/_dash-update-component?cacheKey=1&job=2", "/app/")).toEqual(["callback", "cacheKey=1&job=2"]);
  for (const other of ["/_dash-layout", "http://else/app/_dash-layout", "/app/_dash-layout/x", "/app/_reload-hash", "/app/_dash-ws"]) {
    expect(dashRoute(other, "/app/")).toBeUndefined();
  }
});

const REPLY = { type: "reply", ref: 1, status: 200, headers: { "content-type": "application/json" }, body: { a: 1 } } as const;

test("a reply as a response", async () => {
  const response = lightResponse(REPLY);
  expect([response.ok, response.status]).toEqual([true, 200]);
  expect(["Content-Type", "no"].map(response.headers.get)).toEqual(["application/json", null]);
  expect(await response.json()).toBe(REPLY.body);
  expect(await response.clone().text()).toBe('{"a":1}');
  const text = lightResponse({ ...REPLY, status: 500, headers: { "content-type": "text/html" }, body: "<h1>" });
  expect([text.ok, await text.text()]).toEqual([false, "<h1>"]);
  const empty = lightResponse({ ...REPLY, status: 204, body: null });
  expect([empty.ok, await empty.json()]).toEqual([true, null]);
});

test("the members that the bundle renames are no names of the wire", () => {
  const own = readFileSync(new URL("../build.mjs", import.meta.url), "utf8").match(/OWN_MEMBERS = `([^`]*)`/)![1]!.trim().split(/\s+/);
  const wire = readFileSync(new URL("../src/protocol.ts", import.meta.url), "utf8").match(/^ {2}\w+(?=\??:)/gm)!.map((name) => name.trim());
  expect(own.filter((name) => wire.includes(name))).toEqual([]);
});
