// Component ids: a string, or an object with plain values. On the wire and as keys both are text.
import { entries, isArray, keys, parse, stringify, values } from "./values";

export type DashId = string | Record<string, any>;

/** Is it the text of an object id? A string id never starts like that. */
export const isObjectText = (text: string): boolean => text.startsWith("{");

/** The text of an id: itself, or JSON with sorted names and no spaces. */
export function idText(id: DashId): string {
  if (typeof id === "string") return id;
  return `{${keys(id).sort().map((name) => `${stringify(name)}:${stringify(id[name])}`)}}`;
}

/** The id that a text stands for. Raises SyntaxError for text that starts like JSON and is none. */
export const parseId = (text: string): DashId => (isObjectText(text) ? parse(text) : text);

/** The text that this page uses for an id that came from elsewhere: other writers escape and sort differently. */
export const ownText = (text: string): string => idText(parseId(text));

/** One name for a property of a component. */
export const keyOf = (id: string, property: string): string => `${id}.${property}`;

/** The id in such a name: no property has a dot. */
export const idOf = (key: string): string => key.slice(0, key.lastIndexOf("."));

/** Sorted names of an object id: ids with the same names may match the same patterns. */
export const namesOf = (id: DashId): string => `${keys(id).sort()}`;

/** Does the id stand for several components? A wildcard is a list with its name, as in `["ALL"]`; no other value is a list. */
export const hasWildcards = (id: DashId): boolean => values(id).some(isArray);

/** Is an object id one of those that another, maybe with wildcards, stands for? */
export function fits(id: DashId, pattern: DashId): boolean {
  return namesOf(id) === namesOf(pattern) && entries(pattern).every(([name, wanted]) => isArray(wanted) || (id as any)[name] === wanted);
}
