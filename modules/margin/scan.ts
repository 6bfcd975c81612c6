/** Recomputes every running total from the accounts alone and says where the kept one differs. */
import type { ReadContext } from "../kit/context.ts";
import type { MarketLedger } from "./account-codec.ts";
import { emptyLedger } from "./account-codec.ts";
import type { MarketId } from "./ports.ts";
import type { MarginState } from "./state.ts";

export interface Scanned {
  readonly collateral: bigint;
  readonly accounts: bigint;
  readonly active: bigint;
  /** Without `realised`, which no open position remembers. */
  readonly ledgers: ReadonlyMap<MarketId, MarketLedger>;
}

export function scanAccounts(ctx: ReadContext, state: MarginState): Scanned {
  let collateral = 0n;
  let accounts = 0n;
  let active = 0n;
  const ledgers = new Map<MarketId, MarketLedger>();
  state.accounts.each(ctx, (_id, account) => {
    collateral += account.collateral;
    accounts += 1n;
    let holds = false;
    for (const { market, lots, quote, fundingIndex } of account.positions) {
      if (lots === 0n) continue;
      holds = true;
      const known = ledgers.get(market) ?? emptyLedger(market);
      ledgers.set(market, {
        ...known,
        openQuote: known.openQuote + quote,
        fundingWeight: known.fundingWeight + lots * fundingIndex,
        longLots: known.longLots + (lots > 0n ? lots : 0n),
        shortLots: known.shortLots + (lots < 0n ? -lots : 0n),
        positions: known.positions + 1n,
      });
    }
    if (holds) active += 1n;
  });
  return { collateral, accounts, active, ledgers };
}

const LEDGER_FIELDS = ["openQuote", "fundingWeight", "longLots", "shortLots", "positions"] as const;

/** Null: totals, ledgers and indexes say what the accounts say. */
export function scanFault(ctx: ReadContext, state: MarginState): string | null {
  const scanned = scanAccounts(ctx, state);
  const totals = state.totals.require(ctx);
  if (totals.collateral !== scanned.collateral) {
    return `total collateral is ${totals.collateral}, accounts hold ${scanned.collateral}`;
  }
  if (totals.accounts !== scanned.accounts) {
    return `total of accounts is ${totals.accounts}, there are ${scanned.accounts}`;
  }
  let indexed = 0n;
  let stray = false;
  state.active.each(ctx, (id) => {
    indexed += 1n;
    const account = state.accounts.get(ctx, id);
    stray ||= !(account?.positions.some((position) => position.lots !== 0n) ?? false);
  });
  if (stray || indexed !== scanned.active) {
    return `the index lists ${indexed} accounts with positions, there are ${scanned.active}`;
  }
  return ledgersFault(ctx, state, scanned.ledgers);
}

function ledgersFault(
  ctx: ReadContext,
  state: MarginState,
  scanned: ReadonlyMap<MarketId, MarketLedger>,
): string | null {
  let fault: string | null = null;
  let matched = 0;
  state.ledgers.each(ctx, (market, kept) => {
    const found = scanned.get(market) ?? emptyLedger(market);
    if (scanned.has(market)) matched += 1;
    for (const field of LEDGER_FIELDS) {
      if (kept[field] !== found[field]) {
        fault ??= `market ${market}: ${field} is ${kept[field]}, positions sum to ${found[field]}`;
      }
    }
  });
  if (fault !== null) return fault;
  return matched === scanned.size ? null : "positions exist in a market without a ledger";
}
