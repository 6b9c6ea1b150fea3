// Which properties of which components the server wants to hear about.
import { type DashId, fits, hasWildcards, namesOf, ownText, parseId } from "./ids";
import type { Watch } from "./protocol";

type StateRef = [string, string];
/** Watched properties of one component, each with the State that travels with its changes. */
export type Watched = Map<string, StateRef[]>;
interface Pattern {
  id: DashId;
  property: string;
  state: StateRef[];
}

const RESOLVED_LIMIT = 10_000;

/** The watch list: literal ids are found by one look-up, others by the patterns that have the same names. */
export class WatchList {
  private literals_ = new Map<string, Watched>();
  private patterns_ = new Map<string, Pattern[]>();
  private resolved_ = new Map<string, Watched | undefined>();

  constructor(list: Watch[] = []) {
    for (const { id: text, property, state } of list) {
      const id = parseId(text);
      if (hasWildcards(id)) put(this.patterns_, namesOf(id)).push({ id, property, state });
      else add(this.literals_, ownText(text), property, state);
    }
  }

  /** Ids without wildcards that are watched. */
  get literals(): Iterable<string> {
    return this.literals_.keys();
  }

  /** Names of the ids that patterns may match. */
  get patternNames(): Iterable<string> {
    return this.patterns_.keys();
  }

  /** What is watched of a component; undefined: nothing. */
  of(text: string): Watched | undefined {
    if (!text.startsWith("{")) return this.literals_.get(text);
    if (!this.resolved_.has(text)) {
      if (this.resolved_.size >= RESOLVED_LIMIT) this.resolved_.clear();
      this.resolved_.set(text, this.resolve_(text));
    }
    return this.resolved_.get(text);
  }

  private resolve_(text: string): Watched | undefined {
    const id = parseId(text);
    const found = new Map<string, Watched>();
    this.literals_.get(text)?.forEach((state, property) => add(found, text, property, state));
    for (const pattern of this.patterns_.get(namesOf(id)) ?? []) {
      if (fits(id, pattern.id)) add(found, text, pattern.property, pattern.state);
    }
    return found.get(text);
  }
}

function put(patterns: Map<string, Pattern[]>, names: string): Pattern[] {
  const list = patterns.get(names) ?? [];
  patterns.set(names, list);
  return list;
}

function add(watched: Map<string, Watched>, id: string, property: string, state: StateRef[]): void {
  const properties = watched.get(id) ?? new Map<string, StateRef[]>();
  properties.set(property, [...(properties.get(property) ?? []), ...state]);
  watched.set(id, properties);
}
