import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSocket } from "../src/socket";
import { FakeSocket, fakeBrowser } from "./page";

let browser: ReturnType<typeof fakeBrowser>;
let answer: ReturnType<typeof vi.fn>;
const line = { openLine: vi.fn(), receiveText: vi.fn(), lostLine: vi.fn(), outdatedPage: vi.fn() };
const last = () => FakeSocket.all[FakeSocket.all.length - 1]!;
const count = () => FakeSocket.all.length;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  browser = fakeBrowser();
  answer = vi.fn(async () => ({ status: 500 }));
  vi.stubGlobal("fetch", answer);
  Object.values(line).forEach((mock) => mock.mockClear());
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function started() {
  const socket = createSocket(() => "ws://host/x/socket", line);
  socket.startLine();
  return socket;
}

test("the span of an attempt grows with the time lost from a quarter of a second to eight, for ever", () => {
  started();
  let lost = 0;
  for (let attempt = 0; attempt < 15; attempt++) {
    const before = count();
    const delay = Math.min(8000, Math.max(250, Math.floor(lost / 1.5)));
    last().lose();
    vi.advanceTimersByTime(delay - 1);
    expect(count()).toBe(before);
    vi.advanceTimersByTime(2);
    expect(count()).toBe(before + 1);
    lost += delay + 1;
  }
  expect(lost).toBeGreaterThan(40_000);
});

test("many short waits make the next one no longer", () => {
  started();
  vi.mocked(Math.random).mockReturnValue(0.04);
  for (let attempt = 0; attempt < 30; attempt++) {
    last().lose();
    vi.advanceTimersByTime(10);
  }
  vi.mocked(Math.random).mockReturnValue(1);
  const before = count();
  last().lose();
  vi.advanceTimersByTime(250);
  expect(count()).toBe(before + 1);
});

test.each(["online", "pageshow", "visibilitychange", "resume"])("%s makes the attempts quick again", (event) => {
  started();
  last().lose();
  vi.setSystemTime(Date.now() + 3_600_000);
  browser.fire(event);
  const before = count();
  last().lose();
  vi.advanceTimersByTime(250);
  expect(count()).toBe(before + 1);
});

test("a message makes the next attempt quick again", () => {
  started();
  last().lose();
  vi.advanceTimersByTime(250);
  last().open();
  last().onmessage!({ data: "{}" });
  last().lose();
  vi.advanceTimersByTime(250);
  expect(count()).toBe(3);
});

test.each(["online", "pageshow", "visibilitychange", "resume"])("%s connects at once", (event) => {
  started();
  last().lose();
  browser.fire(event);
  expect(count()).toBe(2);
});

test("a hidden page waits until it is seen", () => {
  started();
  browser.document.hidden = true;
  last().lose();
  vi.advanceTimersByTime(60_000);
  expect(count()).toBe(1);
  browser.document.hidden = false;
  browser.fire("visibilitychange");
  expect(count()).toBe(2);
});

test("late events of an old socket touch nothing", () => {
  const socket = started();
  const old = last();
  old.open();
  socket.restartLine();
  last().open();
  line.lostLine.mockClear();
  old.onmessage!({ data: "late" });
  old.lose();
  expect(line.receiveText).not.toHaveBeenCalled();
  expect(line.lostLine).not.toHaveBeenCalled();
  expect(count()).toBe(2);
});

test.each([4401, 4403, 4409])("%i is final", (code) => {
  started();
  last().lose(code);
  expect(line.lostLine).toHaveBeenCalledWith(expect.stringMatching(/\w/), true, { code, reason: "" });
  vi.advanceTimersByTime(60_000);
  browser.fire("online");
  expect(count()).toBe(1);
});

test.each([4400, 4429])("%i waits a while", (code) => {
  started();
  last().lose(code);
  vi.advanceTimersByTime(5_000);
  expect(count()).toBe(1);
  vi.advanceTimersByTime(250);
  expect(count()).toBe(2);
});

test("4426 asks for a reload, and not for another line", () => {
  started();
  last().lose(4426);
  vi.advanceTimersByTime(60_000);
  expect([line.outdatedPage.mock.calls.length, count()]).toEqual([1, 1]);
});

test("a line that does not open is given up for another one", () => {
  started();
  vi.advanceTimersByTime(9_000 + 250);
  expect([FakeSocket.all[0]!.closedWith, count()]).toEqual([4000, 2]);
});

test("a line that is silent for nine seconds is dead, and its page says so", () => {
  started();
  last().open();
  vi.advanceTimersByTime(5_000);
  last().onmessage!({ data: "{}" });
  vi.advanceTimersByTime(8_999);
  expect([line.lostLine.mock.calls.length, count()]).toEqual([0, 1]);
  vi.advanceTimersByTime(1);
  expect(line.lostLine).toHaveBeenCalledExactlyOnceWith("", false);
  // Not as a tab that goes away: its client stays.
  expect(last().closedWith).toBe(4000);
  vi.advanceTimersByTime(250);
  expect(count()).toBe(2);
});

test("while frames take longer than that, each line gets more time, until one keeps up with the heartbeats", () => {
  const socket = started();
  for (const silence of [9_000, 18_000, 36_000, 72_000, 72_000]) {
    last().open();
    socket.beat(); // comes with the welcome
    const before = count();
    vi.advanceTimersByTime(silence - 1);
    expect(count()).toBe(before);
    vi.advanceTimersByTime(1).advanceTimersToNextTimer();
    expect(count()).toBe(before + 1);
  }
  last().open();
  socket.beat();
  socket.beat();
  vi.advanceTimersByTime(9_000);
  expect(FakeSocket.all.map(({ closedWith }) => closedWith)).toEqual(Array(6).fill(4000));
});

test.each(["online", "pageshow", "visibilitychange", "resume"])("%s replaces a line that should have said something", (event) => {
  started();
  last().open();
  vi.advanceTimersByTime(6_000);
  browser.fire(event);
  expect(count()).toBe(1);
  // As after a freeze: the clock went on, and no timer ran.
  vi.setSystemTime(Date.now() + 1);
  browser.fire(event);
  expect([FakeSocket.all[0]!.closedWith, count()]).toEqual([4000, 2]);
});

test("a server that restarts says over how long its pages come back", () => {
  started();
  last().lose(1012, "retry 3000");
  vi.advanceTimersByTime(2_999);
  expect(count()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(count()).toBe(2);
  // It is not back yet: the next attempts would be a storm, too.
  last().lose();
  vi.advanceTimersByTime(2_999);
  expect(count()).toBe(2);
  vi.advanceTimersByTime(1);
  expect(count()).toBe(3);
  last().open();
  last().onmessage!({ data: "{}" });
  last().lose();
  vi.advanceTimersByTime(250);
  expect(count()).toBe(4);
});

test("a server that is back at once says so for the first attempt alone", () => {
  started();
  last().lose(1012, "retry 100");
  vi.advanceTimersByTime(100);
  expect(count()).toBe(2);
  last().lose();
  vi.advanceTimersByTime(249);
  expect(count()).toBe(2);
  vi.advanceTimersByTime(1);
  expect(count()).toBe(3);
});

test("any other reason is no time to wait", () => {
  started();
  last().lose(1012, "the server stops");
  vi.advanceTimersByTime(250);
  expect(count()).toBe(2);
});

test("a page that goes into the back-forward cache lets its line go, and comes back", () => {
  started();
  last().open();
  browser.fire("pagehide", { persisted: false });
  expect(last().closedWith).toBeUndefined();
  browser.fire("pagehide", { persisted: true });
  expect(last().closedWith).toBe(1000);
  browser.fire("pageshow");
  expect(count()).toBe(2);
});

test("nothing is sent while the line is down", () => {
  const socket = started();
  socket.send("early");
  last().open();
  socket.send("frame");
  expect(last().sent).toEqual(["frame"]);
});

test("a line that never began is asked about over HTTP, once; one has to log in: that is final", async () => {
  started();
  answer.mockResolvedValue({ status: 401 });
  last().lose();
  expect(answer).toHaveBeenCalledExactlyOnceWith("http://host/x/cookie/0", { method: "HEAD" });
  await vi.advanceTimersByTimeAsync(0);
  expect(line.lostLine).toHaveBeenLastCalledWith("Please log in", true, expect.anything());
  await vi.advanceTimersByTimeAsync(60_000);
  browser.fire("online");
  expect([count(), answer.mock.calls.length]).toEqual([1, 1]);
});

test.each([200, 403, 503, 0])("another answer (%i) changes nothing", async (status) => {
  started();
  if (status) answer.mockResolvedValue({ status });
  else answer.mockRejectedValue(new TypeError("no server"));
  last().lose();
  await vi.advanceTimersByTimeAsync(250);
  expect(line.lostLine).not.toHaveBeenCalledWith(expect.anything(), true, expect.anything());
  expect(count()).toBe(2);
});

test("of a line that had a heartbeat nothing is asked", () => {
  const socket = started();
  last().open();
  socket.beat();
  last().lose();
  expect(answer).not.toHaveBeenCalled();
});
