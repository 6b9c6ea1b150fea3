import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRenderer } from "../src/dash";
import { createTyped } from "../src/typed";
import { component, fakeBrowser, fakeDash } from "./page";

/** An input whose `value` is hidden by another one, as React does to see who sets it. */
class Field {
  #value: string;
  caret: unknown;
  events: string[] = [];
  selectionEnd: number | null;
  constructor(readonly id: string, text: string, public selectionStart: number | null = null) {
    this.#value = text;
    this.selectionEnd = selectionStart;
    Object.defineProperty(this, "value", { get: () => this.#value, set: () => expect.unreachable("React does not see that") });
  }
  get value() {
    return this.#value;
  }
  set value(text: string) {
    this.#value = text;
  }
  dispatchEvent({ type, bubbles }: Event) {
    this.events.push(`${type} ${bubbles} ${this.value}`);
    return true;
  }
  setSelectionRange(start: number, end: number) {
    this.caret = [start, end];
  }
  focus() {
    browser.document["activeElement"] = this;
  }
}

let browser: ReturnType<typeof fakeBrowser>;
let storage: Map<string, string>;
let dash: ReturnType<typeof createRenderer>;

/** A page load with these fields; `note` and `count` are components with the values "n" and 3. */
function load(...fields: Field[]) {
  browser.elements.clear();
  fields.forEach((field) => browser.elements.set(field.id, field));
  browser.document["activeElement"] = null;
  browser.document["querySelector"] = () => browser.document["activeElement"];
  browser.document["querySelectorAll"] = () => fields;
  return createTyped("key", dash);
}

beforeEach(() => {
  vi.useFakeTimers();
  browser = fakeBrowser();
  const { store } = fakeDash([component("Input", { id: "note", value: "n" }), component("Input", { id: "count", value: 3 })], browser.page);
  storage = new Map();
  const getItem = (key: string) => storage.get(key) ?? null;
  vi.stubGlobal("sessionStorage", { getItem, setItem: (key: string, value: string) => storage.set(key, value) });
  dash = createRenderer(() => undefined);
  (browser.page["dash_stores"] as unknown[]).push(store);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a half-typed text comes back, with focus and caret, and React hears of it", () => {
  const before = new Field("note", "n and mo", 4);
  const typed = load(before);
  before.focus();
  typed.keep();
  const after = new Field("note", "n", 0);
  load(after).restore();
  expect(after.caret).toBeUndefined(); // React draws first
  vi.advanceTimersByTime(100);
  expect([after.value, after.caret, after.events]).toEqual(["n and mo", [4, 4], ["input true n and mo"]]);
  expect(browser.document["activeElement"]).toBe(after);
});

test("it comes back once", () => {
  load(new Field("note", "half")).keep();
  load(new Field("note", "n")).restore();
  const again = new Field("note", "n");
  load(again).restore();
  expect(again.value).toBe("n");
});

test("a field that has what the store has keeps only its focus", () => {
  const [note, count] = [new Field("note", "n", 1), new Field("count", "3")];
  const typed = load(note, count);
  count.focus();
  typed.keep();
  const [newNote, newCount] = [new Field("note", "x"), new Field("count", "4")];
  load(newNote, newCount).restore();
  expect([newNote.value, newCount.value, newCount.caret]).toEqual(["x", "4", undefined]);
  expect(browser.document["activeElement"]).toBe(newCount);
});

test("a field that is not there yet is waited for, for a while", () => {
  load(new Field("note", "half")).keep();
  load().restore();
  vi.advanceTimersByTime(9_900);
  const late = new Field("note", "n");
  browser.elements.set("note", late);
  vi.advanceTimersByTime(100);
  expect(late.value).toBe("half");
  vi.runAllTimers();
  expect(vi.getTimerCount()).toBe(0);
});

test("what was typed or focused meanwhile stays", () => {
  const before = new Field("note", "half", 2);
  const typed = load(before);
  before.focus();
  typed.keep();
  const [note, count] = [new Field("note", "new text", 2), new Field("count", "3")];
  const next = load(note, count);
  count.focus();
  next.restore();
  expect([note.value, note.caret]).toEqual(["new text", undefined]);
  expect(browser.document["activeElement"]).toBe(count);
});
