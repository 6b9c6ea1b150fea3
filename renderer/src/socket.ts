// The line: one WebSocket at a time, opened again for ever unless the server said not to.
import {
  DOUBTFUL_TIME,
  FIRST_DELAY,
  GIVEN_UP,
  LAST_DELAY,
  LONGEST_SILENCE,
  LOST_PER_DELAY,
  PATIENT_DELAY,
  SILENT_TIME,
} from "./limits";
import { CLOSE } from "./protocol";
import { clock } from "./values";

/** What becomes of the line. */
export interface Line {
  openLine(): void;
  receiveText(text: string): void;
  /** The line is lost; `reason`: words, where there is more to say. `isFinal`: it stays so. `by`: how it was closed, if not by us. */
  lostLine(reason: string, isFinal: boolean, by?: Closed): void;
  /** The server speaks another version. */
  outdatedPage(): void;
}

/** How a socket was closed. */
export type Closed = Pick<CloseEvent, "code" | "reason">;

const OPEN = 1; // of a WebSocket's `readyState`
const BAD = "Bad message";
const REASONS: Record<number, string> = {
  [CLOSE.UNSUPPORTED]: BAD,
  [CLOSE.INVALID]: BAD,
  [CLOSE.TOO_BIG]: "Message too big",
  [CLOSE.BAD_MESSAGE]: BAD,
  [CLOSE.UNAUTHENTICATED]: "Please log in",
  [CLOSE.FORBIDDEN]: "Not allowed",
  [CLOSE.REPLACED]: "Page open elsewhere",
  [CLOSE.TOO_FAST]: "Too many changes",
};

/** `url` is asked for each time. */
export function createSocket(url: () => string, line: Line) {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lostAt = 0; // ms; of the first failure since the last message
  let least = FIRST_DELAY; // ms; the shortest span an attempt is drawn from
  let isWanted = true;
  let heardAt = 0; // ms; of the last message, or of the line's beginning
  let beats = 0; // heartbeats of this line
  let patience = SILENT_TIME;

  function after(delay: number, run: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(run, delay);
  }

  function connect(): void {
    const mine = (socket = new WebSocket(url()));
    // A late event of an old socket must not touch the new one.
    mine.onopen = () => mine === socket && line.openLine();
    mine.onmessage = ({ data }) => mine === socket && heard(data);
    mine.onclose = (event) => mine === socket && closed(event);
    beats = 0;
    heardAt = clock();
    watch();
  }

  function heard(text: string): void {
    lostAt = 0;
    least = FIRST_DELAY;
    heardAt = clock();
    line.receiveText(text);
  }

  /** Look whether the line is silent for too long. One timer that is late now and then is cheaper than one per message. */
  function watch(): void {
    const isOpen = socket!.readyState === OPEN;
    const left = heardAt + (isOpen ? patience : SILENT_TIME) - clock();
    if (left > 0) return after(left, watch);
    // Where a frame takes longer than that, it would never arrive: more time for the next line.
    if (isOpen) patience = Math.min(LONGEST_SILENCE, 2 * patience);
    drop(GIVEN_UP);
    retry(0);
  }

  function closed(by: Closed): void {
    const { code, reason } = by;
    if (!beats) askWhy();
    forget();
    if (code === CLOSE.VERSION) return line.outdatedPage();
    isWanted = ![CLOSE.UNAUTHENTICATED, CLOSE.FORBIDDEN, CLOSE.REPLACED].includes(code as never);
    line.lostLine(REASONS[code] ?? "", !isWanted, by);
    const hint = +reason.split("retry ")[1]!;
    if (hint > least) least = hint;
    if (isWanted) retry([CLOSE.BAD_MESSAGE, CLOSE.TOO_FAST].includes(code as never) ? PATIENT_DELAY : 0, hint);
  }

  /** Browsers do not say why a line was refused. Over HTTP the same question has an answer: does one have to log in? */
  function askWhy(): void {
    beats = 1; // asked once for each line; nobody's cookie is a path that costs nothing and that all may ask for
    const asked = fetch(url().replace(/^ws(.*)socket$/, "http$1cookie/0"), { method: "HEAD" });
    const refused = { code: CLOSE.UNAUTHENTICATED, reason: "" };
    asked.then(({ status }) => status === 401 && closed(refused)).catch(() => {});
  }

  /**
   * Full jitter: a thousand pages must not come back in the same instant; a server that stops says how many there are.
   * The span grows with the time that was lost, not with the attempts: who drew short ones would soon wait the longest, but
   * all shall be back in time. A hidden page waits until it is seen.
   */
  function retry(pause: number, hint?: number): void {
    lostAt ||= clock();
    const span = hint || Math.max(least, Math.min(LAST_DELAY, (clock() - lostAt) / LOST_PER_DELAY));
    after(pause + Math.random() * span, () => document.hidden || connect());
  }

  function forget(): void {
    socket = undefined;
    clearTimeout(timer);
  }

  function drop(code: number): void {
    const old = socket;
    forget();
    if (!old) return;
    old.close(code);
    line.lostLine("", false);
  }

  function restart(): void {
    lostAt = 0; // somebody waits: what was lost before does not count
    drop(GIVEN_UP);
    connect();
  }

  function wake(): void {
    if (isWanted && !document.hidden && (!socket || clock() - heardAt > DOUBTFUL_TIME)) restart();
  }

  return {
    /** Open the line, and open it again whenever it is lost. */
    startLine(): void {
      // `resume` is an event of the document that does not bubble.
      for (const name of ["online", "pageshow", "resume", "visibilitychange"]) addEventListener(name, wake, true);
      addEventListener("pagehide", ({ persisted }) => persisted && drop(CLOSE.NORMAL));
      connect();
    },

    /** Close the line and open it again: the other end has to hear where we stand now. */
    restartLine: restart,

    /** Send one frame, if the line is there: else it is dropped, and the session and the requests send theirs again. */
    send(frame: string): boolean {
      const isOpen = socket?.readyState === OPEN;
      if (isOpen) socket!.send(frame);
      return isOpen;
    },

    /** A heartbeat came. The first one is part of the welcome: only a later one says that the line keeps up. */
    beat(): void {
      if (beats++) patience = SILENT_TIME;
    },
  };
}
