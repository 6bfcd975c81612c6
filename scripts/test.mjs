// The whole gate: every static check, then unit, property, bounded simulation and a short end to end.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, root } from "./install.mjs";

ensureInstalled();

const bin = (name) => join("node_modules", ".bin", name);
const run = (command, args) =>
  spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  }).status === 0;

const checks = [
  ["lint", bin("biome"), ["check", "--error-on-warnings"]],
  ["generated code", "node", ["scripts/proto.mjs", "--check"]],
  ["types", bin("tsc"), ["-p", "tsconfig.json"]],
  ["build", bin("tsc"), ["-b", "tsconfig.build.json"]],
  ["dead code", bin("knip"), ["--exclude", "exports"]],
];

const failed = [];
for (const [name, command, args] of checks) {
  console.log(`\n> ${name}`);
  if (!run(command, args)) failed.push(name);
}

console.log("\n> tests");
const passed = run(bin("vitest"), ["run", ...process.argv.slice(2)]);
if (failed.length > 0) console.error(`failed before the tests: ${failed.join(", ")}`);
process.exit(passed && failed.length === 0 ? 0 : 1);
