// Every limit and every time of the plug-in. No imports here: then the numbers go straight into the bundle.

/** Parts of a value that are searched for components. */
export const SCANNED_PARTS = 5_000;
/** Properties that are kept for components that are not in the page, that are known as tainted, or as mounted. */
export const KEPT_PROPERTIES = 10_000;
/** Components in one mount message. */
export const MOUNT_COMPONENTS = 10_000;
/** Milliseconds in which a component that has appeared in the document says what belongs to that. */
export const SETTLE_TIME = 100;
/** Milliseconds in which an event near a component, or in a menu, may be meant for it. */
export const NEARBY_TIME = 1_000;
/** Answers of a component to writes of the same property, by another value, that are reported in a time. */
export const ANSWERS = 5;
/** Milliseconds of that time: two tabs that answer each other are faster, timers of alarms are slower. */
export const ANSWERS_TIME = 1_000;
/** Milliseconds until a page that is always busy counts as idle: with the processor 20 times slower, mounting took up to 2 s. */
export const IDLE_TIME = 3_000;
/** Milliseconds until the first look whether a component is in the document. */
export const FIRST_LOOK = 10;
/** Milliseconds in which the server answers a mount, if it does. */
export const ANSWER_TIME = 10_000;

/** Milliseconds: a line that does not open in that time never will; one that is silent for so long is dead. */
export const SILENT_TIME = 9_000;
/** Milliseconds: longer than a heartbeat. Whoever comes back to such a line does not wait for it to die. */
export const DOUBTFUL_TIME = 6_000;
/** Milliseconds: the longest silence that is borne from a line on which frames may take long. */
export const LONGEST_SILENCE = 72_000;
/** Milliseconds: the shortest span an attempt is drawn from. */
export const FIRST_DELAY = 250;
/** So long without a line makes the span 1 longer: a server that is back after 2 s has all pages within 3.4 s. */
export const LOST_PER_DELAY = 1.5;
/** Milliseconds: the longest span an attempt is drawn from. */
export const LAST_DELAY = 8_000;
/** Lines that may be lost under a request before it is given up. */
export const TRIES = 3;
/** Milliseconds to wait at least after the server complained about us. */
export const PATIENT_DELAY = 5_000;
/** Close code of a line that is given up for another one: a tab that goes away closes with another. */
export const GIVEN_UP = 4_000;

/** Milliseconds without a line before the server is called gone. */
export const GONE_TIME = 15_000;
/** Milliseconds that a refused control is marked. */
export const MARKED_TIME = 2_000;
/** Milliseconds: a change without an answer for so long is shown as pending. */
export const PENDING_TIME = 1_000;

/** Milliseconds between looks for something that is to appear in the document. */
export const LOOK_TIME = 100;
/** Looks for the control that a text is put back into. */
export const LOOKS = 100;
