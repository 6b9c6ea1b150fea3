// Puts values of the server into the page.
import type { Callback, Renderer } from "./dash";
import { keyOf } from "./ids";
import type { Triple } from "./protocol";
import { Unmounted } from "./unmounted";
import { equal, holdsComponents, isPatch, type Props } from "./values";

/** A callback that was not told of a value, because it was under way. */
interface Debt {
  callback: Callback;
  id: string;
  property: string;
}
type Named = [string, any][];

export class Writer {
  readonly unmounted = new Unmounted();
  private depth_ = 0;
  private plain_ = false;
  private debts_ = new Map<Callback, Map<string, Debt>>();

  constructor(private dash_: Renderer) {}

  /** Are the changes seen now our own? */
  get writing(): boolean {
    return this.depth_ > 0;
  }

  /** Is what is being written sure to bring and remove no component? */
  get plain(): boolean {
    return this.plain_;
  }

  /** Write values in one synchronous task. What is not in the page is kept for when it is. */
  write(triples: Triple[], differing = false): void {
    this.own_(() => {
      for (const [id, named] of grouped(triples)) {
        if (this.dash_.component(id)) this.writeOne_(id, named, differing);
        else for (const [property, value] of named) this.unmounted.keep([id, property, value]);
      }
    });
  }

  /** Events, one by one. Whoever is not in the page misses them. */
  fire(events: Triple[]): void {
    this.own_(() => {
      for (const [id, property, value] of events) {
        if (this.dash_.component(id)) this.writeOne_(id, [[property, value]], false);
      }
    });
  }

  /** Components have appeared: write what was kept for them. Values that came with newer components stay. */
  appeared(): void {
    if (!this.unmounted.size) return;
    const kept = this.unmounted.take((id) => this.dash_.component(id) !== undefined);
    const wanted = this.writing ? kept.filter(([id, property]) => this.dash_.component(id)!.props[property] === undefined) : kept;
    this.write(wanted, true);
  }

  /** Tell callbacks that are done what they missed. */
  settle(): void {
    if (!this.debts_.size) return;
    const due: Debt[] = [];
    for (const [callback, debts] of this.debts_) {
      if (this.dash_.finishing(callback) || [...debts.values()].some((debt) => this.isBusy_(debt))) continue;
      this.debts_.delete(callback);
      due.push(...debts.values());
    }
    // Not inside the dispatch that ends the run: its result comes first.
    if (due.length) queueMicrotask(() => this.own_(() => due.forEach((debt) => this.tell_(debt))));
  }

  private own_(run: () => void): void {
    const undoable = this.dash_.undoable;
    this.depth_++;
    try {
      run();
    } finally {
      this.dash_.forgetUndo(undoable);
      this.depth_--;
    }
  }

  private writeOne_(id: string, named: Named, differing: boolean): void {
    const old = this.dash_.component(id)!.props;
    const wanted = differing ? named.filter(([property, value]) => !equal(old[property], value)) : named;
    if (!wanted.length) return;
    const before = this.plain_;
    this.plain_ = !wanted.some(([property, value]) => isPatch(value) || holdsComponents(property, value) || holdsComponents(property, old[property]));
    try {
      this.put_(id, wanted);
    } catch (error) {
      // One bad value must not keep the others from the page.
      console.error(`dash_devices: ${id}: the page refused ${wanted.map(([property]) => property).join(", ")}`, error);
    }
    this.plain_ = before;
  }

  private put_(id: string, named: Named): void {
    const props: Props = Object.fromEntries(named);
    if (this.plain_ && !named.some(([property]) => this.dash_.listeners(id, property).length)) return this.dash_.put(id, props);
    const names = named.map(([property]) => property);
    this.tellSome_(id, names, (debt) => !this.isBusy_(debt) || this.owe_(debt), props);
  }

  private isBusy_({ callback, id, property }: Debt): boolean {
    return this.dash_.running(callback, id, property);
  }

  /** The renderer would throw away the result of a run whose input changes: tell that callback later. */
  private owe_(debt: Debt): false {
    const debts = this.debts_.get(debt.callback) ?? new Map<string, Debt>();
    this.debts_.set(debt.callback, debts.set(keyOf(debt.id, debt.property), debt));
    return false;
  }

  private tell_(debt: Debt): void {
    const component = this.dash_.component(debt.id);
    if (!component) return;
    if (this.isBusy_(debt)) return void this.owe_(debt);
    this.plain_ = true;
    this.tellSome_(debt.id, [debt.property], ({ callback }) => callback === debt.callback, { [debt.property]: component.props[debt.property] });
    this.plain_ = false;
  }

  /** Set properties while only some of the callbacks that listen are known to the renderer. */
  private tellSome_(id: string, names: string[], isTold: (debt: Debt) => boolean, props: Props): void {
    const restore: (() => void)[] = [];
    for (const property of names) {
      for (const { owner, name } of this.dash_.listeners(id, property)) {
        const all = owner[name]!;
        owner[name] = all.filter((callback) => isTold({ callback, id, property }));
        restore.push(() => (owner[name] = all));
      }
    }
    try {
      this.dash_.setProps(id, props);
    } finally {
      restore.forEach((undo) => undo());
    }
  }
}

/** Neighbours of the same component as one write; a property that comes twice starts a new one. */
function grouped(triples: Triple[]): [string, Named][] {
  const groups: [string, Named][] = [];
  for (const [id, property, value] of triples) {
    const last = groups[groups.length - 1];
    if (last?.[0] === id && !last[1].some(([name]) => name === property)) last[1].push([property, value]);
    else groups.push([id, [[property, value]]]);
  }
  return groups;
}
