import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { describe, expect, it } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import { absolute } from "../../kit/math/mul-div.ts";
import { type Account, type Elsewhere, NO_ASSETS, NO_ELSEWHERE } from "../account-codec.ts";
import { maintenanceHealth } from "../health/health.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import { type RiskArray, riskArray, underlyingRisk } from "../portfolio/risk-array.ts";
import { perpetual } from "../portfolio/testing/instruments.ts";
import { models } from "../portfolio/testing/models.ts";
import { btcTerms } from "../testing/world.ts";
import { HealthBounds } from "./health-bounds.ts";

const ID = accountId(new Uint8Array(20), 0);
const PRICE = 60_000n;
/** Of the underlying, per lot. */
const NOTIONAL = PRICE * 1_000n;
const LOTS = 1_000n;
const CALM = { volatility: WAD / 2n, oracleWidthPpm: 0n };

function modelOf(addOns: PortfolioModel["addOns"]): PortfolioModel {
  return PortfolioModel.fromPartial({
    ...models.s35,
    ...{ maintenanceFactorPpm: 1_000_000n, collateral: [], addOns },
    underlyings: [
      {
        underlying: "",
        ...{ rangeMinimumPpm: 100_000n, rangeMaximumPpm: 100_000n },
        dailyVolume: "100000000000000",
      },
    ],
  });
}

function arrayOf(model: PortfolioModel, state: typeof CALM): RiskArray | null {
  const risk = underlyingRisk(model, { name: "BTC-USD", price: PRICE * WAD, ...state });
  return risk === null ? null : riskArray(risk, perpetual(PRICE));
}

/** Long in one market and short in another on the same underlying: no scenario loses anything, all that is required are add-ons. */
class Hedge {
  readonly #model: PortfolioModel;
  readonly #bounds: HealthBounds = new HealthBounds();
  readonly #account: Account;
  /** Markets asked for. */
  readonly asked: Set<number> = new Set();

  constructor(
    model: PortfolioModel,
    slack: bigint,
    elsewhere: readonly Elsewhere[] = NO_ELSEWHERE,
  ) {
    this.#model = model;
    const flat: Account = {
      ...{ collateral: 0n, feeReserve: 0n, portfolio: true, isolated: false },
      ...{ assets: NO_ASSETS, elsewhere },
      positions: [LOTS, -LOTS].map((lots, i) => ({
        ...{ market: i + 1, lots, quote: -lots * NOTIONAL, fundingIndex: 0n },
        ...{ openBuyLots: 0n, openSellLots: 0n },
      })),
    };
    const needed = maintenanceHealth(flat, this.#views(CALM, CALM))?.maintenance ?? 0n;
    this.#account = { ...flat, collateral: needed + slack };
    this.#bounds.watch([ID]);
  }

  #views(first: typeof CALM, second: typeof CALM): MarketViews {
    const arrays = [arrayOf(this.#model, first), arrayOf(this.#model, second)];
    const read = (market: number): MarketView => ({
      terms: btcTerms({ id: market, tiers: [] }),
      ...{ markTicks: 1n, fresh: true, fundingIndex: 0n, losses: null },
      ...{ quantaPerLot: NOTIONAL, notionalPerLot: NOTIONAL },
    });
    const riskArray = (market: number): RiskArray | null => {
      this.asked.add(market);
      return arrays[market - 1] ?? null;
    };
    return Object.assign(read, { riskArray });
  }

  /** How many were judged, and how many of them are short. */
  look(first: typeof CALM, second: typeof CALM): readonly [number, number] {
    const found = this.#bounds.look(
      () => this.#account,
      this.#views(first, second),
      true,
      () => undefined,
    );
    return [this.#bounds.lastLooks, found.length];
  }
}

describe("a hedged portfolio that is charged for its market impact", () => {
  /** 120,000 of gross delta in a volume of 100 million: 2.6 % a day × √0.0012 × 120,000 = 109. */
  const model = modelOf({
    concentration: { volumeSharePpm: 100_000n, horizonMs: 86_400_000n, impactPpm: 1_000_000n },
    fundingHours: 0,
  } as PortfolioModel["addOns"]);
  const impact = 109_000_000n;
  const wilder = { ...CALM, volatility: (WAD * 6n) / 10n };

  it("stays in sight when what it has over is less than impact may grow by", () => {
    const hedge = new Hedge(model, impact / 10n);
    expect(hedge.look(CALM, CALM)).toEqual([1, 0]);
    expect(hedge.look(CALM, CALM)).toEqual([1, 0]);
    expect(hedge.look(wilder, wilder)).toEqual([1, 1]);
  });

  it("is not judged for it when there is enough, until volatility has left the room there is", () => {
    const hedge = new Hedge(model, impact * 3n);
    expect(hedge.look(CALM, CALM)).toEqual([1, 0]);
    expect(hedge.look(CALM, CALM)).toEqual([0, 0]);
    expect(hedge.look(wilder, wilder)).toEqual([0, 0]);
    const wildest = { ...CALM, volatility: (WAD * 7n) / 10n };
    expect(hedge.look(wildest, wildest)).toEqual([1, 0]);
    expect(hedge.look(wildest, wildest)).toEqual([0, 0]);
  });
});

describe("a portfolio whose owner has resting orders elsewhere", () => {
  it("asks for markets in which lots are held, and for no other: one that nobody holds is read by nobody", () => {
    const held = { market: 3, lots: 5n, worstLots: 5n };
    const resting = { market: 4, lots: 0n, worstLots: 5n };
    const hedge = new Hedge(modelOf(undefined), NOTIONAL, [held, resting]);
    hedge.look(CALM, CALM);
    hedge.look(CALM, CALM);
    expect([...hedge.asked].sort()).toEqual([1, 2, 3]);
  });
});

describe("a portfolio whose markets know different things of their underlying", () => {
  const model = modelOf({
    oracleWidth: {
      thresholdPpm: 0n,
      wholeWidth: true,
      factor: { initialPpm: 1_000_000n, maintenancePpm: 1_000_000n },
    },
    fundingHours: 0,
  } as PortfolioModel["addOns"]);
  const wide = { ...CALM, oracleWidthPpm: 1_000n };
  /** A thousandth of one leg. */
  const leg = (absolute(LOTS) * NOTIONAL) / 1_000n;

  it("is judged as long as they do: what is charged of one is charged of all", () => {
    // Both legs are charged by the first one's width.
    const hedge = new Hedge(model, leg + leg / 2n);
    expect(hedge.look(CALM, CALM)).toEqual([1, 0]);
    expect(hedge.look(CALM, CALM)).toEqual([0, 0]);
    expect(hedge.look(wide, CALM)).toEqual([1, 1]);
    expect(hedge.look(CALM, wide)).toEqual([1, 0]);
    expect(hedge.look(CALM, wide)).toEqual([1, 0]);
    expect(hedge.look(CALM, CALM)).toEqual([1, 0]);
    expect(hedge.look(CALM, CALM)).toEqual([0, 0]);
  });
});
