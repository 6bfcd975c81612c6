/** Markets under the margin model in state. Risk arrays are functions of what markets say and of the model, and remembered with both. */
import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import type { ModelledMarkets } from "./market-view.ts";
import { type RiskArray, riskArray, underlyingRisk } from "./portfolio/risk-array.ts";
import type { MarketId, MarketRisk, MarketsPort } from "./ports.ts";
import type { MarginState } from "./state.ts";

interface Made {
  readonly risk: MarketRisk;
  readonly model: PortfolioModel;
  readonly array: RiskArray | null;
}

export function modelledMarkets(state: MarginState, markets: MarketsPort): ModelledMarkets {
  const made = new Map<MarketId, Made>();
  return {
    ...markets,
    model: (ctx) => state.portfolioModel.get(ctx),
    riskArray(ctx, market, model) {
      const risk = markets.risk(ctx, market);
      if (risk === undefined) return null;
      const known = made.get(market);
      if (known !== undefined && known.risk === risk && known.model === model) return known.array;
      const underlying = underlyingRisk(model, risk.underlying);
      const array = underlying === null ? null : riskArray(underlying, risk.instrument);
      made.set(market, { risk, model, array });
      return array;
    },
  };
}
