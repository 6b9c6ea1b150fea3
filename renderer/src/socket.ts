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

const REASONS = new Map<number, string>([
  [CLOSE.UNSUPPORTED, "Unreadable message"],
  [CLOSE.INVALID, "Unreadable message"],
  [CLOSE.TOO_BIG, "Message too big"],
  [CLOSE.BAD_MESSAGE, "The server refused a message"],
  [CLOSE.UNAUTHENTICATED, "Please log in and reload"],
  [CLOSE.FORBIDDEN, "Not allowed to connect"],
  [CLOSE.REPLACED, "This page is open elsewhere"],
  [CLOSE.TOO_FAST, "Too many changes at once"],
]);

/** `url` is asked for each time. */
export function createSocket(url: () => string, line: Line) {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let isWanted = true;
  let heardAt = 0;
  let beatAt = 0;
  let silence = Infinity; // ms; known after two heartbeats

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
    heardAt = Date.now();
    beatAt = 0;
    listen();
    line.openLine();
  }

  function heard(text: string): void {
    heardAt = Date.now();
    failures = 0;
    line.receiveText(text);
  }

  function closed(code: number): void {
    socket = undefined;
    clearTimeout(timer);
    if (code === CLOSE.VERSION) return line.outdatedPage();
    isWanted = code !== CLOSE.UNAUTHENTICATED && code !== CLOSE.FORBIDDEN && code !== CLOSE.REPLACED;
    line.lostLine(REASONS.get(code) ?? "", !isWanted);
    if (isWanted) retry(code === CLOSE.BAD_MESSAGE || code === CLOSE.TOO_FAST ? PATIENT_DELAY : 0);
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

  const isOpen = (): boolean => socket?.readyState === WebSocket.OPEN;
  const isSilent = (): boolean => isOpen() && Date.now() - heardAt > silence;

  /** A line that died without a word is noticed by the heartbeats that do not come. */
  function listen(): void {
    after(SHORTEST_SILENCE, () => (isSilent() ? restart() : listen()));
  }

  function wake(): void {
    if (isWanted && (!socket || isSilent())) restart();
  }

  return {
    /** Open the line, and open it again whenever it is lost. */
    startLine(): void {
      addEventListener("online", wake);
      addEventListener("pageshow", wake);
      addEventListener("pagehide", ({ persisted }) => persisted && drop());
      document.addEventListener("visibilitychange", () => document.hidden || wake());
      connect();
    },

    /** Close the line and open it again: the other end has to hear where we stand now. */
    restartLine: restart,

    /** Send one frame. Dropped while the line is down: the session and the requests send theirs again. */
    send(frame: string): void {
      if (isOpen()) socket!.send(frame);
    },

    /** A heartbeat came: learn how often they do. */
    beat(): void {
      if (beatAt) silence = Math.max(SHORTEST_SILENCE, SILENT_BEATS * (Date.now() - beatAt));
      beatAt = Date.now();
    },
  };
}
