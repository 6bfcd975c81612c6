/**
 * What must hold at the end of a replay, from three sources that do not know each other: the ledger's queries at one height, the
 * events of all blocks, and the coins of bank. Pure: figures in, verdicts out.
 */

import { OPENED_SHARE_MIN } from "./limits.ts";

/** Everything read at one height; money in quanta. */
export interface ClosingBooks {
  readonly height: number;
  /** Sub-accounts of every owner that took part. */
  readonly accounts: readonly { readonly collateral: bigint; readonly equity: bigint }[];
  readonly positions: readonly { readonly market: string; readonly lots: bigint }[];
  readonly totals: {
    readonly collateral: bigint;
    readonly feesHeld: bigint;
    readonly pendingShortfall: bigint;
  };
  readonly insurance: bigint;
  /** Bank balance of the collateral vault. */
  readonly vault: bigint;
  readonly supply: bigint;
  /** Σ bank balances of all owners that took part, the vault left out. */
  readonly wallets: bigint;
}

/** What the blocks' events add up to. */
export interface Flows {
  readonly deposited: bigint;
  readonly withdrawn: bigint;
  readonly feesCollected: bigint;
  readonly insuranceFunded: bigint;
  readonly insuranceReceived: bigint;
  readonly insurancePaid: bigint;
  readonly alarms: readonly string[];
}

export interface Opening {
  readonly supply: bigint;
  readonly fund: bigint;
}

/** Those who were to trade, and how many of them have held a position. */
export interface Crowd {
  readonly traders: number;
  readonly opened: number;
}

export interface HashComparison {
  readonly validators: number;
  readonly firstHeight: number;
  readonly lastHeight: number;
  /** One sentence per height at which they differ or one is missing. */
  readonly differences: readonly string[];
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);

export function checkBooks(books: ClosingBooks, flows: Flows, opening: Opening): Check[] {
  const equity = sum(books.accounts.map((account) => account.equity));
  const paidIn =
    opening.fund + flows.deposited + flows.insuranceFunded - flows.withdrawn - flows.feesCollected;
  const missing = sum(books.accounts.map((a) => (a.equity < 0n ? -a.equity : 0n)));
  return [
    equal(
      "money conserved: vault = equity of all accounts at mark + insurance + fees held",
      books.vault,
      equity + books.insurance + books.totals.feesHeld,
    ),
    equal(
      "money conserved: vault = opening fund + deposits + gifts - withdrawals - fees paid out",
      books.vault,
      paidIn,
    ),
    equal("money conserved: supply is that of genesis", books.supply, opening.supply),
    equal("money conserved: supply = wallets + vault", books.supply, books.wallets + books.vault),
    equal(
      "collateral of all accounts = running total",
      sum(books.accounts.map((account) => account.collateral)),
      books.totals.collateral,
    ),
    equal(
      "insurance = opening fund + gifts + received - paid",
      books.insurance,
      opening.fund + flows.insuranceFunded + flows.insuranceReceived - flows.insurancePaid,
    ),
    equal("accounts below zero = deficit queue", missing, books.totals.pendingShortfall),
    ...markets(books).map((market) =>
      equal(
        `positions of ${market} sum to zero`,
        sum(books.positions.filter((p) => p.market === market).map((p) => p.lots)),
        0n,
      ),
    ),
    {
      name: "no market quarantined, no invariant broken",
      ok: flows.alarms.length === 0,
      detail: flows.alarms[0] ?? "none",
    },
  ];
}

/** Without a crowd in positions nothing is liquidated, and all other checks hold of a market in which nothing happened. */
export function checkCrowd({ traders, opened }: Crowd): Check {
  return {
    name: "nearly all traders opened a position",
    ok: traders > 0 && opened >= Math.ceil(traders * OPENED_SHARE_MIN),
    detail: `${opened} of ${traders}`,
  };
}

export function checkHashes(comparison: HashComparison): Check {
  const { validators, firstHeight, lastHeight, differences } = comparison;
  const heights = lastHeight - firstHeight + 1;
  return {
    name: `same app hash on all ${validators} validators at every height`,
    ok: differences.length === 0 && heights > 0,
    detail:
      differences[0] ??
      (heights > 0 ? `${heights} heights, ${firstHeight} to ${lastHeight}` : "no height compared"),
  };
}

function markets(books: ClosingBooks): string[] {
  return [...new Set(books.positions.map(({ market }) => market))].sort((a, b) => (a < b ? -1 : 1));
}

function equal(name: string, left: bigint, right: bigint): Check {
  return {
    name,
    ok: left === right,
    detail: left === right ? `${left}` : `${left} against ${right}, off by ${left - right}`,
  };
}
