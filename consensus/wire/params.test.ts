import { describe, expect, test } from "vitest";
import {
  applyParamsUpdate,
  consensusParamsProblem,
  defaultConsensusParams,
  extensionsEnabled,
  maxBlockBytes,
  paramsUpdateProblem,
} from "./params.ts";
import type { ConsensusParams, ConsensusParamsUpdate } from "./types.ts";

const none: ConsensusParamsUpdate = {
  block: null,
  evidence: null,
  validator: null,
  version: null,
  abci: null,
};
const enabling = (height: number): ConsensusParams => ({
  ...defaultConsensusParams,
  abci: { voteExtensionsEnableHeight: height },
});
const change = (height: number): ConsensusParamsUpdate => ({
  ...none,
  abci: { voteExtensionsEnableHeight: height },
});

describe("vote extension enable height", () => {
  test("0 is off, a height is on from there", () => {
    expect([1, 100].map((height) => extensionsEnabled(enabling(0), height))).toEqual([
      false,
      false,
    ]);
    expect([4, 5, 6].map((height) => extensionsEnabled(enabling(5), height))).toEqual([
      false,
      true,
      true,
    ]);
  });

  // [before, after, height of the update, accepted]
  const rows: readonly [number, number, number, boolean][] = [
    [0, 0, 10, true],
    [0, 11, 10, true],
    [0, 10, 10, false],
    [0, 5, 10, false],
    [12, 12, 10, true],
    [12, 0, 10, true],
    [12, 20, 10, true],
    [12, 10, 10, false],
    [10, 10, 10, true],
    [10, 0, 10, false],
    [5, 0, 10, false],
    [5, 20, 10, false],
    [5, 5, 10, true],
  ];
  test.each(rows)("from %i to %i at height %i: %s", (before, after, height, accepted) => {
    expect(paramsUpdateProblem(enabling(before), change(after), height) === null).toBe(accepted);
  });
});

describe("parameters", () => {
  test("an update replaces whole parts and leaves the others", () => {
    const updated = applyParamsUpdate(defaultConsensusParams, {
      ...none,
      block: { maxBytes: -1n, maxGas: 9n },
    });
    expect(updated).toEqual({ ...defaultConsensusParams, block: { maxBytes: -1n, maxGas: 9n } });
    expect(maxBlockBytes(updated)).toBe(104_857_600);
    expect(maxBlockBytes(defaultConsensusParams)).toBe(22_020_096);
  });

  test("defaults hold and each bound is kept", () => {
    const { block, evidence } = defaultConsensusParams;
    expect(consensusParamsProblem(defaultConsensusParams)).toBeNull();
    const bad: readonly Partial<ConsensusParams>[] = [
      { block: { ...block, maxBytes: 0n } },
      { block: { ...block, maxBytes: -2n } },
      { block: { ...block, maxBytes: 104_857_601n } },
      { block: { ...block, maxGas: -2n } },
      { block: { ...block, maxBytes: 1000n } },
      { evidence: { ...evidence, maxAgeNumBlocks: 0n } },
      { evidence: { ...evidence, maxAgeDurationNanos: 0n } },
      { evidence: { ...evidence, maxBytes: -1n } },
      { validator: { pubKeyTypes: [] } },
      { validator: { pubKeyTypes: ["ed25519", "bls"] } },
      { abci: { voteExtensionsEnableHeight: -1 } },
    ];
    for (const part of bad) {
      expect(consensusParamsProblem({ ...defaultConsensusParams, ...part })).not.toBeNull();
    }
    expect(
      paramsUpdateProblem(
        defaultConsensusParams,
        { ...none, block: { ...block, maxBytes: 0n } },
        1,
      ),
    ).toMatch(/max_bytes/);
  });
});
