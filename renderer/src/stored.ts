// What a tab remembers over a reload.
import { complain } from "./element";

/** What the tab keeps under a key, after keeping `value` if there is one. null: nothing, or the browser forbids it. */
export function stored(key: string, value?: string): string | null {
  try {
    if (value) sessionStorage.setItem(key, value);
    return sessionStorage.getItem(key);
  } catch (error) {
    complain("the browser keeps nothing", error);
    return null;
  }
}
