/** `keeld` as an operator uses it: what it logs, at which level, and how its status is asked for. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { homePaths } from "../config/files.ts";

const MAIN = new URL("../main.ts", import.meta.url).pathname;

let home: string;
const running = new Set<() => void>();
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "keel-keeld-"));
  expect((await keeld("init", "--home", home).ended).code).toBe(0);
  const { configToml } = homePaths(home);
  const port = 21_000 + (process.pid % 9_000);
  writeFileSync(
    configToml,
    readFileSync(configToml, "utf8")
      .replace("tcp://127.0.0.1:26657", `tcp://127.0.0.1:${port}`)
      .replace("tcp://0.0.0.0:26656", "tcp://127.0.0.1:0"),
  );
}, 60_000);
afterEach(() => {
  for (const stop of running) stop();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Keeld {
  stdout(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
  stop(): void;
}

function keeld(...args: readonly string[]): Keeld {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  const stop = (): void => void child.kill("SIGTERM");
  running.add(stop);
  return {
    stdout: () => stdout,
    ended: new Promise((resolve) => {
      child.once("close", (code) => {
        running.delete(stop);
        resolve({ code, stderr });
      });
    }),
    stop,
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}

it("says at info level what an operator wants to know, one line each, and answers status --home", async () => {
  const node = keeld("start", "--home", home);
  await until(() => node.stdout().includes("committed height=3 "));
  const status = keeld("status", "--home", home);
  expect(await status.ended).toEqual({ code: 0, stderr: "" });
  const { sync_info, node_info } = JSON.parse(status.stdout());
  expect(Number(sync_info.latest_block_height)).toBeGreaterThanOrEqual(3);
  expect(node_info.network).toBe("keel-local-1");
  node.stop();
  expect(await node.ended).toEqual({ code: 0, stderr: "" });

  const lines = node.stdout().trimEnd().split("\n");
  const said = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
  const time = String.raw`^\d\d:\d\d:\d\d\.\d{3}`;
  expect(
    said(new RegExp(`${time} INF node started version=\\S+ moniker=keel chain=keel-local-1`)),
  ).toBe(1);
  expect(said(/INF consensus started height=1 validator=[0-9A-F]{40} power=10 of_power=10$/)).toBe(
    1,
  );
  expect(said(/WRN no oracle source is set: this validator votes without prices$/)).toBe(1);
  expect(said(/INF committed height=2 txs=\d+ round=0 took_ms=\d+ block_time=\S+Z$/)).toBe(1);
  expect(said(/ DBG /)).toBe(0);
}, 60_000);

it("takes level and format from flags", async () => {
  const height = readFileSync(homePaths(home).validatorState, "utf8");
  const node = keeld("start", "--home", home, "--log_level", "warn", "--log_format", "json");
  await until(() => readFileSync(homePaths(home).validatorState, "utf8") !== height);
  node.stop();
  await node.ended;
  const levels = node
    .stdout()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).level);
  expect(levels.length).toBeGreaterThan(0);
  expect(Math.min(...levels)).toBe(40);
}, 60_000);
