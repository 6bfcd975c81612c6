/** The exact identities of the ledger, on running totals. Used by the invariants and after every end-of-block step. */
import type { ReadContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import type { MarketLedger } from "./account-codec.ts";
import type { MarketId } from "./ports.ts";
import type { MarginState } from "./state.ts";

/** What the market's open positions are owed (or owe) in sum, at any mark: openQuote + fundingWeight = −realised. */
export function marketBalance(ledger: MarketLedger): bigint {
  return -ledger.realised;
}

export function netPositionFault(ledger: MarketLedger): string | null {
  if (ledger.longLots === ledger.shortLots && ledger.longLots >= 0n) return null;
  return `market ${ledger.market}: ${ledger.longLots} lots long but ${ledger.shortLots} short`;
}

/**
 * Zero, always: what open positions hold in cash and what closed ones took. While an expired market is being settled, one side may be ahead of
 * the other; then the lots still open, at the value that all are settled at, are the difference.
 */
export function solvencyFault(ledger: MarketLedger, settlementValue: bigint = 0n): string | null {
  const open = (ledger.longLots - ledger.shortLots) * settlementValue;
  const sum = ledger.openQuote + ledger.fundingWeight + ledger.realised + open;
  if (sum === 0n) return null;
  return `market ${ledger.market}: realised and open profits sum to ${sum}, not 0`;
}

/** Throws AssertionError: the step that broke it is reverted and the market quarantined. */
export function assertMarketSound(ctx: ReadContext, state: MarginState, market: MarketId): void {
  const ledger = state.ledgers.get(ctx, market);
  if (ledger === undefined) return;
  const fault = netPositionFault(ledger) ?? solvencyFault(ledger);
  assert(fault === null, fault ?? "");
}
