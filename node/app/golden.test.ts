/**
 * The state machine against its kept app hashes. They were written by one Node version with one signature library; every other must give
 * the same. A wanted change of the state machine is approved with KEEL_APPROVE_APP_HASHES=1, and breaks running chains.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { createVerifier } from "../crypto/verifier.ts";
import { type GoldenBlock, runGoldenChain } from "./testing/golden-chain.ts";

const FILE = new URL("golden-app-hashes.json", import.meta.url);
const run = (backend: "native" | "js"): Promise<GoldenBlock[]> =>
  runGoldenChain(createVerifier({ backend, workers: 0, cacheEntries: 0 }));
const hashes = (blocks: readonly GoldenBlock[]): Record<string, string> =>
  Object.fromEntries(blocks.map(({ height, appHash }) => [height, appHash]));

let blocks: GoldenBlock[];
beforeAll(async () => {
  blocks = await run("native");
  if (process.env["KEEL_APPROVE_APP_HASHES"] === "1")
    writeFileSync(FILE, `${JSON.stringify(hashes(blocks), null, 2)}\n`);
});

describe("the golden chain", () => {
  it("goes through trades, refusals, a liquidation, a deficit and deleveraging", () => {
    const types = new Set(blocks.flatMap(({ events }) => events));
    for (const type of ["trade", "order_cancelled", "liquidation", "insurance_paid", "deleverage"])
      expect(types).toContain(type);
    expect(types).toContain("deficit_covered");
    expect(new Set(blocks.flatMap(({ codes }) => codes))).toEqual(new Set([0, 8, 32]));
    expect(types).not.toContain("invariant_broken");
  });

  it("has the kept app hash at every height with native signatures", () => {
    expect(hashes(blocks)).toEqual(JSON.parse(readFileSync(FILE, "utf8")));
  });

  it("has it with pure JavaScript signatures too", async () => {
    expect(await run("js")).toEqual(blocks);
  });
});
