// Bundles src/index.ts into the Python package. The same sources give the same bytes.
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { minify } from "terser";
import ts from "typescript";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// Members of our own objects. None of them is a name on the wire, in Dash's store or in the browser: those must stay.
const OWN_MEMBERS = `
  adopt appeared arrived aside asksPeople author backlog beat begin carried catchesUp caughtUp change component count current differing drop
  fail fire fits forgetMounted frame giveUp hasStarted hello hydrated ids inputsOf interrupted isAgain isCarried isComplete isDue isEcho isPlain
  isRunning isSensor isThere isWriting keep keepOnly kind listenersOf look lostLine matching mayCarry mount namedPaths notify openLine
  outdatedPage outputsOf owed owner paint pathOf place pong prefix putProps readProps receiveText refused replied request
  restartLine restore resumed runAgain runs runsOf sendAgain session setProps settled settleDebts showDown showError shown showsConnected
  startLine succeed take tellAgain tries triples unconfirmed unsettle view watchedOf watchedTexts watchList withdraw withoutUndo write written
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

/** Is it known without running anything? */
function isConstant(node) {
  const isLeaf = ts.isLiteralExpression(node) || (ts.isIdentifier(node) && /^[A-Z_]+$/.test(node.text));
  const isTree = ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node) || ts.isPropertyAssignment(node);
  let isWhole = isLeaf || isTree || ts.isComputedPropertyName(node);
  ts.forEachChild(node, (child) => void (isWhole &&= isConstant(child)));
  return isWhole;
}

/**
 * Function declarations as arrows at the top of their scope, behind the constants: the same, as none uses `this` or is a
 * constructor, and shorter.
 */
function withArrows(code) {
  const file = ts.createSourceFile("bundle.js", code, ts.ScriptTarget.ES2020, true);
  const isConstants = (node) =>
    ts.isVariableStatement(node) && node.declarationList.declarations.every(({ initializer: value }) => value && isConstant(value));
  const arrow = ({ modifiers, name, parameters, body }) =>
    `let ${name.text} = ${modifiers ? "async " : ""}(${parameters.map(text)}) => ${text(body)};`;
  function text(node) {
    const statements = ts.isBlock(node) || ts.isSourceFile(node) ? [...node.statements] : [];
    const functions = statements.filter(ts.isFunctionDeclaration);
    const constants = functions.length ? statements.filter(isConstants) : [];
    const moved = new Set([...functions, ...constants]);
    const parts = [];
    let end = node.getStart();
    ts.forEachChild(node, (child) => {
      parts.push(code.slice(end, child.getStart()), moved.has(child) ? "" : text(child));
      end = child.end;
    });
    parts.push(code.slice(end, node.end));
    if (moved.size) parts.splice(1, 0, ...constants.map(text), ...functions.map(arrow));
    return parts.join("");
  }
  return text(file);
}

const bundled = await build({
  absWorkingDir: here("."),
  entryPoints: ["src/index.ts"],
  write: false,
  bundle: true,
  minifySyntax: true,
  target: "es2022",
  format: "esm",
  charset: "utf8",
  legalComments: "none",
  mangleProps: new RegExp(`^(${OWN_MEMBERS.trim().split(/\s+/).join("|")})$`),
  plugins: [inlineTables],
});

// Not one of our functions is a constructor or uses `this`: all may become arrows.
const compress = { passes: 6, ecma: 2022, unsafe: true, unsafe_arrows: true, module: true };
// What the browser has is looked up by a short name. None of it is replaced while a page lives.
const GLOBALS = "document Map Set setTimeout clearTimeout addEventListener";
const names = GLOBALS.split(" ").join();
const whole = `((${names}) => { ${withArrows(bundled.outputFiles[0].text)} })(${names})`;
const { code } = await minify(whole, { compress, ecma: 2022, module: true });
await writeFile(here("../dash_devices/static/dash_devices.min.js"), code);
