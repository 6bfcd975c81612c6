/** Where a layer is quoted, pure. u = skew × leverage; prices lean against inventory as in dYdX's MegaVault. */
import { divTrunc, mulDivDown, mulDivUp, PPM } from "../kit/math/mul-div.ts";
import { TICKS_MAX } from "./limits.ts";
import type { Side } from "./ports.ts";
import { WAD } from "./shares.ts";

export interface PricingTerms {
  readonly referenceTicks: bigint;
  readonly spreadPpm: bigint;
  readonly skewPpm: bigint;
  readonly concessionMaxPpm: bigint;
}

/** Signed leverage in units of 1e-18, toward zero; equity > 0. */
export function leverageWad(notional: bigint, equity: bigint): bigint {
  return divTrunc(notional * WAD, equity);
}

/** Distance from mark in spreads, in units of 1e-18, away from mark positive: 1 − u or (1 − u)² and its mirror. */
function distanceWad(side: Side, leverage: bigint, skewPpm: bigint): bigint {
  const u = divTrunc(skewPpm * leverage, PPM);
  // What the quote adds to when it is filled: a bid to a long, an ask to a short position.
  const same = side === "buy" ? u : -u;
  const away = WAD + same;
  return same > 0n ? divTrunc(away * away, WAD) : away;
}

/** Ticks of a quote at this leverage (1e-18); null when there is no such price. Asks round up, bids down, the bound beyond mark inwards. */
export function quoteTicks(side: Side, leverage: bigint, terms: PricingTerms): bigint | null {
  const { referenceTicks, spreadPpm, concessionMaxPpm } = terms;
  const offset = spreadPpm * distanceWad(side, leverage, terms.skewPpm);
  const least = -concessionMaxPpm * WAD;
  const away = offset > least ? offset : least;
  const ticks =
    side === "sell"
      ? mulDivUp(referenceTicks, PPM * WAD + away, PPM * WAD)
      : mulDivDown(referenceTicks, PPM * WAD - away, PPM * WAD);
  return ticks >= 1n && ticks <= TICKS_MAX ? ticks : null;
}
