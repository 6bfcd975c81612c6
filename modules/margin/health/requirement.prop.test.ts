import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Position } from "../account-codec.ts";
import type { RequirementTier } from "../ports.ts";
import { btcTerms } from "../testing/world.ts";
import type { MarketView } from "./market-view.ts";
import { positionInitial, positionMaintenance } from "./position-requirement.ts";
import { worstCaseLots } from "./requirement.ts";

const RUNS = { numRuns: 300 };
const lots = fc.bigInt({ min: -5_000n, max: 5_000n });
const open = fc.bigInt({ min: 0n, max: 3_000n });
/** Of other sub-accounts of the owner. */
const others = fc.bigInt({ min: 0n, max: 6_000n });

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
      initialPpm += initial + maintenance;
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
    raise: fc.option(fc.bigInt({ min: 1n, max: 900_000n }), { nil: undefined }),
  })
  .map((made) => ({
    terms: btcTerms({
      tiers: made.tiers,
      ...(made.raise === undefined ? {} : { initialRaisePpm: made.raise }),
    }),
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

const part = fc.tuple(lots, open, open).map(([held, buys, sells]) => position(held, buys, sells));

/** What all of an owner's accounts need, each beside the others. */
function together(parts: readonly Position[], market: MarketView) {
  const size = ({ lots: held }: Position): bigint => (held < 0n ? -held : held);
  const sum = (of: (one: Position) => bigint): bigint =>
    parts.reduce((total, one) => total + of(one), 0n);
  const [all, worst] = [sum(size), sum(worstCaseLots)];
  return {
    maintenance: sum((one) => positionMaintenance(one, market, all - size(one))),
    initial: sum((one) => positionInitial(one, market, worst - worstCaseLots(one))),
  };
}

describe("the requirement of a position", () => {
  it("never grows when some of it is closed", () => {
    fc.assert(
      fc.property(
        view,
        lots,
        others,
        fc.integer({ min: 0, max: 100 }),
        (market, held, other, percent) => {
          const less = held - (held * BigInt(percent)) / 100n;
          expect(positionMaintenance(position(less), market, other)).toBeLessThanOrEqual(
            positionMaintenance(position(held), market, other),
          );
          expect(positionInitial(position(less), market, other)).toBeLessThanOrEqual(
            positionInitial(position(held), market, other),
          );
        },
      ),
      RUNS,
    );
  });

  it("never falls when an order comes to rest", () => {
    fc.assert(
      fc.property(
        view,
        lots,
        open,
        open,
        open,
        others,
        (market, held, buys, sells, more, other) => {
          const before = positionInitial(position(held, buys, sells), market, other);
          const bought = positionInitial(position(held, buys + more, sells), market, other);
          const sold = positionInitial(position(held, buys, sells + more), market, other);
          expect(bought).toBeGreaterThanOrEqual(before);
          expect(sold).toBeGreaterThanOrEqual(before);
        },
      ),
      RUNS,
    );
  });

  it("never falls when the owner has more elsewhere, and stays what it is while all lie in the first tier", () => {
    fc.assert(
      fc.property(view, lots, others, open, (market, held, other, more) => {
        const alone = positionMaintenance(position(held), market, 0n);
        const before = positionMaintenance(position(held), market, other);
        expect(before).toBeGreaterThanOrEqual(alone);
        expect(positionMaintenance(position(held), market, other + more)).toBeGreaterThanOrEqual(
          before,
        );
        const all = worstCaseLots(position(held)) + other;
        const end = market.terms.tiers[1]?.aboveQuanta ?? all * market.quantaPerLot;
        if (all * market.quantaPerLot <= end) expect(before).toBe(alone);
      }),
      RUNS,
    );
  });

  it("is of initial margin never less than of maintenance margin", () => {
    fc.assert(
      fc.property(view, part, others, open, (market, held, other, orders) => {
        expect(positionInitial(held, market, other + orders)).toBeGreaterThanOrEqual(
          positionMaintenance(held, market, other),
        );
      }),
      RUNS,
    );
  });
});

describe("a portfolio over several accounts of one owner", () => {
  it("never needs less than in one account, maintenance and initial, orders included", () => {
    fc.assert(
      fc.property(view, fc.array(part, { minLength: 1, maxLength: 6 }), (market, parts) => {
        const whole = parts.reduce((sum, { lots: held, openBuyLots, openSellLots }) =>
          position(sum.lots + held, sum.openBuyLots + openBuyLots, sum.openSellLots + openSellLots),
        );
        const { initial, maintenance } = together(parts, market);
        expect(maintenance).toBeGreaterThanOrEqual(positionMaintenance(whole, market, 0n));
        expect(initial).toBeGreaterThanOrEqual(positionInitial(whole, market, 0n));
      }),
      { ...RUNS, numRuns: 1_000 },
    );
  });

  it("needs no more either, but for one rounding each, where all are on one side", () => {
    fc.assert(
      fc.property(view, fc.array(open, { minLength: 1, maxLength: 6 }), (market, sizes) => {
        const whole = sizes.reduce((sum, size) => sum + size, 0n);
        const { maintenance } = together(
          sizes.map((size) => position(size)),
          market,
        );
        const most = positionMaintenance(position(whole), market, 0n) + BigInt(sizes.length);
        expect(maintenance).toBeLessThanOrEqual(most);
      }),
      RUNS,
    );
  });
});
