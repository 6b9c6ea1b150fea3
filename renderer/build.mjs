// Bundles src/index.ts into the Python package. The same sources give the same bytes.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  absWorkingDir: here("."),
  entryPoints: ["src/index.ts"],
  outfile: here("../dash_devices/static/dash_devices.min.js"),
  bundle: true,
  minify: true,
  target: "es2020",
  format: "iife",
  charset: "utf8",
  legalComments: "none",
  // Names with a trailing underscore are private to the bundle.
  mangleProps: /[^_]_$/,
});
