// What a tab remembers over a reload.

/** What the tab keeps under a key, after keeping `value` if there is one. null: nothing, or the browser forbids it. */
export function stored(key: string, value?: string): string | null {
  try {
    if (value) sessionStorage.setItem(key, value);
    return sessionStorage.getItem(key);
  } catch (error) {
    console.debug("dash_devices: this browser keeps nothing", error);
    return null;
  }
}
