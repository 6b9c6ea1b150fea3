// What people see of the connection: a dot in the corner that hardly shows while nothing is wrong, and else says it in words.
import { elementOf } from "./element";
import { GONE_TIME, MARKED_TIME } from "./limits";

export type Status = "connecting" | "connected" | "reconnecting" | "gone";

const COLOURS: Record<Status, string> = { connecting: "#8886", connected: "#2a86", reconnecting: "#e90", gone: "#d33" };

/** An element with a style. Set by script, which a Content-Security-Policy allows. */
function styled(tag: string, css: string): HTMLElement {
  const element = document.createElement(tag);
  element.style.cssText = css;
  return element;
}

export function createMark() {
  const host = styled("div", "position:fixed;right:8px;bottom:8px;z-index:99999;color-scheme:light dark;display:flex;font:12px system-ui");
  const text = styled("span", "background:Canvas;color:CanvasText;border-radius:4px");
  const dot = styled("span", "width:10px;height:10px;border-radius:5px;margin:3px");
  let status: Status = "connecting";
  let timer: ReturnType<typeof setTimeout> | undefined;
  host.id = "_dash-devices-mark";
  host.setAttribute("role", "status");
  host.attachShadow({ mode: "open" }).append(text, dot);

  function show(now: Status, words: string): void {
    status = now;
    text.textContent = words;
    dot.style.background = COLOURS[now];
    host.title = words || now;
  }

  show(status, "");
  // Not in the body: that may not be there yet, and belongs to the app.
  document.documentElement.append(host);
  return {
    shown: (): Status => status,

    showsConnected(): void {
      clearTimeout(timer);
      timer = undefined;
      show("connected", "");
    },

    /** The line is lost. After a while without another one, the server is called gone. */
    lostLine(reason: string, isFinal: boolean): void {
      if (isFinal) {
        clearTimeout(timer);
        show("gone", reason);
      } else {
        timer ??= setTimeout(() => show("gone", "No answer. Still trying…"), GONE_TIME);
        if (status !== "gone") show("reconnecting", reason ? `${reason}. Reconnecting…` : "Reconnecting…");
      }
    },
  };
}

/** Show for a moment at a control that its change did not count: `kind` is `refused` or `unconfirmed`. */
export function markControl(id: string, kind: string, message: string): void {
  const element = elementOf(id);
  if (!element) return;
  const { title, style } = element;
  const { outline } = style;
  const isMarked = element.dataset["dashDevices"];
  element.dataset["dashDevices"] = kind;
  if (isMarked) return;
  element.title = message;
  style.outline = "2px solid #d33";
  setTimeout(() => {
    delete element.dataset["dashDevices"];
    element.title = title;
    style.outline = outline;
  }, MARKED_TIME);
}
