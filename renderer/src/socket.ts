// The line: one WebSocket at a time, opened again for ever unless the server said not to.
import { CONNECT_TIME, FIRST_DELAY, LAST_DELAY, PATIENT_DELAY, SHORTEST_SILENCE, SILENT_BEATS } from "./limits";
import { CLOSE } from "./protocol";

/** What becomes of the line. */
export interface Line {
  openLine(): void;
  receiveText(text: string): void;
  /** The line is lost; `reason`: words, where there is more to say. `isFinal`: it stays so. */
  lostLine(reason: string, isFinal: boolean): void;
  /** The server speaks another version. */
  outdatedPage(): void;
}

const BAD = "Bad message";
const REASONS: Record<number, string> = {
  [CLOSE.UNSUPPORTED]: BAD,
  [CLOSE.INVALID]: BAD,
  [CLOSE.TOO_BIG]: "Message too big",
  [CLOSE.BAD_MESSAGE]: BAD,
  [CLOSE.UNAUTHENTICATED]: "Please log in and reload",
  [CLOSE.FORBIDDEN]: "Not allowed to connect",
  [CLOSE.REPLACED]: "Page open elsewhere",
  [CLOSE.TOO_FAST]: "Too many changes",
};

/** `url` is asked for each time. */
export function createSocket(url: () => string, line: Line) {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let isWanted = true;
  let beatAt = 0; // ms; of the last heartbeat of this line, or 0

  function after(delay: number, run: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(run, delay);
  }

  function connect(): void {
    const mine = (socket = new WebSocket(url()));
    // A late event of an old socket must not touch the new one.
    mine.onopen = () => mine === socket && opened();
    mine.onmessage = ({ data }) => mine === socket && heard(data);
    mine.onclose = ({ code }) => mine === socket && closed(code);
    after(CONNECT_TIME, () => {
      drop();
      retry(0);
    });
  }

  function opened(): void {
    clearTimeout(timer);
    beatAt = 0;
    line.openLine();
  }

  function heard(text: string): void {
    failures = 0;
    line.receiveText(text);
  }

  function closed(code: number): void {
    socket = undefined;
    clearTimeout(timer);
    if (code === CLOSE.VERSION) return line.outdatedPage();
    isWanted = ![CLOSE.UNAUTHENTICATED, CLOSE.FORBIDDEN, CLOSE.REPLACED].includes(code as never);
    line.lostLine(REASONS[code] ?? "", !isWanted);
    if (isWanted) retry([CLOSE.BAD_MESSAGE, CLOSE.TOO_FAST].includes(code as never) ? PATIENT_DELAY : 0);
  }

  /** Full jitter: a thousand pages must not come back in the same instant. A hidden page waits until it is seen. */
  function retry(least: number): void {
    const span = Math.min(LAST_DELAY, FIRST_DELAY * 2 ** failures++);
    after(least + Math.random() * span, () => document.hidden || connect());
  }

  function drop(): void {
    const old = socket;
    socket = undefined;
    clearTimeout(timer);
    if (!old) return;
    old.close(CLOSE.NORMAL);
    line.lostLine("", false);
  }

  function restart(): void {
    drop();
    connect();
  }

  function wake(): void {
    if (isWanted && !socket) connect();
  }

  return {
    /** Open the line, and open it again whenever it is lost. */
    startLine(): void {
      // `resume` is an event of the document that does not bubble.
      for (const name of ["online", "pageshow", "resume"]) addEventListener(name, wake, true);
      addEventListener("pagehide", ({ persisted }) => persisted && drop());
      document.addEventListener("visibilitychange", () => document.hidden || wake());
      connect();
    },

    /** Close the line and open it again: the other end has to hear where we stand now. */
    restartLine: restart,

    /** Send one frame. Dropped while the line is down: the session and the requests send theirs again. */
    send(frame: string): void {
      if (socket?.readyState === WebSocket.OPEN) socket.send(frame);
    },

    /** A heartbeat came. When the next ones stay away, the line has died without a word. */
    beat(): void {
      const now = Date.now();
      if (beatAt) after(Math.max(SHORTEST_SILENCE, SILENT_BEATS * (now - beatAt)), restart);
      beatAt = now;
    },
  };
}
