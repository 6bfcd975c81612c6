/**
 * The arithmetic of one fill on one account, pure. Funding is settled first, then lots and cash move; a position that reaches zero
 * lots moves its quote balance to collateral.
 */

import { assert } from "../../kit/errors.ts";
import { absolute } from "../../kit/math/mul-div.ts";
import { MONEY_LIMIT } from "../../kit/money.ts";
import type { Account, MarketLedger, Position } from "../account-codec.ts";
import { settledQuote } from "../health/health.ts";
import { LOTS_LIMIT } from "../limits.ts";
import type { MarketId } from "../ports.ts";

export interface Fill {
  readonly market: MarketId;
  readonly fundingIndex: bigint;
  /** Signed: bought positive. */
  readonly lots: bigint;
  /** Signed: received positive. */
  readonly quote: bigint;
  /** Signed: charged positive, taken from collateral. */
  readonly fee: bigint;
  /** Resting exposure taken off with this fill. */
  readonly releaseBuyLots: bigint;
  readonly releaseSellLots: bigint;
  readonly releaseFeeReserve: bigint;
}

/** What one account's fill does to its market's ledger. */
export interface LedgerChange {
  readonly openQuote: bigint;
  readonly fundingWeight: bigint;
  readonly realised: bigint;
  readonly longLots: bigint;
  readonly shortLots: bigint;
  readonly positions: bigint;
}

export interface FilledAccount {
  readonly account: Account;
  readonly before: Position;
  readonly after: Position;
  readonly change: LedgerChange;
}

export function emptyPosition(market: MarketId): Position {
  return { market, lots: 0n, quote: 0n, fundingIndex: 0n, openBuyLots: 0n, openSellLots: 0n };
}

export function findPosition(account: Account, market: MarketId): Position | undefined {
  for (const position of account.positions) {
    if (position.market === market) return position;
    if (position.market > market) return undefined;
  }
  return undefined;
}

/** It has lots in the market, and not only orders. */
export function holds(account: Account, market: MarketId): boolean {
  return (findPosition(account, market)?.lots ?? 0n) !== 0n;
}

/** The list with `position` in its place, or without it when nothing is left in it. */
export function withPosition(
  positions: readonly Position[],
  position: Position,
): readonly Position[] {
  const empty = position.lots === 0n && position.openBuyLots === 0n && position.openSellLots === 0n;
  const out: Position[] = [];
  let placed = empty;
  for (const other of positions) {
    if (!placed && other.market > position.market) {
      out.push(position);
      placed = true;
    }
    if (other.market !== position.market) out.push(other);
    else if (!placed) {
      out.push(position);
      placed = true;
    }
  }
  if (!placed) out.push(position);
  return out;
}

export function applyFill(account: Account, fill: Fill): FilledAccount {
  const before = findPosition(account, fill.market) ?? emptyPosition(fill.market);
  const lots = before.lots + fill.lots;
  const quote = settledQuote(before, fill.fundingIndex) + fill.quote;
  const realised = lots === 0n ? quote : 0n;
  const after: Position = {
    market: fill.market,
    lots,
    quote: quote - realised,
    fundingIndex: lots === 0n ? 0n : fill.fundingIndex,
    openBuyLots: before.openBuyLots - fill.releaseBuyLots,
    openSellLots: before.openSellLots - fill.releaseSellLots,
  };
  const feeReserve = account.feeReserve - fill.releaseFeeReserve;
  assert(
    after.openBuyLots >= 0n && after.openSellLots >= 0n && feeReserve >= 0n,
    "a fill released more resting exposure than was held",
  );
  return {
    account: {
      collateral: account.collateral + realised - fill.fee,
      feeReserve,
      positions: withPosition(account.positions, after),
      portfolio: account.portfolio,
      isolated: account.isolated,
      assets: account.assets,
      elsewhere: account.elsewhere,
    },
    before,
    after,
    change: {
      openQuote: after.quote - before.quote,
      fundingWeight: after.lots * after.fundingIndex - before.lots * before.fundingIndex,
      realised,
      longLots: longPart(lots) - longPart(before.lots),
      shortLots: longPart(-lots) - longPart(-before.lots),
      positions: (lots === 0n ? 0n : 1n) - (before.lots === 0n ? 0n : 1n),
    },
  };
}

function longPart(lots: bigint): bigint {
  return lots > 0n ? lots : 0n;
}

/** Sizes and balances stay inside their integer ranges. */
export function inRange(filled: FilledAccount): boolean {
  return (
    absolute(filled.after.lots) < LOTS_LIMIT &&
    absolute(filled.after.quote) < MONEY_LIMIT &&
    absolute(filled.account.collateral) < MONEY_LIMIT
  );
}

export function changeLedger(ledger: MarketLedger, ...changes: LedgerChange[]): MarketLedger {
  let { openQuote, fundingWeight, realised, longLots, shortLots, positions } = ledger;
  for (const change of changes) {
    openQuote += change.openQuote;
    fundingWeight += change.fundingWeight;
    realised += change.realised;
    longLots += change.longLots;
    shortLots += change.shortLots;
    positions += change.positions;
  }
  return {
    market: ledger.market,
    openQuote,
    fundingWeight,
    realised,
    longLots,
    shortLots,
    positions,
  };
}
