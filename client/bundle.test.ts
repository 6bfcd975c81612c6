import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { bundleOptions } from "./bundle-options.ts";

const GZIP_MAX = 400_000;
const root = fileURLToPath(new URL("..", import.meta.url));

test("the browser bundle needs nothing of Node and stays within 400 kB", async () => {
  const { outputFiles, metafile } = await build({
    ...bundleOptions,
    absWorkingDir: root,
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const [output] = outputFiles;
  // Whatever could not be bundled would be listed as an import of the output.
  const imports = Object.values(metafile.outputs).flatMap((each) => each.imports);
  expect(imports).toEqual([]);
  expect(output?.text).not.toMatch(/["']node:|\brequire\(["'](?:crypto|fs|net|http|ws)["']\)/);
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => /node_modules\/ws\//.test(path))).toEqual([]);
  expect(inputs.some((path) => path.endsWith("bytes/sha256-pure.ts"))).toBe(true);
  expect(gzipSync(output?.contents ?? new Uint8Array(0)).length).toBeLessThan(GZIP_MAX);
}, 60_000);

test("the bundle test would see a Node import", async () => {
  const { entryPoints: _entry, ...options } = bundleOptions;
  const { outputFiles } = await build({
    ...options,
    stdin: { contents: `import { sep } from "node:path"; console.log(sep);`, resolveDir: root },
    external: ["node:path"],
    write: false,
    logLevel: "silent",
  });
  expect(outputFiles[0]?.text).toMatch(/["']node:/);
}, 60_000);
