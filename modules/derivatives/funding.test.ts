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
