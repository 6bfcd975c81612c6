// The whole gate: every static check, then unit, property, bounded simulation and a short end to end.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, root } from "./install.mjs";

ensureInstalled();

const bin = (name) => join("node_modules", ".bin", name);
const run = (command, args) =>
  spawnSync(bin(command), args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  }).status === 0;

const checks = [
  ["lint", "biome", ["check", "--error-on-warnings"]],
  ["types", "tsc", ["-p", "tsconfig.json"]],
  ["build", "tsc", ["-b", "tsconfig.build.json"]],
  ["dead code", "knip", ["--exclude", "exports"]],
];

const failed = [];
for (const [name, command, args] of checks) {
  console.log(`\n> ${name}`);
  if (!run(command, args)) failed.push(name);
}

console.log("\n> tests");
const passed = run("vitest", ["run", ...process.argv.slice(2)]);
if (failed.length > 0) console.error(`failed before the tests: ${failed.join(", ")}`);
process.exit(passed && failed.length === 0 ? 0 : 1);
