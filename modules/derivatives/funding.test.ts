import {
  QueryFundingRequest,
  QueryFundingResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import type { Funding } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import {
  advanceFunding,
  clampBound,
  type Depth,
  FUNDING_PERIOD_MS,
  impactPrice,
  initialFunding,
  predictedRate,
  premiumPpm,
  rateFrom,
} from "./funding.ts";
import { createTestVenue, SYMBOL } from "./testing.ts";

function depth(...orders: (readonly [ticks: number, lots: number])[]): Depth {
  return (visit) => void orders.some(([ticks, lots]) => visit(ticks, lots));
}

const wide = 10n ** 12n;

describe("premium at impact size, on published books", () => {
  // Half-unit ticks and lots of 0.1: 50,000 quanta per tick and lot.
  const q = 50_000n;
  const notional = 5_000_000_000n;

  it("bids 0.1 at 9,999 and 1 at 9,998, index 9,000, 5,000 deep: 110,911 ppm", () => {
    const bid = impactPrice(depth([19_998, 1], [19_996, 10]), notional, q);
    expect(premiumPpm(18_000n, bid, null, wide)).toBe(110_911n);
  });

  it("asks 0.1 at 10,001, 0.1 at 10,001.5 and 1 at 10,002, index 10,003: -129 ppm, toward zero", () => {
    const ask = impactPrice(depth([20_002, 1], [20_003, 1], [20_004, 10]), notional, q);
    expect(premiumPpm(20_006n, null, ask, wide)).toBe(-129n);
  });

  it("is zero without the depth, and inside the spread", () => {
    expect(impactPrice(depth([19_998, 1]), notional, q)).toBeNull();
    expect(premiumPpm(18_000n, null, null, wide)).toBe(0n);
    const bid = impactPrice(depth([19_998, 10]), notional, q);
    const ask = impactPrice(depth([20_002, 10]), notional, q);
    expect(premiumPpm(20_000n, bid, ask, wide)).toBe(0n);
  });

  it("is clamped by the margin parameters: 60 x (5 % - 3 %)", () => {
    const bound = clampBound(60_000_000n, { initialPpm: 50_000n, maintenancePpm: 30_000n });
    expect(bound).toBe(1_200_000n);
    const bid = impactPrice(depth([90_000, 10]), notional, q);
    expect(premiumPpm(18_000n, bid, null, bound)).toBe(bound);
    const ask = impactPrice(depth([1, 1_000_000]), notional, q);
    expect(premiumPpm(18_000n, null, ask, 500_000n)).toBe(-500_000n);
  });
});

const terms = { interestPpm: 100n, rateClampPpm: 120_000n, stepMaxMs: 60_000n };
const hourNs = 3_600_000_000_000n;
const start = 472_222n * hourNs;

describe("rate", () => {
  it("is the hour's mean, missing minutes as zero, plus interest, clamped", () => {
    expect(rateFrom([600n, 600n, -1n], terms)).toBe(19n + 100n);
    expect(rateFrom([-6_001n], terms)).toBe(-100n + 100n);
    expect(rateFrom(Array(60).fill(500_000n), terms)).toBe(120_000n);
    expect(rateFrom(Array(60).fill(-500_000n), terms)).toBe(-120_000n);
  });

  it("weighs premiums by the time they stood, closes minutes and hours, and predicts what it then sets", () => {
    let funding = { ...initialFunding(start), premiumPpm: 1000n };
    const advance = (ms: bigint): void => {
      funding = advanceFunding(funding, funding.accruedToNs + ms * 1_000_000n, 0n, terms);
    };
    advance(15_000n);
    funding = { ...funding, premiumPpm: 2000n };
    advance(45_000n);
    // (15 s x 1000 + 45 s x 2000) / 60 s
    expect(funding.samplesPpm).toEqual([1750n]);
    for (let i = 0; i < 118; i++) advance(30_000n - (i === 117 ? 1n : 0n));
    expect(funding.samplesPpm).toHaveLength(59);
    const predicted = predictedRate(funding, terms);
    advance(1n);
    expect(funding.samplesPpm).toEqual([]);
    expect(funding.rate8hPpm).toBe(predicted);
    expect(predicted).toBe((1750n + 59n * 2000n) / 60n + 100n);
    // After hours without a block the old samples count for nothing.
    advance(3n * 3_600_000n);
    expect(funding.rate8hPpm).toBe(100n);
  });
});

describe("accrual", () => {
  it("charges whole quanta per lot and carries the fraction: 8 hours cost exactly the rate", () => {
    for (const rate of [100n, -100n, 7n, 119_999n]) {
      let funding = { ...initialFunding(start), rate8hPpm: rate };
      const fixed = { ...terms, interestPpm: rate };
      const lotValue = 60_000_000n;
      let at = start;
      // Uneven steps that end exactly 8 hours later.
      for (let i = 0n; at < start + 8n * hourNs; i++) {
        at += 1_000_000n * (1n + ((i * 7919n) % 50_000n));
        if (at > start + 8n * hourNs) at = start + 8n * hourNs;
        funding = advanceFunding({ ...funding, premiumPpm: 0n }, at, lotValue, fixed);
      }
      expect(funding.rate8hPpm).toBe(rate);
      expect(funding.remainder).toBe(
        (rate * lotValue * FUNDING_PERIOD_MS) % (1_000_000n * FUNDING_PERIOD_MS),
      );
      expect(funding.index).toBe((rate * lotValue) / 1_000_000n);
    }
  });

  it("costs what is published elsewhere for one hour at 50,000: 625 per 1,000 ppm, here per 0.0001 and exact", () => {
    // One lot of 0.0001 at 50,000 is worth 5 units.
    for (const [rate, index] of [
      [1_000n, 625n],
      [500n, 312n],
      [120_000n, 75_000n],
      [1_500_000n, 937_500n],
      [-500n, -312n],
    ] as const) {
      const still = { interestPpm: rate, rateClampPpm: 6_000_000n, stepMaxMs: 60_000n };
      let funding: Funding = { ...initialFunding(start), rate8hPpm: rate };
      for (let minute = 1n; minute <= 60n; minute++) {
        funding = advanceFunding(funding, start + (minute * hourNs) / 60n, 5_000_000n, still);
      }
      expect(funding.index).toBe(index);
    }
  });

  it("charges an outage at most one step, and nothing while the price is stale", () => {
    const funding = { ...initialFunding(start), rate8hPpm: 28_800n };
    // 28,800 ppm of 1,000,000 quanta over 8 h is 1 quantum a second.
    expect(advanceFunding(funding, start + hourNs, 1_000_000n, terms).index).toBe(60n);
    expect(advanceFunding(funding, start + 10n * 1_000_000_000n, 1_000_000n, terms).index).toBe(
      10n,
    );
    expect(advanceFunding(funding, start + hourNs, 0n, terms).index).toBe(0n);
    expect(advanceFunding(funding, start, 1_000_000n, terms)).toBe(funding);
  });
});

describe("dYdX's published funding", () => {
  /** Initial margin and maintenance fraction of its liquidity tiers, and the most that an hour then costs, ppm. */
  const tiers: readonly (readonly [string, bigint, bigint, bigint])[] = [
    ["Large-Cap", 20_000n, 600_000n, 6_000n],
    ["Small-Cap", 100_000n, 500_000n, 37_500n],
    ["Long-Tail", 200_000n, 500_000n, 75_000n],
    ["Safety", 1_000_000n, 200_000n, 600_000n],
    ["Isolated", 50_000n, 600_000n, 15_000n],
    ["Mid-Cap", 50_000n, 600_000n, 15_000n],
    ["FX", 10_000n, 500_000n, 3_750n],
  ];

  it.each(tiers)(
    "of %s is clamped to the same hourly rate",
    (_tier, initialPpm, fraction, hourly) => {
      const maintenancePpm = (initialPpm * fraction) / 1_000_000n;
      const rateClampPpm = clampBound(6_000_000n, { initialPpm, maintenancePpm });
      expect(rateClampPpm / 8n).toBe(hourly);
      const bounded = { ...terms, rateClampPpm };
      expect(rateFrom(Array(60).fill(10_000_000n), bounded)).toBe(rateClampPpm);
      expect(rateFrom(Array(60).fill(-10_000_000n), bounded)).toBe(-rateClampPpm);
      // A reading is clamped ten times as far.
      expect(clampBound(60_000_000n, { initialPpm, maintenancePpm })).toBe(10n * rateClampPpm);
    },
  );

  it("clamps odd parameters to the ppm: factor 423,978,721, margin 745,345, fraction 564,947", () => {
    // Maintenance is a parameter here; there it is this product, truncated.
    const maintenancePpm = (745_345n * 564_947n) / 1_000_000n;
    expect(clampBound(423_978_721n, { initialPpm: 745_345n, maintenancePpm })).toBe(137_481_459n);
  });

  it("counts an hour's missing minutes as zero and adds 1 bp", () => {
    // There a minute is the median of its blocks' readings, because proposers report them; here every node reads the book itself, so a minute
    // is their mean by time, and one reading that stood all minute gives the same.
    expect(rateFrom([], terms)).toBe(100n);
    expect(rateFrom([60_000n], terms)).toBe(1_100n);
    expect(rateFrom(Array(60).fill(1_000n), terms)).toBe(1_100n);
    let funding: Funding = { ...initialFunding(start), premiumPpm: 1_000n };
    funding = advanceFunding(funding, start + hourNs / 60n, 0n, terms);
    expect(funding.samplesPpm).toEqual([1_000n]);
  });

  /** Index after a time at a rate, in steps of a minute, each truncated with its fraction carried. */
  function indexAfter(rate: bigint, lotValue: bigint, hours: bigint): Funding {
    const still = { interestPpm: rate, rateClampPpm: 10n ** 9n, stepMaxMs: 60_000n };
    let funding: Funding = { ...initialFunding(start), rate8hPpm: rate };
    for (let minute = 1n; minute <= hours * 60n; minute++) {
      const at = start + (minute * hourNs) / 60n;
      funding = advanceFunding(funding, at, lotValue, still);
    }
    return funding;
  }

  it.each([
    // Rate, value of what the index is per, hours, index.
    [1_001_999n, 1_000n, 8n, 1_001n],
    [-1_001_999n, 1_000n, 8n, -1_001n],
    [-1_001_999n, 10n ** 13n, 4n, -5_009_995_000_000n],
    [-1_001_999n, 10n ** 9n, 1n, -125_249_875n],
    // ETH at 3,000, per 0.001.
    [1_000n, 3_000_000n, 1n, 375n],
  ])("moves the index by the same at %s ppm on %s for %s h: %s", (rate, lotValue, hours, index) => {
    expect(indexAfter(rate, lotValue, hours).index).toBe(index);
  });

  it("drops the fraction of each hour where ours carries it to the next", () => {
    // 500 ppm on 5 units is 312.5 an hour: 624 in two hours there.
    expect(indexAfter(500n, 5_000_000n, 1n).index).toBe(312n);
    expect(indexAfter(500n, 5_000_000n, 2n).index).toBe(625n);
  });
});

describe("funding of a market", () => {
  it("reads the premium at the end of each block and moves the index from the next hour on", () => {
    const venue = createTestVenue();
    const { ctx, keeper } = venue;
    venue.place(venue.account(1), "buy 1 @ 60600");
    venue.place(venue.account(2), "sell 1 @ 60700");
    keeper.endBlock(ctx);
    const funding = () => venue.venue.state.funding.get(ctx, 1)!;
    expect(funding().premiumPpm).toBe(10_000n);
    for (let i = 0; i < 140; i++) {
      ctx.nextBlock(30);
      keeper.beginBlock(ctx);
      keeper.endBlock(ctx);
    }
    expect(funding().rate8hPpm).toBeGreaterThan(5_000n);
    expect(keeper.fundingIndex(ctx, 1)).toBeGreaterThan(0n);
    expect(ctx.events.filter(({ type }) => type === "funding_rate").length).toBeGreaterThan(0);
    const query = venue.module.queries.find(({ path }) => path.endsWith("/Funding"))!;
    const request = QueryFundingRequest.encode({ market: SYMBOL }).finish();
    const answer = QueryFundingResponse.decode(query.handle(ctx, request));
    expect(answer).toMatchObject({
      rate8hPpm: funding().rate8hPpm,
      index: keeper.fundingIndex(ctx, 1),
      premiumPpm: 10_000n,
      rateMax8hPpm: 120_000n,
      nextRateAtS: (funding().hour + 1n) * 3600n,
    });
    expect(answer.predictedRate8hPpm).toBeGreaterThan(0n);
    expect(answer.history.at(-1)?.rate8hPpm).toBe(funding().rate8hPpm);
    const before = keeper.fundingIndex(ctx, 1);
    venue.setPrice(60_000, false);
    keeper.endBlock(ctx);
    expect(funding().premiumPpm).toBe(0n);
    ctx.nextBlock(30);
    keeper.beginBlock(ctx);
    expect(keeper.fundingIndex(ctx, 1)).toBe(before);
  });
});
