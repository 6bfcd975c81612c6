// Runs one TypeScript entry point: node scripts/run.mjs <file> [arguments]. Bundled first, or straight from source with KEEL_SOURCE=1.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, constants } from "node:os";
import { resolve } from "node:path";
import { bundle } from "./bundle.mjs";
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
const command = [];
const env = { ...process.env };
if (env.KEEL_SOURCE === "1") {
  command.push(
    "--conditions=source",
    "--import",
    new URL("./source.mjs", import.meta.url).href,
    entry,
  );
} else {
  const bundled = await bundle(entry);
  command.push(bundled.entry);
  // Where a process that starts validators finds keeld, unless it is told another.
  env.KEEL_KEELD ??= bundled.keeld;
}
// A block's worth of short-lived objects should die young: with node's 16 MiB most of it is copied several times first.
const nodeOptions = ["--max-semi-space-size=128"];
// Several threads collecting young objects at once pay where there are processors for them; on two they take from the work itself.
if (availableParallelism() < 3) nodeOptions.push("--no-parallel-scavenge");
const child = spawn(process.execPath, [...nodeOptions, ...process.execArgv, ...command, ...args], {
  stdio: "inherit",
  env,
});

// A terminal delivers Ctrl-C to the whole process group, so forwarding it would make it arrive twice.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  });
}
// npm may die without passing the signal on; the child must not outlive it.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && child.kill("SIGTERM"), 500).unref();
}
child.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
});
