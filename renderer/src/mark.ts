// What people see of the connection: a dot in the corner that hardly shows while nothing is wrong, and else says it in words.
import { GONE_TIME } from "./limits";

export type Status = "connecting" | "connected" | "reconnecting" | "gone";

const COLOURS: Record<Status, string> = { connecting: "#8886", connected: "#2a86", reconnecting: "#e90", gone: "#d33" };
// Without words only the border is to be seen: a dot.
const STYLE =
  "position:fixed;right:8px;bottom:8px;z-index:99999;color-scheme:light dark;font:12px system-ui;" +
  "background:Canvas;color:CanvasText;border:5px solid;border-radius:5px";

export function createMark() {
  // An `output` is announced by screen readers.
  const element = document.createElement("output");
  let status: Status = "connecting";
  let said = "";
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  element.id = "_dash-devices-mark";
  // Set by script, which a Content-Security-Policy allows.
  element.style.cssText = STYLE;

  function show(now: Status, words: string): void {
    status = now;
    said = words;
    draw();
  }

  function draw(): void {
    const isConnected = status === "connected";
    const words = isConnected && isLate ? `Catching up… ${said}`.trim() : said;
    element.textContent = words;
    element.style.borderColor = COLOURS[words && isConnected ? "reconnecting" : status];
    element.title = words || status;
  }

  show(status, "");
  element.onclick = () => status === "connected" && show(status, "");
  // Not in the body: that may not be there yet, and belongs to the app.
  document.documentElement.append(element);
  return {
    shown: (): Status => status,

    /** The line is there; `words`: what everybody should know nevertheless. */
    showsConnected(words = ""): void {
      clearTimeout(timer);
      timer = undefined;
      show("connected", words);
    },

    /** The page has still to repeat its initial calls in a new epoch, or has done so. */
    catchesUp(now: boolean): void {
      isLate = now;
      draw();
    },

    /** The line is lost. After a while without another one, the server is called gone. */
    lostLine(reason: string, isFinal: boolean): void {
      if (isFinal) {
        clearTimeout(timer);
        show("gone", reason);
      } else {
        timer ??= setTimeout(() => show("gone", "No answer. Still trying…"), GONE_TIME);
        if (status !== "gone") show("reconnecting", `${reason && `${reason}. `}Reconnecting…`);
      }
    },
  };
}
