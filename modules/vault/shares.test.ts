import { describe, expect, it } from "vitest";
import { mulDivUp } from "../kit/math/mul-div.ts";
import { firstShares, payoutOf, sharesFor, slippageWad, WAD } from "./shares.ts";

const UNIT = 1_000_000n;

describe("slippage of a withdrawal", () => {
  const half = {
    notional: 500n * UNIT,
    equity: 1_000n * UNIT,
    spreadPpm: 3_000n,
    skewPpm: 2_000_000n,
    initialPpm: 200_000n,
  };

  it("is dYdX's published value: leverage 0.5, skew 2, spread 0.3 %, a tenth of the shares, 1027/162000", () => {
    expect(slippageWad(half, 10n, 100n)).toBe(mulDivUp(1027n, WAD, 162_000n));
  });

  it("is the difference of the published antiderivative, 136/375 at skew 0.5 and leverage 0.8, whatever the shares", () => {
    // From leverage 0.4 to 0.8: half of the shares are given back. A(0.4) = 0.08 + 0.016/3, A(0.8) = 136/375; (n−m)/m = 1.
    const terms = { ...half, notional: 400n * UNIT, skewPpm: 500_000n, spreadPpm: 100_000n };
    const leaned = mulDivUp(136n, 3n * WAD, 375n * 3n) - (8n * WAD) / 100n - (16n * WAD) / 3_000n;
    const expected = mulDivUp((4n * WAD) / 10n + leaned, 1n, 10n);
    const found = slippageWad({ ...terms, initialPpm: 1_000_000n }, 50n, 100n);
    expect(found - expected).toBeGreaterThanOrEqual(-1n);
    expect(found - expected).toBeLessThanOrEqual(1n);
  });

  it("is nothing without a position, and at most leverage × requirement", () => {
    expect(slippageWad({ ...half, notional: 0n }, 10n, 100n)).toBe(0n);
    expect(slippageWad(half, 99n, 100n)).toBe(WAD / 10n);
    expect(slippageWad(half, 100n, 100n)).toBe(WAD / 10n);
  });

  it("never takes more than everything", () => {
    const wild = { ...half, notional: 100_000n * UNIT, initialPpm: 1_000_000n };
    expect(slippageWad(wild, 1n, 2n)).toBe(WAD);
    expect(payoutOf(1_000n, 1n, 2n, WAD)).toBe(0n);
  });
});

describe("shares", () => {
  it("cost their price, rounded down", () => {
    expect(sharesFor(10n, 300n, 100n)).toBe(30n);
    expect(sharesFor(10n, 299n, 100n)).toBe(29n);
    expect(payoutOf(100n, 1n, 3n, 0n)).toBe(33n);
    expect(payoutOf(100n, 1n, 3n, WAD / 2n)).toBe(16n);
  });

  it("of the first deposit are a million a quantum, of which the vault keeps a milliard", () => {
    expect(firstShares(100n * UNIT)).toEqual({
      own: 1_000_000_000n,
      holder: 100_000_000_000_000n - 1_000_000_000n,
    });
  });
});
