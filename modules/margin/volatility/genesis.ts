/** Dynamic margin in genesis: terms, and what was measured; a feed without measurement begins with its seed. */
import type { DynamicMargin, FeedVolatility } from "@keel/proto/gen/keel/margin/v1/dynamic";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { volatilityFault } from "./invariant.ts";
import { seeded } from "./measuring.ts";
import type { VolatilityState } from "./state.ts";
import { validateDynamicMargin } from "./terms.ts";

const DIGITS = /^(0|[1-9][0-9]{0,59})$/;

interface VolatilityGenesis {
  readonly dynamicMargin: DynamicMargin[];
  readonly volatility: FeedVolatility[];
}

export function initVolatility(
  ctx: WriteContext,
  state: VolatilityState,
  genesis: VolatilityGenesis,
): void {
  for (const terms of genesis.dynamicMargin) {
    validateDynamicMargin(terms);
    state.terms.set(ctx, terms.feedId, terms);
    state.measured.set(ctx, terms.feedId, seeded(terms));
  }
  for (const measured of genesis.volatility) {
    const { bufferRange, fastVariance, feedId, floorVariance, slowVariance } = measured;
    for (const text of [fastVariance, slowVariance, floorVariance, bufferRange]) {
      if (!DIGITS.test(text))
        throw refuse("invalidRequest", `margin genesis: feed ${feedId} measured "${text}"`);
    }
    for (const text of [measured.factorVariance, measured.factorCovariance]) {
      if (text !== "" && !DIGITS.test(text.replace(/^-/, "")))
        throw refuse("invalidRequest", `margin genesis: feed ${feedId} measured "${text}"`);
    }
    state.measured.set(ctx, feedId, measured);
  }
  const fault = volatilityFault(ctx, state);
  if (fault !== null) throw refuse("invalidRequest", `margin genesis: ${fault}`);
}

export function exportVolatility(ctx: ReadContext, state: VolatilityState): VolatilityGenesis {
  const genesis: VolatilityGenesis = { dynamicMargin: [], volatility: [] };
  state.terms.each(ctx, (_feedId, terms) => void genesis.dynamicMargin.push(terms));
  state.measured.each(ctx, (_feedId, measured) => void genesis.volatility.push(measured));
  return genesis;
}
