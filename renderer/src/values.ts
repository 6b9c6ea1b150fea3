// Questions about property values, asked of anything that JSON can hold.
import { SCANNED_PARTS } from "./limits";

export type Props = Record<string, any>;

export const { keys, values, entries, fromEntries } = Object;
export const { isArray } = Array;
export const { parse, stringify } = JSON;

/** Milliseconds of this page's clock. */
export const clock = (): number => Date.now();

/** Properties that hold data and never a component, however deep they are. */
const DATA = /^(figure|data|extendData|prependData|src|value|rowData|contents)$/;

const isObject = (value: any): boolean => typeof value === "object" && value !== null;

/** The same JSON value? Quick where both are the same object, or plain. */
export function equal(a: any, b: any): boolean {
  if (a === b || !isObject(a) || !isObject(b)) return a === b;
  return isArray(a) === isArray(b) && keys(a).length === keys(b).length && keys(a).every((name) => name in b && equal(a[name], b[name]));
}

/** Is it an instruction to change a value, and no value itself? */
export const isPatch = (value: any): boolean => isObject(value) && "__dash_patch_update" in value;

/** May a property with this value bring components into the page? */
export function holdsComponents(property: string, value: any): boolean {
  let left = SCANNED_PARTS;
  // A value too big to look through is taken for one with components: that costs time, never a wrong page.
  const find = (part: any): boolean =>
    isObject(part) && (left-- < 0 || ("namespace" in part && "props" in part) || values(part).some(find));
  return !DATA.test(property) && find(value);
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Bytes of a text on the wire. */
export const bytes = (text: string): number => utf8(text).length;

/** Is a text longer than so many bytes? Most can be told without encoding them. */
export const exceeds = (text: string, limit: number): boolean => 3 * text.length > limit && bytes(text) > limit;

/** The CRC-32 of a text in UTF-8, as zlib has it, but as a signed number. */
export function crc32(text: string): number {
  let crc = -1;
  for (const byte of utf8(text)) {
    crc ^= byte;
    for (let bit = 8; bit--; ) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
  }
  return ~crc;
}

/** Keep a collection that remembers within a limit: the oldest goes. */
export function forgetOldest<Key>(kept: Map<Key, unknown> | Set<Key>, limit: number): void {
  if (kept.size > limit) kept.delete(kept.keys().next().value!);
}
