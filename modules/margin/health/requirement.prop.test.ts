import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Position } from "../account-codec.ts";
import type { RequirementTier } from "../ports.ts";
import { btcTerms } from "../testing/world.ts";
import type { MarketView } from "./market-view.ts";
import { positionInitial, positionMaintenance } from "./position-requirement.ts";

const RUNS = { numRuns: 300, seed: 4_711 };
const lots = fc.bigInt({ min: -5_000n, max: 5_000n });
const open = fc.bigInt({ min: 0n, max: 3_000n });

/** One to four tiers of rising rates. */
const tiers: fc.Arbitrary<readonly RequirementTier[]> = fc
  .array(
    fc.record({
      width: fc.bigInt({ min: 1n, max: 5_000_000n }),
      initial: fc.bigInt({ min: 0n, max: 100_000n }),
      maintenance: fc.bigInt({ min: 0n, max: 50_000n }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((steps) => {
    let [aboveQuanta, initialPpm, maintenancePpm] = [0n, 10_000n, 5_000n];
    return steps.map(({ initial, maintenance, width }, i) => {
      if (i > 0) aboveQuanta += width;
      initialPpm += initial;
      maintenancePpm += maintenance;
      return { aboveQuanta, initialPpm, maintenancePpm };
    });
  });

const losses = fc.tuple(open, open, open, open).map(([a, b, c, d]) => ({
  long: { initial: a + b, maintenance: a },
  short: { initial: c + d, maintenance: c },
}));

const view: fc.Arbitrary<MarketView> = fc
  .record({
    tiers,
    quantaPerLot: fc.bigInt({ min: 1n, max: 9_999n }),
    losses: fc.option(losses),
  })
  .map((made) => ({
    terms: btcTerms({ tiers: made.tiers }),
    markTicks: made.quantaPerLot,
    fresh: true,
    fundingIndex: 0n,
    quantaPerLot: made.quantaPerLot,
    notionalPerLot: made.quantaPerLot,
    losses: made.losses,
  }));

function position(held: bigint, openBuyLots = 0n, openSellLots = 0n): Position {
  return { market: 1, lots: held, quote: 0n, fundingIndex: 0n, openBuyLots, openSellLots };
}

describe("the requirement of a position", () => {
  it("never grows when some of it is closed", () => {
    fc.assert(
      fc.property(view, lots, fc.integer({ min: 0, max: 100 }), (market, held, percent) => {
        const less = held - (held * BigInt(percent)) / 100n;
        const of = positionMaintenance;
        expect(of(position(less), market)).toBeLessThanOrEqual(of(position(held), market));
        expect(positionInitial(position(less), market)).toBeLessThanOrEqual(
          positionInitial(position(held), market),
        );
      }),
      RUNS,
    );
  });

  it("never falls when an order comes to rest", () => {
    fc.assert(
      fc.property(view, lots, open, open, open, (market, held, buys, sells, more) => {
        const before = positionInitial(position(held, buys, sells), market);
        const bought = positionInitial(position(held, buys + more, sells), market);
        const sold = positionInitial(position(held, buys, sells + more), market);
        expect(bought).toBeGreaterThanOrEqual(before);
        expect(sold).toBeGreaterThanOrEqual(before);
      }),
      RUNS,
    );
  });

  it("is not less in two accounts than in one where a market has one tier, or losses per lot", () => {
    fc.assert(
      fc.property(view, lots, lots, (market, one, other) => {
        const [tier] = market.terms.tiers;
        if (tier === undefined) throw new Error("a market without tiers");
        const flat = { ...market, terms: { ...market.terms, tiers: [tier] } };
        const parts =
          positionMaintenance(position(one), flat) + positionMaintenance(position(other), flat);
        expect(parts).toBeGreaterThanOrEqual(positionMaintenance(position(one + other), flat));
      }),
      RUNS,
    );
  });

  it("is less in two accounts of one owner by no more than the lower tiers, counted once more", () => {
    fc.assert(
      fc.property(view, lots, lots, (market, one, other) => {
        fc.pre(market.losses === null);
        const parts =
          positionMaintenance(position(one), market) + positionMaintenance(position(other), market);
        const whole = positionMaintenance(position(one + other), market);
        const last = market.terms.tiers.at(-1);
        if (last === undefined) throw new Error("a market without tiers");
        // What the steepest rate on everything would be above the requirement, once.
        const notional = last.aboveQuanta;
        const lower = market.terms.tiers.reduce((sum, tier, i) => {
          const next = market.terms.tiers[i + 1]?.aboveQuanta ?? notional;
          return sum + (next - tier.aboveQuanta) * (last.maintenancePpm - tier.maintenancePpm);
        }, 0n);
        expect(whole - parts).toBeLessThanOrEqual(lower / 1_000_000n + 1n);
      }),
      RUNS,
    );
  });
});
