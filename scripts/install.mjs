// Brings node_modules into line with the lockfile, so that a fresh clone needs no separate step.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const packagesOf = (file) => JSON.parse(readFileSync(join(root, file), "utf8")).packages;

/** What the lockfile asks for and node_modules does not hold; undefined when nothing is installed. */
function missingPackages() {
  if (!existsSync(join(root, "node_modules/.package-lock.json"))) return undefined;
  const installed = packagesOf("node_modules/.package-lock.json");
  return Object.entries(packagesOf("package-lock.json"))
    .filter(([path, wanted]) => path.includes("node_modules/") && !wanted.optional)
    .filter(([path, wanted]) => {
      const found = installed[path];
      return (
        found === undefined || found.version !== wanted.version || !existsSync(join(root, path))
      );
    })
    .map(([path]) => path);
}

function npm(args) {
  const viaNpm = process.env.npm_execpath?.endsWith(".js");
  const [command, prefix] = viaNpm ? [process.execPath, [process.env.npm_execpath]] : ["npm", []];
  const shell = !viaNpm && process.platform === "win32";
  return spawnSync(command, [...prefix, ...args], { cwd: root, stdio: "inherit", shell }).status;
}

export function ensureInstalled() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Keel needs Node 20.19 or newer; this is ${process.version}.`);
    process.exit(1);
  }
  const missing = missingPackages();
  if (missing?.length === 0) return;
  const args = missing === undefined ? ["ci"] : ["install", "--no-save"];
  console.error(`Installing dependencies (npm ${args.join(" ")})`);
  const status = npm([...args, "--no-fund", "--no-audit", "--loglevel=error"]);
  if (status !== 0) process.exit(status ?? 1);
}
