/** One account whose positions in ending markets are paid out. Pure. */
import { assert } from "../../kit/errors.ts";
import type { Account, Position } from "../account-codec.ts";
import { settledQuote } from "../health/health.ts";
import type { MarketId } from "../ports.ts";
import type { Settled } from "../waterfall/gains-haircut.ts";
import type { LedgerChange } from "./fill.ts";

/** What is settled of a market: its symbol and value, or null when it is not in the sweep or was stopped. */
export interface Ending {
  readonly symbol: string;
  readonly value: bigint;
  readonly fundingIndex: bigint;
}
export type Endings = (market: MarketId) => Ending | null;

export interface SettledAccount {
  readonly account: Account;
  readonly settled: readonly {
    readonly position: Position;
    readonly ending: Ending;
    readonly change: LedgerChange;
  }[];
}

/** Pure: the account with its positions in ending markets paid out. Null: it has none. */
export function settleAccount(account: Account, endings: Endings): SettledAccount | null {
  const kept: Position[] = [];
  const settled: SettledAccount["settled"][number][] = [];
  let collateral = account.collateral;
  for (const position of account.positions) {
    const ending = position.lots === 0n ? null : endings(position.market);
    if (ending === null) {
      kept.push(position);
      continue;
    }
    const { lots, quote, fundingIndex, openBuyLots, openSellLots } = position;
    assert(openBuyLots === 0n && openSellLots === 0n, "a settled position has orders");
    const realised = settledQuote(position, ending.fundingIndex) + lots * ending.value;
    collateral += realised;
    const change: LedgerChange = {
      openQuote: -quote,
      fundingWeight: -lots * fundingIndex,
      realised,
      longLots: lots > 0n ? -lots : 0n,
      shortLots: lots < 0n ? lots : 0n,
      positions: -1n,
    };
    settled.push({ position, ending, change });
  }
  if (settled.length === 0) return null;
  return {
    account: {
      collateral,
      feeReserve: account.feeReserve,
      positions: kept,
      portfolio: account.portfolio,
      isolated: account.isolated,
      assets: account.assets,
      elsewhere: account.elsewhere,
    },
    settled,
  };
}

export function amountsOf({ settled }: SettledAccount): readonly Settled[] {
  return settled.map(({ position, change }) => ({
    market: position.market,
    realised: change.realised,
  }));
}

export function holdsLots(account: Account): boolean {
  return account.positions.some((position) => position.lots !== 0n);
}
