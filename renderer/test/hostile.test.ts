// Ids, properties, keys and patches that aim at the prototypes of all objects. HOSTILE=100000 tries that many.
import { afterEach, expect, test, vi } from "vitest";
import type { Mods, Triple } from "../src/protocol";
import { createSession } from "../src/session";
import { component, fakeApp, watch } from "./page";

const TRIES = Number(process.env["HOSTILE"] ?? 2_000);
const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"];
const IDS = [...NAMES, "a", "box", '{"__proto__":1}', '{"__proto__":{"polluted":1}}', '{"constructor":["ALL"]}', '{"index":0,"type":"t"}'];
const PROPERTIES = [...NAMES, "value", "children", "extendData", "figure"];
const OPERATIONS = ["Assign", "Merge", "Append", "Extend", "Insert", "Delete", "Add", "Clear"];
const PROTOTYPES: object[] = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype];

afterEach(() => vi.unstubAllGlobals());

/** The same tries each time. */
function random(seed: number) {
  const next = () => ((seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 8) / 2 ** 24;
  return <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
}

/** JSON text, for only there is `__proto__` a name like any other. */
function valueText(pick: ReturnType<typeof random>, depth = 3): string {
  const kind = pick(["scalar", "object", "list", "patch", "component"]);
  if (kind === "scalar" || !depth) return pick(['"polluted"', "1", "null", "true", '"__proto__"', "[]", "{}"]);
  const inner = () => valueText(pick, depth - 1);
  if (kind === "list") return `[${inner()},${inner()}]`;
  if (kind === "object") return `{"${pick(NAMES)}":${inner()},"polluted":${inner()}}`;
  if (kind === "component") return `{"namespace":"${pick(NAMES)}","type":"${pick(NAMES)}","props":{"id":"${pick(NAMES)}","${pick(NAMES)}":${inner()}}}`;
  const location = JSON.stringify([pick(NAMES), pick([...NAMES, "polluted"]), "polluted"].slice(0, pick([1, 2, 3])));
  const params = `{"value":${inner()},"index":0}`;
  return `{"__dash_patch_update":"__dash_patch_update","operations":[{"operation":"${pick(OPERATIONS)}","location":${location},"params":${params}}]}`;
}

const tripleText = (pick: ReturnType<typeof random>) =>
  `[${JSON.stringify(pick(IDS))},"${pick(PROPERTIES)}",${valueText(pick)}]`;

/** Everything that the prototypes have, and what they have it as. */
const shape = (): string =>
  PROTOTYPES.map((one) =>
    JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(one)).map(([name, { value, get }]) => [name, typeof value, `${value ?? get}`])),
  ).join();

test(`no mod, event, patch or watch reaches a prototype`, () => {
  const before = shape();
  const pick = random(7);
  const page = fakeApp(
    [
      component("Input", { id: "a", value: 1 }),
      component("Div", { id: "box", children: "text" }),
      component("Input", { id: { index: 0, type: "t" }, value: 2 }),
    ],
    [watch("a", "value")],
  );
  vi.spyOn(console, "error").mockReturnValue();
  const session = createSession("p", "b", {});
  for (let n = 1; n <= TRIES; n++) {
    const text = `{"type":"mods","seq":${n},"mods":[${tripleText(pick)},${tripleText(pick)}],"events":[${tripleText(pick)}],"lost":0}`;
    const message = JSON.parse(text) as Mods;
    for (const triple of [...message.mods, ...message.events]) triple[0] = session.adopt(triple[0]);
    session.arrived(message);
    page.writer.write(session.take(message).write, n % 2 === 0);
    page.writer.fire(message.events);
    page.watcher.readProps(pick(IDS.slice(0, 9)), PROPERTIES);
    page.watcher.isEcho(message.mods[0] as Triple);
    if (n % 50 === 0) page.watcher.watchList([{ id: pick(IDS), property: pick(PROPERTIES), state: [[pick(IDS), pick(PROPERTIES)]] }]);
    if (n % 50 === 1) page.dash.report("a", JSON.parse(`{"value":${valueText(pick)}}`));
  }
  expect(({} as any).polluted).toBeUndefined();
  expect(shape()).toBe(before);
});
