/** What shares cost and what they bring, pure. Every rounding stays with the vault. */
import { minimum, mulDivDown, mulDivUp, PPM } from "../kit/math/mul-div.ts";
import { FIRST_SHARES_PER_QUANTUM, OWN_SHARES } from "./limits.ts";

/** One, in units of 1e-18. */
export const WAD: bigint = 10n ** 18n;

/** Shares for a deposit of `amount` quanta into a vault worth `equity` > 0 with `shares` > 0; rounded down. */
export function sharesFor(amount: bigint, shares: bigint, equity: bigint): bigint {
  return mulDivDown(amount, shares, equity);
}

/** Of the first deposit: what the depositor gets, and what the vault keeps for ever. */
export function firstShares(amount: bigint): { readonly own: bigint; readonly holder: bigint } {
  return { own: OWN_SHARES, holder: amount * FIRST_SHARES_PER_QUANTUM - OWN_SHARES };
}

export interface SlippageTerms {
  /** |position| at mark and equity of the sub-account, quanta; equity > 0. */
  readonly notional: bigint;
  readonly equity: bigint;
  readonly spreadPpm: bigint;
  readonly skewPpm: bigint;
  /** Initial requirement of the market's first tier. */
  readonly initialPpm: bigint;
}

/**
 * Share of the value that giving back `given` of `total` shares costs, in units of 1e-18, rounded up; at most leverage × requirement
 * and never more than everything. dYdX MegaVault's formula, in one fraction.
 */
export function slippageWad(terms: SlippageTerms, given: bigint, total: bigint): bigint {
  const { notional: l, equity: e, spreadPpm, skewPpm: s, initialPpm } = terms;
  if (l === 0n) return 0n;
  const most = minimum(mulDivUp(l * initialPpm, WAD, e * PPM), WAD);
  if (given >= total) return most;
  const rest = total - given;
  // l + s·l²·(2n−m)/(n−m) + s²·l³·(3n²−3nm+m²)/(3(n−m)²), times the spread; l stands for l/e, s for s/10^6.
  const squares = 3n * total * total - 3n * total * given + given * given;
  const leaning =
    3n * rest * rest * e * e * PPM * PPM +
    3n * rest * (2n * total - given) * s * l * e * PPM +
    squares * s * s * l * l;
  const divisor = 3n * rest * rest * e * e * e * PPM * PPM * PPM;
  return minimum(mulDivUp(spreadPpm * l * leaning, WAD, divisor), most);
}

/** Quanta for `given` of `total` shares of a sub-account worth `equity` ≥ 0; rounded down. */
export function payoutOf(equity: bigint, given: bigint, total: bigint, slippage: bigint): bigint {
  return mulDivDown(equity * given, WAD - slippage, total * WAD);
}
