// Which reports of components are no changes: those of mounting, and those of a callback's initial call.

const TAINT_LIMIT = 10_000;

/** Components that nobody can have touched yet: what they report, they report because they were mounted. */
export class Unsettled {
  private ids_ = new Set<string>();

  /** `touchable`: is it in the document, so that an interaction may have been with it? */
  constructor(private touchable_: (id: string) => boolean) {}

  get size(): number {
    return this.ids_.size;
  }

  add(id: string): void {
    this.ids_.add(id);
  }

  delete(id: string): void {
    this.ids_.delete(id);
  }

  clear(): void {
    this.ids_.clear();
  }

  /** Somebody did something: from now on, what is there reports changes. Costs nothing once all are settled. */
  interact(): void {
    for (const id of this.ids_) if (this.touchable_(id)) this.ids_.delete(id);
  }

  /** Is a report of this component one of mounting? `shy`: it has no element, so its first report settles it. */
  report(id: string, shy: boolean): boolean {
    if (!this.ids_.has(id)) return false;
    if (shy) this.ids_.delete(id);
    return true;
  }
}

/** As much of a callback that has run as is needed here. */
export interface Run {
  initialCall: boolean;
  changedPropIds: Record<string, unknown>;
}

/** Properties that have their value from a callback's initial call, or from callbacks that only those caused. */
export class Taints {
  private keys_ = new Set<string>();

  /** Was this run nobody's doing? */
  initial(run: Run): boolean {
    const causes = Object.keys(run.changedPropIds);
    return run.initialCall || causes.every((key) => this.keys_.has(key));
  }

  set(key: string, tainted: boolean): void {
    this.keys_.delete(key);
    if (!tainted) return;
    if (this.keys_.size >= TAINT_LIMIT) this.keys_.delete(this.keys_.values().next().value!);
    this.keys_.add(key);
  }

  clear(): void {
    this.keys_.clear();
  }
}

