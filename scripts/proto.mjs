// Regenerates proto/gen: TypeScript for every message, and the descriptor set that reflection reads. Needs no network.
// --check: generates beside it and says what differs from what is committed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ensureInstalled, root } from "./install.mjs";

ensureInstalled();
const proto = join(root, "proto");
const bin = join(root, "node_modules", ".bin");
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };

function generateInto(directory) {
  for (const args of [
    ["generate", "-o", directory],
    ["build", "--exclude-source-info", "-o", join(directory, "gen", "descriptors.binpb")],
  ]) {
    const { status } = spawnSync("buf", args, {
      cwd: proto,
      env,
      stdio: "inherit",
      shell: process.platform === "win32",
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

const filesIn = (directory) =>
  new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(directory.length + 1), readFileSync(path)]),
  );

/** Paths that one side lacks, or whose bytes differ. */
function differing(committed, generated) {
  const paths = new Set([...committed.keys(), ...generated.keys()]);
  return [...paths].filter((path) => {
    const [one, other] = [committed.get(path), generated.get(path)];
    return one === undefined || other === undefined || !one.equals(other);
  });
}

function check() {
  const directory = mkdtempSync(join(tmpdir(), "keel-proto-"));
  try {
    const status = generateInto(directory);
    if (status !== 0) return status;
    const wrong = differing(filesIn(join(proto, "gen")), filesIn(join(directory, "gen")));
    for (const path of wrong) console.error(`proto/gen/${path} is not what proto/ generates`);
    if (wrong.length > 0) console.error('run "npm run proto" and commit what it changes');
    return wrong.length === 0 ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

process.exit(process.argv.includes("--check") ? check() : generateInto("."));
