// The long form of every property test: npm run properties [-- --runs 20 --first SEED FILTER...]. Each run has a seed of its own, random or from --first on. Prints every seed; exits 1
// at the end if any failed.
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, root } from "./install.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "20" }, first: { type: "string" } },
});
const whole = (name, text, least) => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value < 2 ** 31) return value;
  console.error(`--${name}: expected a whole number from ${least} on, got ${text}`);
  process.exit(2);
};
const runs = whole("runs", values.runs, 1);
const first = values.first === undefined ? undefined : whole("first", values.first, 0);

ensureInstalled();
const listed = spawnSync("git", ["ls-files", "-c", "-o", "--exclude-standard", "*.test.ts"], {
  cwd: root,
  encoding: "utf8",
});
const files = listed.stdout
  .split("\n")
  .filter((path) => path !== "" && positionals.every((filter) => path.includes(filter)))
  .filter((path) => /\bfc\s*\.\s*assert\b/.test(readFileSync(join(root, path), "utf8")));
if (files.length === 0) {
  console.error("no property tests");
  process.exit(2);
}

const vitest = join("node_modules", ".bin", "vitest");
const failed = [];
for (let run = 0; run < runs; run++) {
  const seed = first === undefined ? randomInt(2 ** 31) : first + run;
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(vitest, ["run", ...files], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, KEEL_SEED: String(seed) },
    maxBuffer: 1 << 30,
    shell: process.platform === "win32",
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`seed ${seed}: ${status === 0 ? "held" : "failed"}, ${seconds} s`);
  if (status === 0) continue;
  failed.push(seed);
  console.error(`${stdout ?? ""}${stderr ?? ""}`);
}
console.log(`${files.length} files, ${runs} seeds, ${failed.length} failed ${failed.join(" ")}`);
process.exit(failed.length === 0 ? 0 : 1);
