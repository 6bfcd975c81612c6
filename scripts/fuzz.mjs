// Long runs of property tests: npm run fuzz -- <name> [--seed N] [--runs N]. Runs <name>.prop.test.ts with that seed and that many cases.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, root } from "./install.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" }, runs: { type: "string", default: "100000" } },
});
const [name] = positionals;
if (
  name === undefined ||
  !/^[1-9][0-9]*$/.test(values.seed) ||
  !/^[1-9][0-9]*$/.test(values.runs)
) {
  console.error(
    "usage: npm run fuzz -- <name> [--seed N] [--runs N], such as: npm run fuzz -- auction",
  );
  process.exit(2);
}
ensureInstalled();
const { status } = spawnSync(
  join("node_modules", ".bin", "vitest"),
  ["run", "--project", "prop", "--disable-console-intercept", `${name}.prop.test.ts`],
  {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
    env: { ...process.env, KEEL_FUZZ_SEED: values.seed, KEEL_FUZZ_RUNS: values.runs },
  },
);
process.exit(status ?? 1);
