import { expect, test, vi } from "vitest";
import type { Reply } from "../src/protocol";
import { createRequests } from "../src/requests";

const REPLY: Reply = { type: "reply", ref: 1, status: 200, headers: { "content-type": "application/json" }, body: { a: 1 } };

function made() {
  const line = { isOpen: true, sent: [] as string[], largest: 1_000 };
  const send = (frame: string): boolean => line.isOpen && line.sent.push(frame) > 0;
  const requests = createRequests(send, (frame) => frame.length <= line.largest, (reason = "too large") => reason);
  return { line, requests };
}
const large = JSON.stringify("x".repeat(1_000));

test("a request is kept for the next line until its reply comes; the body goes as it is", async () => {
  const { line, requests } = made();
  const response = requests.request("callback", "job=1", '{"inputs": []}');
  expect(JSON.parse(line.sent[0]!)).toEqual({ type: "request", ref: 1, route: "callback", query: "job=1", body: { inputs: [] } });
  requests.sendAgain();
  expect(line.sent).toEqual([line.sent[0], line.sent[0]]);
  const errand = vi.fn(() => Promise.resolve());
  await requests.replied(REPLY, errand);
  expect((await response).ok).toBe(true);
  await requests.replied(REPLY, errand);
  requests.sendAgain();
  expect([line.sent.length, errand.mock.calls.length]).toEqual([2, 1]);
});

test("requests fail when the line is gone for good", async () => {
  const { requests } = made();
  const response = requests.request("layout", "", "null");
  requests.fail("gone");
  await expect(response).rejects.toThrow("gone");
});

test("what is larger than the server takes is answered here and not sent", async () => {
  const { line, requests } = made();
  const response = await requests.request("callback", "", large);
  expect([response.ok, response.status, await response.text(), line.sent]).toEqual([false, 413, "too large", []]);
});

test("what the server says it does not take only after it was made, is not sent either", async () => {
  const { line, requests } = made();
  Object.assign(line, { isOpen: false, largest: 10_000 });
  const response = requests.request("callback", "", large);
  Object.assign(line, { isOpen: true, largest: 1_000 });
  requests.sendAgain();
  expect([(await response).status, line.sent]).toEqual([413, []]);
});

test("the request that the server could not read is answered here, the others are sent again", async () => {
  const { line, requests } = made();
  const response = requests.request("callback", "", "1");
  void requests.request("callback", "", "2");
  requests.carried().find(({ name }) => name === "request 1:")!.giveUp("unreadable");
  expect(await (await response).text()).toBe("unreadable");
  requests.sendAgain();
  expect(line.sent.slice(2).map((frame) => JSON.parse(frame).ref)).toEqual([2]);
});

test("a request under which three lines were lost is given up", async () => {
  const { line, requests } = made();
  const response = requests.request("callback", "", "1");
  const failed = expect(response).rejects.toThrow("3 times");
  for (const _ of [1, 2]) {
    requests.interrupted(true);
    requests.sendAgain();
  }
  expect(line.sent).toHaveLength(3);
  requests.interrupted(true);
  requests.sendAgain();
  expect(line.sent).toHaveLength(3);
  await failed;
});

test("lines that did not carry a request, or that the page gave up itself, do not count", () => {
  const { line, requests } = made();
  line.isOpen = false;
  void requests.request("callback", "", "1");
  for (const _ of [1, 2, 3]) requests.interrupted(true);
  line.isOpen = true;
  requests.sendAgain();
  for (const _ of [1, 2, 3, 4]) {
    requests.interrupted(false);
    requests.sendAgain();
  }
  expect(line.sent).toHaveLength(5);
});
