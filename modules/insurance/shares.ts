/**
 * What shares of a fund are worth, what a loss costs whom, and how much may be paid now. Pure; every rounding stays with the fund.
 *
 * A fund is worth its balance and, at cost, the assets it has bought and not sold yet: buying is an exchange and moves nobody's shares.
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
  /** What was paid for assets not sold yet, quanta. */
  readonly inventory: bigint;
  readonly shares: bigint;
  /** Of them the protocol's. */
  readonly ownShares: bigint;
}

/** Quanta. */
export function worth({ balance, inventory }: Pick<Shared, "balance" | "inventory">): bigint {
  return balance + inventory;
}

/** Quanta, rounded down. */
export function worthOf(fund: Shared, shares: bigint): bigint {
  return fund.shares === 0n ? 0n : mulDivDown(worth(fund), shares, fund.shares);
}

/** The protocol's own part in quanta, rounded down. */
export function ownValue(fund: Shared): bigint {
  return fund.shares === 0n ? worth(fund) : worthOf(fund, fund.ownShares);
}

/** What leaving shares have a part in, quanta: all but `kept`, which those who stay may have to bear alone. Rounded down. */
export function leavingWorth(fund: Shared, shares: bigint, kept: bigint): bigint {
  if (fund.shares === 0n) return 0n;
  return mulDivDown(maximum(worth(fund) - kept, 0n), shares, fund.shares);
}

/** How many of the leaving shares the balance pays, and with how much. */
export function leavingPay(
  fund: Shared,
  leaving: bigint,
  kept: bigint,
): { readonly shares: bigint; readonly amount: bigint } {
  const amount = leavingWorth(fund, leaving, kept);
  if (amount <= fund.balance) return { shares: leaving, amount };
  const shares = mulDivDown(fund.balance, fund.shares, worth(fund) - kept);
  return { shares, amount: leavingWorth(fund, shares, kept) };
}

/** What is there, or may be, beyond a fund's balance and cost: it belongs to those who were there. */
export interface Beside {
  /** What a sale of inventory would bring beyond its cost now, quanta. */
  readonly gain: bigint;
  /** What accounts may give back of payments, with the protocol's shares that come with it. */
  readonly owed: { readonly amount: bigint; readonly ownShares: bigint };
}

/** Shares all told and for whom, after `amount` quanta are put in; null when they cannot be measured or would be too few or too many. */
export function afterUnderwriting(
  fund: Shared,
  amount: bigint,
  { gain, owed }: Beside,
): { readonly shares: bigint; readonly ownShares: bigint; readonly minted: bigint } | null {
  if (fund.shares > 0n && worth(fund) === 0n) return null;
  // Of a fund without shares what comes back is the protocol's, and brings the shares for it along: they are not given here as well.
  const own = (worth(fund) + gain) * SHARES_PER_QUANTUM;
  const before = fund.shares === 0n ? { shares: own, ownShares: own } : fund;
  const whole = afterRecovery(fund, owed.amount, owed.ownShares);
  const minted =
    fund.shares === 0n
      ? amount * SHARES_PER_QUANTUM
      : mulDivDown(amount, whole.shares, worth(whole) + gain);
  const shares = before.shares + minted;
  if (minted < SHARES_MIN || shares >= SHARES_LIMIT) return null;
  return { shares, ownShares: before.ownShares, minted };
}

/**
 * A gift is the protocol's own part, at the price of a share, rounded down: it makes nobody's share dearer, or a gift to an all but empty fund would
 * shut out who comes after. What cannot be sold now counts at cost. In a fund that losses have emptied nothing has a price, and the gift counts as a first contribution.
 */
export function afterGift<F extends Shared>(fund: F, amount: bigint, gain: bigint): F {
  const balance = fund.balance + amount;
  if (fund.shares === 0n) return { ...fund, balance };
  const present = worth(fund) + gain;
  const minted =
    present === 0n ? amount * SHARES_PER_QUANTUM : mulDivDown(amount, fund.shares, present);
  const shares = fund.shares + minted;
  if (shares >= SHARES_LIMIT) return { ...fund, balance };
  return { ...fund, balance, shares, ownShares: fund.ownShares + minted };
}

interface Borne<F extends Shared> {
  readonly fund: F;
  /** What the protocol has borne alone, quanta. */
  readonly firstLoss: bigint;
  /** Its shares that went for it. Of a fund without shares those it would have for it when the first underwriter comes. */
  readonly burnt: bigint;
}

/** Burns what the protocol bears first of a loss that the fund still has. */
function bearFirst<F extends Shared>(fund: F, loss: bigint, firstLossPpm: bigint): Borne<F> {
  if (fund.shares === 0n) return { fund, firstLoss: loss, burnt: loss * SHARES_PER_QUANTUM };
  const firstLoss = minimum(mulDivDown(loss, firstLossPpm, PPM), ownValue(fund));
  if (firstLoss === 0n) return { fund, firstLoss, burnt: 0n };
  // Rounded up: what is burnt is never worth less than what was borne.
  const burnt = minimum(mulDivUp(firstLoss, fund.shares, worth(fund)), fund.ownShares);
  const [shares, ownShares] = [fund.shares - burnt, fund.ownShares - burnt];
  return { fund: { ...fund, shares, ownShares }, firstLoss, burnt };
}

/** A loss of `paid` ≤ balance: what the protocol bears first, and the fund after all of it. */
export function afterLoss<F extends Shared>(fund: F, paid: bigint, firstLossPpm: bigint): Borne<F> {
  const borne = bearFirst(fund, paid, firstLossPpm);
  return { ...borne, fund: { ...borne.fund, balance: fund.balance - paid } };
}

/**
 * What was paid is back, and the protocol's shares that went for it: `ownShares` of them, so that a loss and its recovery leave everybody what he had, whatever came in
 * between, but for rounding. Never more than the amount buys at the present price, so that nobody's share is cheaper by a recovery; in an emptied fund nothing has a price.
 *
 * Burning rounds up, which makes all other shares a little dearer, and so what comes back buys a little less than was burnt. Both rules can hold only if
 * that stays with those who were there: each loss or return costs the protocol less than T ÷ W shares, W the worth after it, T with all that is owed (`shares.prop.test.ts`
 * has why). With a million shares a quantum that is less than a quantum unless less than a millionth of the fund was left.
 */
export function afterRecovery<F extends Shared>(fund: F, amount: bigint, ownShares: bigint): F {
  const balance = fund.balance + amount;
  if (fund.shares === 0n) return { ...fund, balance };
  const present = worth(fund);
  const bought = present === 0n ? ownShares : mulDivDown(amount, fund.shares, present);
  const minted = minimum(ownShares, bought);
  const shares = fund.shares + minted;
  if (shares >= SHARES_LIMIT) return { ...fund, balance };
  return { ...fund, balance, shares, ownShares: fund.ownShares + minted };
}

/** Inventory that had cost `cost` is sold for `proceeds`: more is everybody's gain, less a loss like any other. */
export function afterSale<F extends Shared>(
  fund: F,
  { cost, proceeds }: { readonly cost: bigint; readonly proceeds: bigint },
  firstLossPpm: bigint,
): Borne<F> {
  const borne = bearFirst(fund, maximum(cost - proceeds, 0n), firstLossPpm);
  const balance = fund.balance + proceeds;
  return { ...borne, fund: { ...borne.fund, balance, inventory: fund.inventory - cost } };
}

/**
 * What may be spent now on assets of accounts above zero, so that inventory stays below its share of the fund: purchases do not leave losses without
 * money. Rounded down.
 */
export function purse(fund: Shared, capPpm: bigint): bigint {
  if (capPpm === 0n) return fund.balance;
  const room = mulDivDown(worth(fund), capPpm, PPM) - fund.inventory;
  return maximum(minimum(room, fund.balance), 0n);
}

export interface Drawn {
  readonly balance: bigint;
  readonly inventory: bigint;
  /** Quanta counted at `drawnAtNs`. */
  readonly drawn: bigint;
  readonly drawnAtNs: bigint;
}

/**
 * A cap is a share of the fund as it was before what is still counted, rounded up, so that even a small fund pays in the end; what is counted
 * leaks away at one cap a period.
 */
export function drawnNow(
  { drawn, drawnAtNs, ...fund }: Drawn,
  capPpm: bigint,
  nowNs: bigint,
  periodNs: bigint = HOUR_NS,
): bigint {
  if (drawn === 0n) return 0n;
  const cap = mulDivUp(worth(fund) + drawn, capPpm, PPM);
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
  const cap = mulDivUp(worth(fund) + counted, capPpm, PPM);
  return maximum(minimum(cap - counted, fund.balance), 0n);
}
