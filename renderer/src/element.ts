/** The element of a component; null for one that has none, or is not in the document. */
export const elementOf = (id: string): HTMLElement | null => document.getElementById(id);

/** Say in the console what went wrong here; the page goes on. */
export const complain = (what: string, ...details: unknown[]): void => console.error(`dash_devices: ${what}`, ...details);
