// Questions about property values, asked of anything that JSON can hold.

export type Props = Record<string, any>;

/** Properties that hold data and never a component, however deep they are. */
const DATA = new Set(["figure", "data", "extendData", "prependData", "src", "value", "rowData", "contents"]);
const SCAN_LIMIT = 5000;

/** The same JSON value? Quick where both are the same object, or plain. */
export function equal(a: any, b: any): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && equal(a[name], b[name]));
}

/** Is it an instruction to change a value, and no value itself? */
export function isPatch(value: any): boolean {
  return typeof value === "object" && value !== null && "__dash_patch_update" in value;
}

function isComponent(value: Props): boolean {
  return "props" in value && "type" in value && "namespace" in value;
}

function findsComponent(value: any, budget: { left: number }): boolean {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  // A value too big to look through is taken for one with components: that costs time, never a wrong page.
  if (--budget.left < 0 || isComponent(value)) return true;
  return (Array.isArray(value) ? value : Object.values(value)).some((item) => findsComponent(item, budget));
}

/** May a property with this value bring components into the page? */
export function holdsComponents(property: string, value: any): boolean {
  return !DATA.has(property) && findsComponent(value, { left: SCAN_LIMIT });
}
