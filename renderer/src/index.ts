// Loaded in the page before Dash's renderer. Stands in for `fetch`, and starts the rest when the config is there.
import { type App, createApp } from "./app";
import { dashRoute, readConfig } from "./dash";
import { VERSION } from "./protocol";

const fetchOfThePage = window.fetch.bind(window);
let app: App | undefined;

/** The app; undefined as long as the config's element has not been parsed, or in a page that is not ours. */
function started(): App | undefined {
  const config = app ? undefined : readConfig();
  if (config?.dash_devices) {
    app = createApp(config, fetchOfThePage);
    if (document.body) app.mark.placeMark();
    else addEventListener("DOMContentLoaded", app.mark.placeMark);
  }
  return app;
}

window.fetch = ((input: RequestInfo | URL, init?: RequestInit) => {
  const page = started();
  const found = page && dashRoute(input, page.prefix);
  return found ? page.request(found.route, found.query, input as string, init) : fetchOfThePage(input, init);
}) as typeof fetch;

/** For tests and the curious: `window.dash_devices`. */
(window as any).dash_devices = {
  version: VERSION,
  get status() {
    return app?.mark.status() ?? "connecting";
  },
  get unacked() {
    return app?.session.unacked() ?? 0;
  },
  get tab() {
    return app?.session.place.tab;
  },
  get epoch() {
    return app?.session.place.epoch;
  },
  get seq() {
    return app?.session.place.seq;
  },
};

if (!started()) addEventListener("DOMContentLoaded", started);
