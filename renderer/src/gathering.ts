// What the components of a page report in one task: one message for each of them, when the task is over.
import { complain } from "./element";
import type { Triple } from "./protocol";

/** What a page has to say of its components. */
export interface Report {
  id: string;
  kind: string;
  values: Triple[];
}

/** `tell` is called with each report, in order; `fits`: may these values be one message? */
export function createGathering(tell: (report: Report) => void, fits: (values: Triple[]) => boolean) {
  let gathered: Report[] = [];

  function tellAll(): void {
    const all = gathered;
    gathered = [];
    for (const report of all) {
      try {
        tell(report);
      } catch (error) {
        complain("a change was not reported", report, error);
      }
    }
  }

  /** Does it belong to the report before? What comes twice is two changes: callbacks get to see both. */
  function joins({ id, kind, values }: Report): boolean {
    const last = gathered[gathered.length - 1];
    if (last?.id !== id || last.kind !== kind) return false;
    const isTwice = values.some(([, property]) => last.values.some(([, other]) => other === property));
    const joined = [...last.values, ...values];
    if (isTwice || !fits(joined)) return false;
    last.values = joined;
    return true;
  }

  return (report: Report): void => {
    if (joins(report) || gathered.push(report) > 1) return;
    queueMicrotask(tellAll);
  };
}
