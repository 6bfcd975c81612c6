/** Markets under the margin model in state. Risk arrays are functions of what markets say and of the model, and remembered with both. */
import type { PortfolioModel, UnderlyingRule } from "@keel/proto/gen/keel/margin/v1/portfolio";
import type { ReadContext } from "../../kit/context.ts";
import { maximum } from "../../kit/math/mul-div.ts";
import { readOr } from "../../kit/read-or.ts";
import { assetView, knownPrice } from "../collateral-assets/valuation.ts";
import { depegPpm } from "../portfolio/collateral.ts";
import { type Measured, NOT_MEASURED, stepped } from "../portfolio/measured.ts";
import { ruleOf } from "../portfolio/model.ts";
import { type RiskArray, riskArray, underlyingRisk } from "../portfolio/risk-array.ts";
import type { MarketId, MarketRisk, MarketsPort, PricesPort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { betaPpm } from "../volatility/common-factor.ts";
import { outcomeOf } from "../volatility/measuring.ts";
import type { ModelledMarkets } from "./market-view.ts";

interface Made {
  readonly risk: MarketRisk;
  readonly measured: Measured;
  readonly model: PortfolioModel;
  readonly array: RiskArray | null;
}

export function modelledMarkets(
  state: MarginState,
  markets: MarketsPort,
  prices: PricesPort,
): ModelledMarkets {
  const made = new Map<MarketId, Made>();

  /** What dynamic margin knows of the market's feed; nothing where the model asks for nothing. */
  function measuredOf(
    ctx: ReadContext,
    market: MarketId,
    rule: UnderlyingRule | null,
    model: PortfolioModel,
  ): Measured {
    const unknown = { ...NOT_MEASURED, depegPpm: depegOf(ctx, model) };
    const asked = rule !== null && (rule.betaMeasured || rule.volatilitySource !== 0);
    const feedId = asked ? markets.terms(ctx, market)?.feedId : undefined;
    if (feedId === undefined) return stepped(unknown);
    const terms = state.volatility.terms.get(ctx, feedId);
    const known = state.volatility.measured.get(ctx, feedId);
    if (terms === undefined || known === undefined) return stepped(unknown);
    const { fast, floor, slow } = outcomeOf(terms, known);
    const volatility = maximum(maximum(fast, slow), floor);
    return stepped({ ...unknown, volatility, betaPpm: betaPpm(terms, known) });
  }

  /** By the last known price of the settlement asset. */
  function depegOf(ctx: ReadContext, model: PortfolioModel): bigint {
    const feedId = model.depeg?.feedId ?? 0;
    const stable = feedId === 0 ? 0n : knownPrice(ctx, prices, feedId);
    return stable === 0n ? 0n : depegPpm(model, stable);
  }

  function arrayIn(ctx: ReadContext, market: MarketId, model: PortfolioModel): RiskArray | null {
    const risk = markets.risk(ctx, market);
    if (risk === undefined) return null;
    const known = made.get(market);
    const measured = measuredOf(ctx, market, ruleOf(model, risk.underlying.name), model);
    const stands =
      known?.risk === risk && known.model === model && pricesAlike(known.measured, measured);
    if (stands && known.measured.depegPpm === measured.depegPpm) return known.array;
    const array = stands
      ? repegged(known.array, measured.depegPpm)
      : arrayOf(model, risk, measured);
    made.set(market, { risk, measured, model, array });
    return array;
  }

  return {
    ...markets,
    asset(ctx, denom) {
      const asset = state.assets.assets.get(ctx, denom);
      return asset?.terms === undefined ? null : assetView(ctx, prices, asset, asset.terms);
    },
    model: (ctx) => state.portfolioModel.get(ctx),
    riskArray(ctx, market, model) {
      const computed = () => arrayIn(ctx, market, model);
      // Positions in what was stopped because it cannot be computed are charged as everywhere.
      if (markets.terms(ctx, market)?.status !== "quarantined") return computed();
      return readOr(computed, () => null);
    },
  };
}

function arrayOf(model: PortfolioModel, risk: MarketRisk, measured: Measured): RiskArray | null {
  const underlying = underlyingRisk(model, risk.underlying, measured);
  return underlying === null ? null : riskArray(underlying, risk.instrument);
}

/** Scenarios come out the same under both. */
function pricesAlike(a: Measured, b: Measured): boolean {
  return a.volatility === b.volatility && a.betaPpm === b.betaPpm;
}

/** What a peg is below its threshold scales requirements and prices nothing: in a block in which it alone moves, the scenarios of all markets stand. */
function repegged(array: RiskArray | null, depegPpm: bigint): RiskArray | null {
  return array === null ? null : { ...array, underlying: { ...array.underlying, depegPpm } };
}
