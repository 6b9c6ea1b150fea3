// Every limit and every time of the plug-in. No imports here: then the numbers go straight into the bundle.

/** Parts of a value that are searched for components. */
export const SCANNED_PARTS = 5_000;
/** Properties that are kept for components that are not in the page, that are known as tainted, or as mounted. */
export const KEPT_PROPERTIES = 10_000;
/** Components in one mount message. */
export const MOUNT_COMPONENTS = 10_000;
/** Milliseconds in which the server answers a mount, if it does. */
export const ANSWER_TIME = 10_000;

/** Milliseconds: a line that does not open in that time never will. */
export const CONNECT_TIME = 10_000;
/** Milliseconds before the second attempt; doubles with each failure. */
export const FIRST_DELAY = 250;
/** Milliseconds: the longest span an attempt is drawn from. */
export const LAST_DELAY = 8_000;
/** Milliseconds to wait at least after the server complained about us. */
export const PATIENT_DELAY = 5_000;
/** So many usual heartbeats without a word: the line is dead, whatever the browser thinks. */
export const SILENT_BEATS = 3;
/** Milliseconds: no shorter silence means anything. */
export const SHORTEST_SILENCE = 10_000;

/** Milliseconds without a line before the server is called gone. */
export const GONE_TIME = 15_000;
/** Milliseconds that a refused control is marked. */
export const MARKED_TIME = 2_000;
