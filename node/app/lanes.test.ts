import { describe, expect, it } from "vitest";
import { type LaneClass, type LanedTx, laneCap, laneProblem } from "./lanes.ts";

const LANES: readonly LaneClass[] = [0, 1, 2, 3];
const SPACE = { blockBytes: 1_000, gasMax: 10n };

function tx(lane: LaneClass, size = 10): LanedTx {
  return { bytes: new Uint8Array(size), lane, gasLimit: 1n, signers: [] };
}

describe("the lanes of a proposal", () => {
  it("stand in their order: cancels, post-only, the rest, sequenced ones; any other is refused, whoever made it", () => {
    expect(
      laneProblem(
        LANES.flatMap((lane) => [tx(lane), tx(lane)]),
        SPACE,
      ),
    ).toBeNull();
    for (const first of LANES) {
      for (const second of LANES) {
        const problem = laneProblem([tx(first), tx(second)], SPACE);
        if (first <= second) expect(problem).toBeNull();
        else expect(problem).toBe(`transaction 1: lane ${second} after lane ${first}`);
      }
    }
  });

  it("leave the floors of the others free: one that takes more than its cap is refused", () => {
    for (const lane of LANES) {
      const cap = laneCap(lane, SPACE.blockBytes);
      expect(cap).toBeLessThan(SPACE.blockBytes);
      // A transaction of more than 127 bytes costs its length and three.
      expect(laneProblem([tx(lane, cap - 3)], SPACE)).toBeNull();
      expect(laneProblem([tx(lane, cap - 2)], SPACE)).toBe(`lane ${lane} takes more than its cap`);
    }
    const sum = LANES.reduce<number>(
      (all, lane) => all + (SPACE.blockBytes - laneCap(lane, 1_000)),
      0,
    );
    // Each cap leaves the other three floors, so all four together three times the sum of floors.
    expect(sum).toBe(3 * 300);
  });

  it("hold no more gas than the block may", () => {
    expect(
      laneProblem(
        Array.from({ length: 10 }, () => tx(2)),
        SPACE,
      ),
    ).toBeNull();
    expect(
      laneProblem(
        Array.from({ length: 11 }, () => tx(2)),
        SPACE,
      ),
    ).toContain("gas limits");
  });
});
