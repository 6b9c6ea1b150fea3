// Values for components that are not in the page yet.
import { keyOf } from "./ids";
import type { Triple } from "./protocol";
import { isPatch } from "./values";

/** Bounded; the newest value of a property wins, and with it the patches that came after it. */
export class Unmounted {
  private kept_ = new Map<string, Triple[]>();

  constructor(private limit_ = 10_000) {}

  get size(): number {
    return this.kept_.size;
  }

  keep(triple: Triple): void {
    const key = keyOf(triple[0], triple[1]);
    const before = this.kept_.get(key);
    // A patch without its base is of no use: the component will come with a value that has it already.
    if (isPatch(triple[2]) && !before) return;
    this.kept_.delete(key);
    this.kept_.set(key, isPatch(triple[2]) ? [...before!, triple] : [triple]);
    if (this.kept_.size > this.limit_) this.kept_.delete(this.kept_.keys().next().value!);
  }

  /** Take out the values of components that have appeared. */
  take(appeared: (id: string) => boolean): Triple[] {
    const taken: Triple[] = [];
    for (const [key, triples] of this.kept_) {
      if (!appeared(triples[0]![0])) continue;
      this.kept_.delete(key);
      taken.push(...triples);
    }
    return taken;
  }

  clear(): void {
    this.kept_.clear();
  }
}
