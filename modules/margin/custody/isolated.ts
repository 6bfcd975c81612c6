/** Isolated sub-accounts: one market, by position or order, and never a giver of anything that moves by itself. */
import type { Account } from "../account-codec.ts";
import type { MarginCode } from "../errors.ts";

/** What refuses one market more. Null: there is room. */
export function roomFault(
  account: Account,
  markets: number,
  marketsMax: number,
): MarginCode | null {
  if (account.isolated && markets > 1) return "isolatedMarket";
  return markets > marketsMax ? "tooManyMarkets" : null;
}

/** Of an account whose markets have changed. It may keep what it has. */
export function marketsFault(
  before: Account,
  after: Account,
  marketsMax: number,
): MarginCode | null {
  const markets = after.positions.length;
  return markets > before.positions.length ? roomFault(after, markets, marketsMax) : null;
}
