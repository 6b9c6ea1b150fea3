// Component ids: a string, or an object with plain values. On the wire and as keys both are text.

export type DashId = string | Record<string, any>;

const parsed = new Map<string, DashId>();
const PARSED_LIMIT = 10_000;

/** The text of an id: itself, or JSON with sorted names and no spaces. */
export function idText(id: DashId): string {
  if (typeof id === "string") return id;
  const parts = Object.keys(id).sort().map((name) => `${JSON.stringify(name)}:${JSON.stringify(id[name])}`);
  return `{${parts.join(",")}}`;
}

/** The id that a text stands for. Raises SyntaxError for text that starts like JSON and is none. */
export function parseId(text: string): DashId {
  if (!text.startsWith("{")) return text;
  let id = parsed.get(text);
  if (id === undefined) {
    if (parsed.size >= PARSED_LIMIT) parsed.clear();
    parsed.set(text, (id = JSON.parse(text) as DashId));
  }
  return id;
}

/** The text that this page uses for an id that came from elsewhere: other writers escape and sort differently. */
export function ownText(text: string): string {
  return text.startsWith("{") ? idText(parseId(text)) : text;
}

/** One name for a property of a component. */
export function keyOf(id: string, property: string): string {
  return `${id}.${property}`;
}

function isWildcard(value: any): boolean {
  return Array.isArray(value) && value.length === 1 && ["ALL", "MATCH", "ALLSMALLER"].includes(value[0]);
}

/** Does the id stand for several components? */
export function hasWildcards(id: DashId): boolean {
  return typeof id !== "string" && Object.values(id).some(isWildcard);
}

/** Sorted names of an object id: ids with the same names may match the same patterns. */
export function namesOf(id: DashId): string {
  return Object.keys(id).sort().join(",");
}

/** Do the values of an id fit a pattern that has the same names? */
export function fits(id: DashId, pattern: DashId): boolean {
  const values = id as Record<string, any>;
  return Object.entries(pattern).every(([name, wanted]) => isWildcard(wanted) || values[name] === wanted);
}
