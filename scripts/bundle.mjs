// Bundles entry points into .keel/build, each one plain file: a process starts in a fifth of the time that loading the sources one
// by one takes, which counts when four validators start at once on two cores. Skipped while no source is newer.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./install.mjs";

const directory = join(root, ".keel", "build");
// Native add-ons find their binaries beside themselves; pino loads its own files by path; protobufjs is extended through require, so
// there must be one of it.
const external = ["classic-level", "secp256k1", "sodium-native", "pino", "protobufjs"];
const banner =
  "import { createRequire as keelRequire } from 'node:module'; const require = keelRequire(import.meta.url);";

/** What every process may need: keeld itself, and its threads. */
const common = {
  keeld: "node/main.ts",
  "verify-worker": "node/crypto/verify-worker.ts",
  "index-worker": "node/store/level/index-worker.ts",
  "reader-worker": "node/market-data/reader-worker.ts",
};

function isFresh(name) {
  const output = join(directory, `${name}.js`);
  const list = join(directory, `${name}.inputs.json`);
  if (!existsSync(output) || !existsSync(list)) return false;
  const builtMs = statSync(output).mtimeMs;
  return JSON.parse(readFileSync(list, "utf8")).every((file) => {
    const path = join(root, file);
    return existsSync(path) && statSync(path).mtimeMs < builtMs;
  });
}

/** Bundles `entry` (a source file) and what is common; returns the paths of the entry's bundle and of keeld's. */
export async function bundle(entry) {
  const name = relative(root, entry).replace(/\.ts$/, "").replaceAll(/[\\/]/g, "-");
  const wanted = { ...common };
  if (!Object.values(common).includes(relative(root, entry))) wanted[name] = relative(root, entry);
  const stale = Object.entries(wanted).filter(([output]) => !isFresh(output));
  if (stale.length > 0) {
    const { build } = await import("esbuild");
    mkdirSync(directory, { recursive: true });
    await Promise.all(
      stale.map(async ([output, source]) => {
        const { metafile } = await build({
          absWorkingDir: root,
          entryPoints: [source],
          outfile: join(directory, `${output}.js`),
          bundle: true,
          platform: "node",
          format: "esm",
          target: "node20",
          conditions: ["source"],
          external,
          banner: { js: banner },
          metafile: true,
          logLevel: "error",
          keepNames: false,
        });
        const inputs = Object.keys(metafile.inputs).filter((file) => !file.startsWith("("));
        const all = [...inputs, "scripts/bundle.mjs", "package-lock.json"];
        writeFileSync(join(directory, `${output}.inputs.json`), JSON.stringify(all));
      }),
    );
  }
  const keeld = join(directory, "keeld.js");
  return { entry: wanted[name] === undefined ? keeld : join(directory, `${name}.js`), keeld };
}
