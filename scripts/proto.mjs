// Regenerates proto/gen: TypeScript for every message, and the descriptor set that reflection reads.
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { ensureInstalled, root } from "./install.mjs";

ensureInstalled();
const bin = join(root, "node_modules", ".bin");
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };

for (const args of [
  ["generate"],
  ["build", "--exclude-source-info", "-o", "gen/descriptors.binpb"],
]) {
  const { status } = spawnSync("buf", args, {
    cwd: join(root, "proto"),
    env,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}
