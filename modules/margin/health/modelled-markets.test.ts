import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { describe, expect, it } from "vitest";
import { models } from "../portfolio/testing/models.ts";
import type { MarketRisk } from "../ports.ts";
import { BTC, btcTerms, createWorld } from "../testing/world.ts";
import { modelledMarkets } from "./modelled-markets.ts";

const STABLE = 8;
const model = PortfolioModel.fromPartial({
  ...models.s35,
  underlyings: [{ underlying: "", rangeMinimumPpm: 100_000n, rangeMaximumPpm: 100_000n }],
  depeg: { thresholdPpm: 990_000n, initialFactorPpm: 4_000_000n, feedId: STABLE },
});

describe("the risk array of a market", () => {
  it("prices no scenario again while the settlement asset alone moves, and follows it all the same", () => {
    const { ctx, margin, markets, prices } = createWorld();
    markets.list(ctx, btcTerms());
    markets.setMark(ctx, BTC, 50_000n);
    const found = markets.risk(ctx, BTC);
    if (found === undefined) throw new Error("expected a market with a price");
    let priced = 0;
    const price: MarketRisk["instrument"]["price"] = (move, volatility) => {
      priced += 1;
      return found.instrument.price(move, volatility);
    };
    const risk = { ...found, instrument: { ...found.instrument, price } };
    const port = { price: (_ctx: unknown, feedId: number) => prices.get(feedId) };
    const modelled = modelledMarkets(margin.state, { ...markets, risk: () => risk }, port);
    const at = (mantissa: bigint) => {
      prices.set(STABLE, { mantissa, exponent: -4, confidence: 0n, fresh: true });
      return modelled.riskArray(ctx, BTC, model);
    };
    const whole = at(10_000n);
    const once = priced;
    expect(once).toBeGreaterThan(0);
    for (const below of [1n, 2n, 150n, 0n]) {
      const array = at(9_900n - below);
      expect(array?.underlying.depegPpm).toBe(below * 100n);
      expect(array?.changes).toEqual(whole?.changes);
    }
    expect(at(10_000n)).toEqual(whole);
    expect(priced).toBe(once);
  });
});
