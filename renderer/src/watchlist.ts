// Which properties of which components the server wants to hear about.
import { type DashId, fits, hasWildcards, isObjectText, ownText, parseId } from "./ids";
import type { Watch } from "./protocol";

/** Watched properties of one component, each with the State that travels with its changes. */
export type Watched = Map<string, [string, string][]>;

/** Answers for one list: literal ids are found by one look-up, object ids are matched with the patterns too. */
export function createWatchList(list: Watch[]) {
  const literals = new Map<string, Watch[]>();
  const patterns: [DashId, Watch][] = [];
  for (const watch of list) {
    const id = parseId(watch.id);
    const text = ownText(watch.id);
    if (hasWildcards(id)) patterns.push([id, watch]);
    else literals.set(text, [...(literals.get(text) ?? []), watch]);
  }
  return {
    /** Every id and pattern on the list. */
    watchedTexts: [...literals.keys(), ...patterns.map(([, { id }]) => id)],

    /** What is watched of a component. */
    watchedOf(text: string): Watched {
      const matching = isObjectText(text) ? patterns.filter(([id]) => fits(parseId(text), id)) : [];
      const found: Watched = new Map();
      for (const { property, state } of [...(literals.get(text) ?? []), ...matching.map(([, watch]) => watch)]) {
        found.set(property, [...(found.get(property) ?? []), ...state]);
      }
      return found;
    },
  };
}
