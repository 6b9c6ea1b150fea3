// Says at the controls themselves what they are worth: not live, not confirmed, refused.
import { elementOf } from "./element";
import { MARKED_TIME, PENDING_TIME } from "./limits";
import { clock } from "./values";

const LABEL = "[data-dash-devices";
// Nothing moves: no size, no place. What lies in something stale is dimmed with it, and only once.
const STYLE =
  `${LABEL}=stale]{opacity:.5;filter:grayscale(1)}${LABEL}=stale] ${LABEL}=stale]{opacity:1}` +
  // Inside: many controls cut off what is outside.
  `${LABEL}]{outline-offset:-2px}${LABEL}=pending]{outline:2px dashed #e90!important}${LABEL}$=ed]{outline:2px solid #d33!important}`;

/** `staleIds`: components whose values come over the line; `pendingIds`: those with changes up to then that wait for an answer. */
export function createLabels(staleIds: () => string[], pendingIds: (until: number) => string[]) {
  const notices = new Map<string, string>();
  const observer = new MutationObserver(paint);
  // A sheet made by script needs no permission of a Content-Security-Policy.
  const sheet = new CSSStyleSheet();
  let labels = new Map<string, string>();
  let isDown = false;
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets.push(sheet);

  function paint(): void {
    labels = new Map(isDown ? staleIds().map((id) => [id, "stale"]) : []);
    pendingIds(isDown ? Infinity : clock() - PENDING_TIME).forEach((id) => labels.set(id, "pending"));
    notices.forEach((label, id) => labels.set(id, label));
    document.querySelectorAll<HTMLElement>(`${LABEL}]`).forEach(({ id, dataset }) => labels.has(id) || delete dataset["dashDevices"]);
    labels.forEach((label, id) => {
      const element = elementOf(id);
      if (element) element.dataset["dashDevices"] = label;
    });
  }

  return {
    /** The line is lost, or is whole again and the page has caught up. */
    showDown(now: boolean): void {
      isDown = now;
      observer.disconnect();
      // What comes into the document meanwhile is not live either.
      if (now) observer.observe(document, { childList: true, subtree: true });
      paint();
    },

    /** Look again at what is pending. */
    paint,

    /** There was a change, or an answer to one. Costs nothing while nothing is labelled; with the line down something is. */
    look: (): void => void (labels.size && paint()),

    /** Show for a moment at a control that its change did not count: `label` is `refused` or `unconfirmed`. */
    notify(id: string, label: string, message: string): void {
      const element = elementOf(id);
      const isNew = !notices.has(id);
      if (!element) return;
      notices.set(id, label);
      paint();
      if (!isNew) return;
      const { title } = element;
      element.title = message;
      setTimeout(() => {
        notices.delete(id);
        element.title = title;
        paint();
      }, MARKED_TIME);
    },
  };
}
