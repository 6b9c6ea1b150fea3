// Loaded in the page before Dash's renderer. Stands in for `fetch`, and starts the rest when the config is there.
import { type App, createApp } from "./app";
import { dashRoute, readConfig } from "./dash";
import { guardPlotly } from "./points";

const fetchOfThePage = window.fetch.bind(window);
let app: App | undefined;

/** The app; undefined as long as the config's element has not been parsed, or in a page that is not ours. */
function started(): App | undefined {
  const config = app ? undefined : readConfig();
  if (config?.dash_devices) {
    guardPlotly();
    app = createApp(config, fetchOfThePage);
  }
  return app;
}

window.fetch = ((input: RequestInfo | URL, init?: RequestInit) => {
  const page = started();
  const found = page && dashRoute(input, page.prefix);
  return found ? page.request(...found, input as string, init) : fetchOfThePage(input, init);
}) as typeof fetch;

/** For tests and the curious: a new look at each use; nothing in it before the page knows its config. */
Object.defineProperty(window, "dash_devices", { get: () => app?.view() ?? {} });

// Where the config's element comes later than this script, the renderer's first request starts the app.
started();
