import { describe, expect, test } from "vitest";
import { exceedance, meanExcess, tailMove, worstExcess } from "./tail.ts";

const WAD = 10n ** 18n;
/** BTC, daily closes of ten years. */
const BTC = { exceedancePpm: 10_000, thresholdPpm: 121_500, alphaPpm: 4_300_000 };
/** Hundredths of a basis point. */
const centiBps = (value: bigint): number => Number((value * 100_000_000n) / WAD) / 100;
const percent = (share: number): bigint => (BigInt(share) * WAD) / 100n;

describe("a Pareto tail", () => {
  test("loses beyond 15, 20 and 30 % what is published: 1.84, 0.71 and 0.19 basis points a day", () => {
    expect(
      [15, 20, 30].map((share) => Math.round(centiBps(meanExcess(BTC, percent(share))))),
    ).toEqual([184, 71, 19]);
  });

  test("has a thousandth of its days beyond 20.8 %", () => {
    const move = tailMove(BTC, WAD / 1000n);
    expect(Number((move * 1000n) / WAD)).toBe(207);
    expect(exceedance(BTC, move) - WAD / 1000n).toBeLessThan(100n);
  });

  test("has the worst thousandth's mean beyond a margin meet the closed form from both sides", () => {
    const share = WAD / 1000n;
    const move = tailMove(BTC, share);
    // At the quantile itself both forms say q / (α − 1).
    const below = worstExcess(BTC, move, share);
    const above = worstExcess(BTC, move + 1n, share);
    expect(below - above < 100_000n && above - below < 100_000n).toBe(true);
    expect(Number((worstExcess(BTC, percent(5), share) * 10_000n) / WAD)).toBe(2204);
  });

  test("exceeds nothing with certainty and never with more", () => {
    expect(exceedance(BTC, 0n)).toBe(WAD);
    expect(exceedance(BTC, percent(1))).toBe(WAD);
    expect(exceedance(BTC, percent(100)) < percent(1)).toBe(true);
  });
});
