// Puts values of the server into the page.
import type { Callback, Renderer } from "./dash";
import { complain } from "./element";
import { keyOf } from "./ids";
import { KEPT_PROPERTIES } from "./limits";
import { isPoints, pointsCome, putPointsInto } from "./points";
import type { Triple } from "./protocol";
import { equal, forgetOldest, fromEntries, holdsComponents, isPatch, type Props } from "./values";

/** A callback that was not told of a property, because it was under way. */
type Debt = [callback: Callback, id: string, property: string];

export type Writer = ReturnType<typeof createWriter>;

export function createWriter(dash: Renderer) {
  const kept = new Map<string, Triple[]>();
  const debts = new Map<Callback, Map<string, Debt>>();
  const steps: (() => unknown)[] = [];
  let depth = 0;
  let plain = false;

  function own(run: () => void): void {
    depth++;
    try {
      dash.withoutUndo(run);
    } finally {
      depth--;
    }
  }

  /** Keep a value for a component that is not in the page. */
  function keep(triple: Triple): void {
    const key = keyOf(triple[0], triple[1]);
    const before = kept.get(key);
    // A patch without its base is of no use: the component will come with a value that has it already.
    if (isPatch(triple[2]) && !before) return;
    kept.delete(key);
    kept.set(key, [...(isPatch(triple[2]) ? before! : []), triple]);
    forgetOldest(kept, KEPT_PROPERTIES);
  }

  function write(triples: Triple[], differing = false): void {
    own(() => grouped(triples).forEach((group) => (dash.component(group[0]![0]) ? writeOne(group, differing) : group.forEach(keep))));
  }

  /** Write some properties of one component. */
  function writeOne(group: Triple[], differing = false): void {
    const id = group[0]![0];
    const { props } = dash.component(id)!;
    // What comes takes them to be in the figure.
    const isUndrawn = group.some(([, property]) => property === "figure") && putPointsInto(props["figure"]?.data);
    const named = group.filter(([, property, value]) => !differing || isUndrawn || !equal(props[property], value));
    if (!named.length) return;
    const before = plain;
    plain = !named.some(([, name, value]) => isPatch(value) || holdsComponents(name, value) || holdsComponents(name, props[name]));
    try {
      if (plain && !named.some(([, property]) => dash.listenersOf(id, property).length)) dash.putProps(id, propsOf(named));
      else tell(named, (debt) => !dash.isRunning(...debt) || owe(debt));
    } catch (error) {
      // One bad value must not keep the others from the page.
      complain("the page refused", named, error);
    }
    plain = before;
  }

  /** The renderer would throw away the result of a run whose input changes: that callback is told later. */
  function owe(debt: Debt): boolean {
    const [callback, id, property] = debt;
    debts.set(callback, (debts.get(callback) ?? new Map<string, Debt>()).set(keyOf(id, property), debt));
    return false;
  }

  /** Set properties while only some of the callbacks that listen are known to the renderer. */
  function tell(named: Triple[], isTold: (debt: Debt) => boolean): void {
    const restore: (() => void)[] = [];
    for (const [id, property] of named) {
      for (const { owner, name } of dash.listenersOf(id, property)) {
        const all = owner[name]!;
        owner[name] = all.filter((callback) => isTold([callback, id, property]));
        restore.push(() => (owner[name] = all));
      }
    }
    try {
      dash.setProps(named[0]![0], propsOf(named));
    } finally {
      restore.forEach((undo) => undo());
    }
  }

  function pay(debt: Debt): void {
    const [callback, id, property] = debt;
    const found = dash.component(id);
    if (!found || (dash.isRunning(...debt) && !owe(debt))) return;
    plain = true;
    tell([[id, property, found.props[property]]], ([other]) => other === callback);
    plain = false;
  }

  /** React draws in a microtask: an event written in the one after it is seen by itself, and after the values before it. */
  function soon(step: () => unknown): void {
    if (steps.push(step) === 1) queueMicrotask(next);
  }

  function next(): void {
    let isDone = true;
    try {
      isDone = !steps[0]!();
    } catch (error) {
      complain("an event could not be written", error);
    }
    if (isDone) steps.shift();
    if (steps.length) queueMicrotask(next);
  }

  /** Write an event. Returns whether it has to be tried again. */
  function happen(event: Triple): boolean {
    const [id] = event;
    const found = dash.component(id);
    if (!found) return happenUnseen(event);
    const figure = pointsCome(event, found);
    // A Graph that is given a figure and points at once loses the points.
    own(() => (figure ? dash.putProps(id, { figure }) : writeOne([event])));
    return !!figure;
  }

  /** The component comes with its points, or takes the figure that is kept for it. */
  function happenUnseen(event: Triple): false {
    const key = keyOf(event[0], "figure");
    const [[, , figure] = [], ...patches] = kept.get(key) ?? [];
    if (patches.length && isPoints(event[1])) kept.delete(key);
    else if (figure) pointsCome(event, { type: "Graph", namespace: "", props: { figure } });
    return false;
  }

  return {
    /** Are the changes seen now our own? */
    isWriting: (): boolean => depth > 0,

    /** Is what is being written sure to bring and remove no component? */
    isPlain: (): boolean => plain,

    /** Write values in one synchronous task. What is not in the page is kept for when it is. */
    write,

    /** Write events, one by one. Whoever is not in the page misses them. */
    fire: (events: Triple[]): void => events.forEach((event) => soon(() => happen(event))),

    /** Run something when all events are written. */
    afterEvents: (run: () => void): void => (steps.length ? soon(run) : run()),

    /** Components have appeared: write what was kept for them. Values that came with newer components stay. */
    appeared(): void {
      for (const [key, triples] of kept) {
        const [id, property] = triples[0]!;
        const found = dash.component(id);
        if (found) kept.delete(key);
        if (found && (!depth || found.props[property] === undefined)) write(triples, true);
      }
    },

    /** Tell callbacks that are done what they missed. */
    settleDebts(): void {
      for (const [callback, owed] of debts) {
        if ([...owed.values()].some((debt) => dash.isRunning(...debt))) continue;
        debts.delete(callback);
        // Not inside the dispatch that ends the run: its result comes first.
        queueMicrotask(() => own(() => owed.forEach(pay)));
      }
    },
  };
}

const propsOf = (named: Triple[]): Props => fromEntries(named.map(([, property, value]) => [property, value]));

/** Neighbours of the same component as one write; a property that comes twice starts a new one. */
function grouped(triples: Triple[]): Triple[][] {
  const groups: Triple[][] = [];
  for (const triple of triples) {
    const group = groups[groups.length - 1];
    if (group?.every(([id, property]) => id === triple[0] && property !== triple[1])) group.push(triple);
    else groups.push([triple]);
  }
  return groups;
}
