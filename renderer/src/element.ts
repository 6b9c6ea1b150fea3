/** The element of a component; null for one that has none, or is not in the document. */
export const elementOf = (id: string): HTMLElement | null => document.getElementById(id);

/** Is it in the document, but not in the app: at the end, where libraries draw menus? */
export function isElsewhere(target: any): boolean {
  const app = elementOf("react-entry-point");
  return !!target?.contains && !target.contains(app) && !app?.contains(target);
}

/** Say in the console what went wrong here; the page goes on. */
export const complain = (what: string, ...details: unknown[]): void => console.error(`dash_devices: ${what}`, ...details);
