import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLabels } from "../src/labels";
import { FakeObserver, fakeBrowser } from "./page";

let browser: ReturnType<typeof fakeBrowser>;
let stale: string[];
let pending: [id: string, age: number][];
const label = (id: string) => browser.elements.get(id).dataset.dashDevices;

beforeEach(() => {
  vi.useFakeTimers();
  browser = fakeBrowser();
  ["power", "other", "greeting"].forEach(browser.mount);
  stale = ["power", "greeting", "nowhere"];
  pending = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
function made() {
  return createLabels(
    () => stale,
    (until) => pending.filter(([, age]) => Date.now() - age <= until).map(([id]) => id),
  );
}

test("without a line nothing shared looks live, until there is one again", () => {
  const labels = made();
  expect(browser.document["adoptedStyleSheets"]).toHaveLength(1);
  labels.showDown(true);
  expect([label("power"), label("greeting"), label("other")]).toEqual(["stale", "stale", undefined]);
  labels.showDown(false);
  expect([label("power"), label("greeting")]).toEqual([undefined, undefined]);
});

test("what comes into the document meanwhile is not live either", () => {
  const labels = made();
  labels.showDown(true);
  stale.push("late");
  browser.mount("late");
  FakeObserver.documentChanges();
  expect(label("late")).toBe("stale");
  labels.showDown(false);
  browser.elements.get("late").dataset.dashDevices = "the page's own business";
  FakeObserver.documentChanges();
  expect(label("late")).toBe("the page's own business");
});

test("what was changed without a line is pending until its answer", () => {
  const labels = made();
  labels.showDown(true);
  pending = [["power", 999]];
  labels.look();
  expect([label("power"), label("greeting")]).toEqual(["pending", "stale"]);
  pending = [["power", 1_000]];
  labels.showDown(false);
  expect([label("power"), label("greeting")]).toEqual(["pending", undefined]);
  pending = [];
  labels.look();
  expect(label("power")).toBeUndefined();
});

test("with a line only what waits for long is pending, from the next heartbeat on", () => {
  const labels = made();
  pending = [["power", 999]];
  labels.paint();
  expect(label("power")).toBeUndefined();
  pending = [["power", 1_000]];
  labels.look();
  expect(label("power")).toBeUndefined();
  labels.paint();
  expect(label("power")).toBe("pending");
});

test("a refused control says why for a moment, and is then what it was", () => {
  const labels = made();
  browser.elements.get("power").title = "The power";
  labels.notify("power", "refused", "full");
  labels.notify("nowhere", "refused", "full");
  expect([label("power"), browser.elements.get("power").title]).toEqual(["refused", "full"]);
  labels.showDown(true);
  labels.notify("power", "unconfirmed", "Not confirmed");
  expect(label("power")).toBe("unconfirmed");
  vi.advanceTimersByTime(2_000);
  expect([label("power"), browser.elements.get("power").title]).toEqual(["stale", "The power"]);
});
