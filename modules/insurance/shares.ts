/**
 * What shares of a fund are worth, what a loss costs whom, and how much may be paid now. Pure; every rounding stays with the fund.
 *
 * A fund without underwriters has no shares: all of it is the protocol's. From the first underwriter on the protocol holds shares as
 * anybody does, for what was there, so penalties and fees raise, and losses lower, everybody's share in proportion; except that the
 * protocol's own part bears `first_loss_ppm` of each loss alone, and gifts are the protocol's.
 */
import { maximum, minimum, mulDivDown, mulDivUp, PPM } from "../kit/math/mul-div.ts";
import { SHARES_LIMIT, SHARES_MIN, SHARES_PER_QUANTUM } from "./limits.ts";

export const HOUR_NS = 3_600_000_000_000n;

export interface Shared {
  /** Quanta. */
  readonly balance: bigint;
  readonly shares: bigint;
  /** Of them the protocol's. */
  readonly ownShares: bigint;
}

/** Quanta, rounded down. */
export function worthOf(fund: Shared, shares: bigint): bigint {
  return fund.shares === 0n ? 0n : mulDivDown(fund.balance, shares, fund.shares);
}

/** The protocol's own part in quanta, rounded down. */
export function ownValue(fund: Shared): bigint {
  return fund.shares === 0n ? fund.balance : worthOf(fund, fund.ownShares);
}

/** Shares all told and for whom, after `amount` quanta are put in; null when they cannot be measured or would be too few or too many. */
export function afterUnderwriting(
  fund: Shared,
  amount: bigint,
): { readonly shares: bigint; readonly ownShares: bigint; readonly minted: bigint } | null {
  const own = fund.balance * SHARES_PER_QUANTUM;
  if (fund.shares > 0n && fund.balance === 0n) return null;
  const before = fund.shares === 0n ? { shares: own, ownShares: own } : fund;
  const minted =
    fund.shares === 0n
      ? amount * SHARES_PER_QUANTUM
      : mulDivDown(amount, fund.shares, fund.balance);
  const shares = before.shares + minted;
  if (minted < SHARES_MIN || shares >= SHARES_LIMIT) return null;
  return { shares, ownShares: before.ownShares, minted };
}

/**
 * A gift is the protocol's own part, at the price of a share, rounded down: it makes nobody's share dearer, or a gift to an all but empty fund would
 * shut out who comes after. In a fund that losses have emptied nothing has a price, and the gift counts as a first contribution.
 */
export function afterGift<F extends Shared>(fund: F, amount: bigint): F {
  const balance = fund.balance + amount;
  if (fund.shares === 0n) return { ...fund, balance };
  const minted =
    fund.balance === 0n
      ? amount * SHARES_PER_QUANTUM
      : mulDivDown(amount, fund.shares, fund.balance);
  const shares = fund.shares + minted;
  if (shares >= SHARES_LIMIT) return { ...fund, balance };
  return { ...fund, balance, shares, ownShares: fund.ownShares + minted };
}

/** A loss of `paid` ≤ balance: what the protocol bears first, and the fund after all of it. */
export function afterLoss<F extends Shared>(
  fund: F,
  paid: bigint,
  firstLossPpm: bigint,
): { readonly fund: F; readonly firstLoss: bigint } {
  const balance = fund.balance - paid;
  if (fund.shares === 0n) return { fund: { ...fund, balance }, firstLoss: paid };
  const firstLoss = minimum(mulDivDown(paid, firstLossPpm, PPM), ownValue(fund));
  // Rounded up: what is burnt is never worth less than what was borne.
  const burnt =
    firstLoss === 0n ? 0n : minimum(mulDivUp(firstLoss, fund.shares, fund.balance), fund.ownShares);
  const shares = fund.shares - burnt;
  return { fund: { ...fund, balance, shares, ownShares: fund.ownShares - burnt }, firstLoss };
}

export interface Drawn {
  readonly balance: bigint;
  /** Quanta counted at `drawnAtNs`. */
  readonly drawn: bigint;
  readonly drawnAtNs: bigint;
}

/**
 * A cap is a share of the fund as it was before what is still counted, rounded up, so that even a small fund pays in the end; what is counted
 * leaks away at one cap a period.
 */
export function drawnNow(
  { balance, drawn, drawnAtNs }: Drawn,
  capPpm: bigint,
  nowNs: bigint,
  periodNs: bigint = HOUR_NS,
): bigint {
  if (drawn === 0n) return 0n;
  const cap = mulDivUp(balance + drawn, capPpm, PPM);
  const leaked = mulDivDown(cap, maximum(nowNs - drawnAtNs, 0n), periodNs);
  return maximum(drawn - leaked, 0n);
}

/** Quanta that may be paid now. */
export function available(
  fund: Drawn,
  capPpm: bigint,
  nowNs: bigint,
  periodNs: bigint = HOUR_NS,
): bigint {
  if (capPpm === 0n) return fund.balance;
  const counted = drawnNow(fund, capPpm, nowNs, periodNs);
  const cap = mulDivUp(fund.balance + counted, capPpm, PPM);
  return maximum(minimum(cap - counted, fund.balance), 0n);
}
