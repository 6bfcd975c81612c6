/** The markets as margin sees them: where margin follows volatility, with the rates of their tiers times the multipliers of their feed. */
import { divCeil, maximum, minimum, PPM } from "../../kit/math/mul-div.ts";
import type { MarketsPort, MarketTerms, RequirementTier } from "../ports.ts";
import type { Multipliers } from "./multipliers.ts";
import type { VolatilityState } from "./state.ts";

/** Rounded up; never below the market's own rate, and no multiplier takes it above 100 %. */
function scaledRate(own: bigint, multiplierPpm: bigint): bigint {
  return maximum(own, minimum(divCeil(own * multiplierPpm, PPM), PPM));
}

function scaledTier(tier: RequirementTier, now: Multipliers): RequirementTier {
  return {
    aboveQuanta: tier.aboveQuanta,
    initialPpm: scaledRate(tier.initialPpm, now.initialPpm),
    maintenancePpm: scaledRate(tier.maintenancePpm, now.maintenancePpm),
  };
}

interface Made extends Multipliers {
  readonly terms: MarketTerms;
}

// Terms are immutable, and asked for by every order and health check: what was made of them last is remembered with them.
const last = new WeakMap<MarketTerms, Made>();

function scaled(terms: MarketTerms, now: Multipliers): MarketTerms {
  const known = last.get(terms);
  const { initialPpm, maintenancePpm } = now;
  if (known?.initialPpm === initialPpm && known.maintenancePpm === maintenancePpm) {
    return known.terms;
  }
  const tiers = terms.tiers.map((tier) => scaledTier(tier, now));
  const made = { initialPpm, maintenancePpm, terms: { ...terms, tiers } };
  last.set(terms, made);
  return made.terms;
}

/** Where nothing follows volatility nothing is read, so nothing is charged. */
export function scaledMarkets(state: VolatilityState, markets: MarketsPort): MarketsPort {
  return {
    ...markets,
    terms(ctx, market) {
      const terms = markets.terms(ctx, market);
      if (terms === undefined || state.measured.size(ctx) === 0) return terms;
      const measured = state.measured.get(ctx, terms.feedId);
      return measured === undefined ? terms : scaled(terms, measured);
    },
  };
}
