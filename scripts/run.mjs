// Runs one TypeScript entry point from source: node scripts/run.mjs <file> [arguments].
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureInstalled, root } from "./install.mjs";

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/run.mjs <file> [arguments]");
  process.exit(2);
}
const entry = resolve(root, file);
if (!existsSync(entry)) {
  console.error(`no such file: ${file}`);
  process.exit(2);
}

ensureInstalled();
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const child = spawn(
  process.execPath,
  [...process.execArgv, "--conditions=source", "--import", tsx, entry, ...args],
  { stdio: "inherit" },
);

// A terminal delivers Ctrl-C to the whole process group, so forwarding it would make it arrive twice.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  });
}
child.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
});
