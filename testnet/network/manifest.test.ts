import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openManifest } from "./manifest.ts";
import { assertPortsFree, fixedPorts, freePorts } from "./ports.ts";
import { readStartOptions } from "./start-options.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "keel-manifest-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const options = (...args: string[]) => readStartOptions(["node", "main.ts", ...args]);
const times = () => ({ wallMs: 5, genesisMs: 7 });

it("keeps what the network was made with, its clock included", () => {
  const made = openManifest(directory, options("--block-time", "500ms"), times);
  const again = openManifest(directory, options("--block-time", "500ms"), () => ({
    wallMs: 1,
    genesisMs: 2,
  }));
  expect(again).toEqual(made);
  expect([again.wallMs, again.genesisMs, again["block-time"]]).toEqual([5, 7, 500]);
});

it("names the flag that disagrees with a kept network", () => {
  openManifest(directory, options(), times);
  expect(() => openManifest(directory, options("--validators", "3"), times)).toThrow(
    "was made with --validators 4, got 3",
  );
  expect(() => openManifest(directory, options("--prices", "/x.csv"), times)).toThrow(
    "was made with --prices (not given), got /x.csv",
  );
});

it("gives each validator ten ports, the first CometBFT's own, and says which one is busy", async () => {
  expect(fixedPorts(26_656, 2)).toEqual([
    { p2p: 26_656, rpc: 26_657, metrics: 26_658 },
    { p2p: 26_666, rpc: 26_667, metrics: 26_668 },
  ]);
  const [free] = await freePorts(1);
  await assertPortsFree([free?.rpc as number]);
  const { createServer } = await import("node:net");
  const server = createServer().listen(free?.rpc, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  await expect(assertPortsFree([free?.rpc as number])).rejects.toThrow(
    `port ${free?.rpc} on 127.0.0.1 is in use`,
  );
  server.close();
});
