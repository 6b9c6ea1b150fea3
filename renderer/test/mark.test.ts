import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createMark } from "../src/mark";

let mark: ReturnType<typeof createMark>;
let element: any;

beforeEach(() => {
  element = { style: {} };
  vi.stubGlobal("document", { createElement: () => element, documentElement: { append: () => undefined } });
  mark = createMark();
  mark.showsConnected();
});
afterEach(() => void vi.unstubAllGlobals());

const seen = () => [element.textContent, element.title, element.style.borderColor];
const QUIET = ["", "connected", "#2a86"];

test("a page that catches up is connected, but does not look so", () => {
  mark.catchesUp(true);
  expect([mark.shown(), ...seen()]).toEqual(["connected", "Catching up…", "Catching up…", "#e90"]);
  mark.catchesUp(false);
  expect(seen()).toEqual(QUIET);
});

test("what everybody should know is said too, and alone afterwards", () => {
  mark.catchesUp(true);
  mark.showsConnected("Disk full");
  expect(element.textContent).toBe("Catching up… Disk full");
  mark.catchesUp(false);
  expect(element.textContent).toBe("Disk full");
});

test("it cannot be clicked away", () => {
  mark.catchesUp(true);
  element.onclick();
  expect(element.textContent).toBe("Catching up…");
});

test("without a line that is said alone", () => {
  vi.useFakeTimers();
  mark.catchesUp(true);
  mark.lostLine("", false);
  expect(element.textContent).toBe("Reconnecting…");
  mark.showsConnected();
  expect(element.textContent).toBe("Catching up…");
  vi.useRealTimers();
});
