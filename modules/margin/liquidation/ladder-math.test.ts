import { describe, expect, it } from "vitest";
import { createRandom } from "../../derivatives/random.ts";
import {
  type Claimant,
  dueReason,
  penaltyParts,
  penaltyRatePpm,
  reserveDistanceTicks,
  shareFlow,
} from "./ladder-math.ts";
import { fillableDistanceTicks, lotsToClose, penaltyQuanta } from "./liquidation-math.ts";

const UNIT = 1_000_000n;

describe("the reference values", () => {
  it("has dYdX's fillable prices: a long of 2 at 58,800, 3 % maintenance, spread 1.5", () => {
    // A hundred ticks a unit, a lot is one.
    const price = (equity: bigint): bigint =>
      5_880_000n -
      fillableDistanceTicks(
        { equity: equity * UNIT, maintenance: 3_528n * UNIT },
        { lots: 2n, maintenance: 3_528n * UNIT },
        { spreadPpm: 1_500_000n, quantaPerTickLot: 10_000n },
      );
    const rows = [3_528n, 2_646n, 1_764n, 882n, 0n, -500n].map(price);
    expect(rows).toEqual([5_880_000n, 5_813_850n, 5_747_700n, 5_681_550n, 5_615_400n, 5_615_400n]);
  });

  it("closes the published parts of 117,600 at 3 %, 0.5 % penalty, 0.4 % slippage, to 1.25 of maintenance", () => {
    const part = (equity: bigint): number =>
      Number(
        lotsToClose(
          { equity: equity * UNIT, maintenance: 3_528n * UNIT },
          {
            lots: 1_176_000n,
            quantaPerLot: 100_000n,
            notionalPerLot: 100_000n,
            maintenance: 3_528n * UNIT,
          },
          {
            targetPpm: 1_250_000n,
            penaltyPpm: 5_000n,
            slippagePpm: 4_000n,
            notionalMin: 0n,
          },
        ),
      ) / 1_176_000;
    expect([3_500n, 3_000n, 2_000n, 1_200n].map((equity) => part(equity).toFixed(4))).toEqual([
      "0.2715",
      "0.4207",
      "0.7191",
      "0.9578",
    ]);
  });
});

describe("the two keys", () => {
  const marks = { equity: 90n, maintenance: 100n };
  it("want the averages, too, unless half of maintenance is gone", () => {
    expect(dueReason(marks, { equity: 120n, maintenance: 100n }, 500_000n)).toBeNull();
    expect(dueReason(marks, { equity: 99n, maintenance: 100n }, 500_000n)).toBe("both");
    const half = { equity: 50n, maintenance: 100n };
    expect(dueReason(half, { equity: 120n, maintenance: 100n }, 500_000n)).toBeNull();
    const less = { equity: 49n, maintenance: 100n };
    expect(dueReason(less, { equity: 120n, maintenance: 100n }, 500_000n)).toBe("fast");
  });

  it("are one without averages, and none for an account below zero", () => {
    expect(dueReason(marks, null, 500_000n)).toBe("marks");
    const worthless = { equity: -1n, maintenance: 0n };
    expect(dueReason(worthless, { equity: 5n, maintenance: 0n }, 0n)).toBe("fast");
  });
});

describe("the reserve price", () => {
  const at = (elapsedMs: bigint, equity: bigint, worstTicks = 1_000n): bigint =>
    reserveDistanceTicks({
      worstTicks,
      halfSpreadTicks: 40n,
      elapsedMs,
      windowMs: 60_000n,
      equity,
      maintenance: 100n,
    });

  it("goes from half a spread to the worst price, by time and by what is missing", () => {
    expect(at(0n, 100n)).toBe(40n);
    expect(at(30_000n, 100n)).toBe(520n);
    expect(at(0n, 50n)).toBe(520n);
    expect(at(15_000n, 75n)).toBe(520n);
    expect(at(60_000n, 100n)).toBe(1_000n);
    expect(at(30_000n, 40n)).toBe(1_000n);
    expect(at(0n, 0n)).toBe(1_000n);
  });

  it("is the worst price where that is nearer than half a spread, be it better than the mark", () => {
    expect(at(0n, 100n, 20n)).toBe(20n);
    expect(at(30_000n, 100n, 20n)).toBe(20n);
    expect(at(0n, 100n, -5n)).toBe(-5n);
  });

  it("never moves back to the mark while nothing but time or trouble grows", () => {
    const random = createRandom(5);
    for (let i = 0; i < 500; i++) {
      const [time, equity] = [BigInt(random.below(70_000)), BigInt(random.below(101))];
      const now = at(time, equity);
      expect(at(time + BigInt(random.below(9_000)), equity)).toBeGreaterThanOrEqual(now);
      expect(at(time, equity - BigInt(random.below(50)))).toBeGreaterThanOrEqual(now);
      expect(now).toBeGreaterThanOrEqual(40n);
      expect(now).toBeLessThanOrEqual(1_000n);
    }
  });
});

describe("the penalty", () => {
  const terms = { basePpm: 2_000n, slopePpm: 500_000n, maxPpm: 15_000n };
  const variance = (hourly: number): bigint => BigInt(Math.round(hourly ** 2 * 2 ** 64));
  const quiet = {
    variance: variance(0.01),
    clip: 100_000n * UNIT,
    depth: 400_000n * UNIT,
    equity: 50_000n * UNIT,
    notional: 1_000_000n * UNIT,
    slippagePpm: 4_000n,
  };

  it("is 0.2 % and half the hour's volatility times the root of clip by depth", () => {
    // 0.002 + 0.5 × 1 % × √¼
    expect(penaltyRatePpm(quiet, terms)).toBe(4_500n);
    expect(penaltyRatePpm({ ...quiet, variance: 0n }, terms)).toBe(2_000n);
    expect(penaltyRatePpm({ ...quiet, variance: variance(0.1) }, terms)).toBe(15_000n);
    expect(penaltyRatePpm({ ...quiet, depth: 0n }, terms)).toBe(15_000n);
  });

  it("never exceeds what the account has left beyond the slippage", () => {
    expect(penaltyRatePpm({ ...quiet, equity: 7_000n * UNIT }, terms)).toBe(3_000n);
    expect(penaltyRatePpm({ ...quiet, equity: 4_000n * UNIT }, terms)).toBe(0n);
    expect(penaltyRatePpm({ ...quiet, equity: -1n }, terms)).toBe(0n);
  });

  it("keeps its bounds on random inputs, and never takes equity below zero at the expected slippage", () => {
    const random = createRandom(11);
    const some = (most: number): bigint => BigInt(random.below(most));
    for (let i = 0; i < 2_000; i++) {
      const notional = 1n + some(1_000_000);
      const clip = 1n + (notional * some(1_000)) / 1_000n;
      const equity = (notional * some(60_000)) / 1_000_000n;
      const inputs = {
        ...{ variance: variance(random.below(3_000) / 10_000), clip, depth: some(1_000_000) },
        ...{ equity, notional, slippagePpm: 4_000n },
      };
      const rate = penaltyRatePpm(inputs, terms);
      expect(rate).toBeGreaterThanOrEqual(0n);
      expect(rate).toBeLessThanOrEqual(15_000n);
      if (rate === 0n) continue;
      // Equity × clip / notional is the clip's part of it.
      const cost = clip * (rate + 4_000n);
      expect(cost * notional).toBeLessThanOrEqual(equity * clip * 1_000_000n);
      expect(penaltyQuanta(clip, rate, equity)).toBeLessThanOrEqual(equity);
    }
  });

  it("is split by parts that sum to it, the bidder's capped", () => {
    const split = { backstopPpm: 300_000n, keeperPpm: 200_000n, keeperMax: 200n * UNIT };
    expect(penaltyParts(1_000n, split)).toEqual({ insurance: 500n, backstop: 300n, keeper: 200n });
    expect(penaltyParts(2_000n * UNIT, split)).toEqual({
      insurance: 1_200n * UNIT,
      backstop: 600n * UNIT,
      keeper: 200n * UNIT,
    });
    expect(penaltyParts(1n, split)).toEqual({ insurance: 1n, backstop: 0n, keeper: 0n });
  });
});

describe("the flow of a book", () => {
  const claims = (...parts: [wanted: bigint, weight: bigint][]): Claimant<string>[] =>
    parts.map(([wanted, weight], i) => ({ id: `account ${i}`, wanted, weight }));
  const given = (available: bigint, list: Claimant<string>[], least = 1n): bigint[] => {
    const shares = shareFlow(available, list, least);
    return list.map(({ id }) => shares.get(id) ?? 0n);
  };

  it("is shared by shortfall, and what one does not want goes to the others", () => {
    expect(given(100n, claims([100n, 1n], [100n, 3n]))).toEqual([25n, 75n]);
    expect(given(100n, claims([100n, 1n], [20n, 3n]))).toEqual([80n, 20n]);
    expect(given(100n, claims([30n, 1n], [20n, 3n]))).toEqual([30n, 20n]);
  });

  it("makes the smallest wait rather than hand out crumbs", () => {
    expect(given(10n, claims([50n, 1n], [50n, 4n]), 4n)).toEqual([0n, 10n]);
    expect(given(10n, claims([2n, 4n], [50n, 1n]), 4n)).toEqual([2n, 8n]);
    expect(given(3n, claims([50n, 1n], [50n, 4n]), 4n)).toEqual([0n, 0n]);
  });

  it("gives out all of it, to nobody more than it wants, whatever the sequence", () => {
    const random = createRandom(3);
    for (let round = 0; round < 300; round++) {
      const list = Array.from({ length: 1 + random.below(12) }, (_, i) => ({
        id: `account ${i}`,
        wanted: BigInt(1 + random.below(40)),
        weight: BigInt(1 + random.below(1_000)),
      }));
      const [available, least] = [BigInt(random.below(200)), BigInt(1 + random.below(6))];
      const shares = shareFlow(available, list, least);
      const shuffled = list
        .map((one) => ({ one, key: random.below(1_000) }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one);
      expect([...shareFlow(available, shuffled, least)].sort()).toEqual([...shares].sort());
      let sum = 0n;
      let wanted = 0n;
      for (const one of list) {
        const share = shares.get(one.id);
        if (share === undefined) continue;
        expect(share).toBeLessThanOrEqual(one.wanted);
        expect(share >= least || share === one.wanted).toBe(true);
        sum += share;
        wanted += one.wanted;
      }
      expect(sum).toBe(wanted < available ? wanted : shares.size === 0 ? 0n : available);
    }
  });
});
