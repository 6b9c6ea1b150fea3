// Loaded in the page before Dash's renderer. Stands in for `fetch`, and starts the rest when the config is there.
import { App } from "./app";
import { dashRoute, readConfig } from "./dash";
import { VERSION } from "./protocol";

const fetchOfThePage = window.fetch;
let app: App | undefined;

/** The app; undefined as long as the config's element has not been parsed, or in a page that is not ours. */
function started(): App | undefined {
  if (app) return app;
  const config = readConfig();
  if (!config?.dash_devices) return undefined;
  app = new App(config, fetchOfThePage);
  app.start();
  whenReady(() => app!.mark.place());
  return app;
}

function whenReady(run: () => void): void {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", run, { once: true });
  else run();
}

window.fetch = ((input: RequestInfo | URL, init?: RequestInit) => {
  const page = started();
  const found = page && dashRoute(input, page.prefix);
  return found ? page.request(found.route, found.query, input as string, init) : fetchOfThePage.call(window, input, init);
}) as typeof fetch;

Object.defineProperty(window, "dash_devices", {
  configurable: true,
  value: {
    version: VERSION,
    get status() {
      return app?.mark.status ?? "connecting";
    },
    get tab() {
      return app?.session.tab;
    },
    get seq() {
      return app?.session.seq;
    },
    get epoch() {
      return app?.session.epoch;
    },
    get unacked() {
      return app?.session.unacked ?? 0;
    },
  },
});

started();
whenReady(started);
