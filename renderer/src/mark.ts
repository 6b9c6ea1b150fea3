// The connection mark: a dot in the corner that says in words what is wrong, and hardly shows while nothing is.

export type Status = "connecting" | "connected" | "reconnecting" | "gone";

const GONE_AFTER = 15_000; // ms without a line
const REFUSED_FOR = 2_000; // ms
const COLOURS: Record<Status, string> = { connecting: "#8888", connected: "#2a84", reconnecting: "#e90", gone: "#d33" };

function style(element: HTMLElement, rules: Record<string, string>): void {
  // One property at a time through the script interface: a Content-Security-Policy allows that.
  for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value);
}

export class Mark {
  status: Status = "connecting";
  private host_ = document.createElement("div");
  private dot_ = document.createElement("span");
  private text_ = document.createElement("span");
  private timer_: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.host_.id = "_dash-devices-mark";
    this.host_.setAttribute("role", "status");
    this.host_.setAttribute("aria-live", "polite");
    style(this.host_, { position: "fixed", right: "8px", bottom: "8px", "z-index": "2147483000", "color-scheme": "light dark" });
    style(this.dot_, { width: "10px", height: "10px", "border-radius": "50%", flex: "none" });
    const box = document.createElement("div");
    style(box, { display: "flex", gap: "6px", "align-items": "center", font: "12px/1 system-ui,sans-serif" });
    style(this.text_, { background: "Canvas", color: "CanvasText", padding: "4px 6px", "border-radius": "4px" });
    box.append(this.text_, this.dot_);
    this.host_.attachShadow({ mode: "open" }).append(box);
    this.show_("connecting", "");
  }

  /** Put the mark into the page, once there is a body. */
  place(): void {
    document.body.append(this.host_);
  }

  connected(): void {
    clearTimeout(this.timer_);
    this.timer_ = undefined;
    this.show_("connected", "");
  }

  /** The line is lost. After a while without another one, the server is called gone. */
  lost(reason: string, final: boolean): void {
    if (final) {
      clearTimeout(this.timer_);
      return this.show_("gone", reason);
    }
    if (this.status !== "gone") this.show_("reconnecting", `${reason && `${reason}. `}Reconnecting…`);
    this.timer_ ??= setTimeout(() => this.show_("gone", `${reason || "The server does not answer"}. Still trying…`), GONE_AFTER);
  }

  private show_(status: Status, text: string): void {
    this.status = status;
    this.text_.textContent = text;
    this.text_.hidden = !text;
    style(this.text_, { display: text ? "block" : "none" });
    style(this.dot_, { background: COLOURS[status] });
    // The host takes the pointer only for its title, and is never in the way of more than the dot and its words.
    this.host_.title = `Shared state: ${text || status}`;
  }
}

/** Show at a control that its change did not count: `kind` is `refused` or `unconfirmed`. */
export function markControl(id: string, kind: string, message: string): void {
  const element = document.getElementById(id);
  if (!element || element.dataset["dashDevices"]) return;
  const { title } = element;
  const { outline } = element.style;
  element.dataset["dashDevices"] = kind;
  element.title = message;
  element.style.outline = "2px solid #d33";
  setTimeout(() => {
    delete element.dataset["dashDevices"];
    element.title = title;
    element.style.outline = outline;
  }, REFUSED_FOR);
}
