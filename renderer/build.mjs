// Bundles src/index.ts into the Python package. The same sources give the same bytes.
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { minify } from "terser";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// Members of our own objects. None of them is a name on the wire, in Dash's store or in the browser: those must stay.
const OWN_MEMBERS = `
  appeared aside author beat caughtUp change component count current differing fail fire frame frames hello hydrated
  interrupted isPlain isRunning isWriting listenersOf lostLine matching mount namedPaths notice openLine outdatedPage
  owner pathOf place prefix putProps readProps receiveText refused replied request restartLine resumed runsOf session
  setProps settled settleDebts showError shown showsConnected startLine succeed touchable triples unconfirmed view
  watchedOf watchedTexts watchList withoutUndo write
`;

// Constants of the protocol go into the code as numbers, without the tables they stand in.
const inlineTables = {
  name: "inline-tables",
  setup({ onLoad }) {
    onLoad({ filter: /protocol\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const table = /export const (\w+) = \{\n((?: {2}\w+: .*,\n)*)\} as const;/g;
      const contents = text.replace(table, (_, name, rows) => `export const enum ${name} {\n${rows.replaceAll(": ", " = ")}}`);
      return { contents, loader: "ts" };
    });
  },
};

const bundled = await build({
  absWorkingDir: here("."),
  entryPoints: ["src/index.ts"],
  write: false,
  bundle: true,
  minify: true,
  target: "es2020",
  format: "iife",
  charset: "utf8",
  legalComments: "none",
  mangleProps: new RegExp(`^(${OWN_MEMBERS.trim().split(/\s+/).join("|")})$`),
  plugins: [inlineTables],
});

// None of our functions is a constructor or uses `this`: all may become arrows.
const compress = { passes: 6, ecma: 2020, unsafe_arrows: true, unsafe_methods: true };
const { code } = await minify(bundled.outputFiles[0].text, { compress, ecma: 2020 });
await writeFile(here("../dash_devices/static/dash_devices.min.js"), code);
