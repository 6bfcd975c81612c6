/**
 * Markets whose risk arrays are read at the end of a block: those of which owners of portfolio accounts hold lots. Kept with the branch and no part of state: of
 * accounts that are written the markets are found again, of all others they stand.
 */
import type { AccountId } from "../../kit/account-id.ts";
import type { MapCollection } from "../../kit/collections/schema.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import type { Account } from "../account-codec.ts";
import type { MarketId } from "../ports.ts";

const OWNER: object = {};

export interface PortfolioAccounts {
  readonly accounts: MapCollection<AccountId, Account>;
  readonly portfolios: MapCollection<AccountId, true>;
}

export interface MarketSet {
  has(market: MarketId): boolean;
}

/** What concentration counts is among them. */
function marketsOf(account: Account | undefined): ReadonlySet<MarketId> {
  const found = new Set<MarketId>();
  for (const { lots, market } of account?.positions ?? []) if (lots !== 0n) found.add(market);
  for (const { lots, market } of account?.elsewhere ?? []) if (lots !== 0n) found.add(market);
  return found;
}

class HeldMarkets {
  readonly #of: Map<AccountId, ReadonlySet<MarketId>> = new Map();
  /** How many accounts hold each. */
  readonly #holders: Map<MarketId, number> = new Map();
  #touched: Set<AccountId> = new Set();

  has(market: MarketId): boolean {
    return this.#holders.has(market);
  }

  touch(id: AccountId): void {
    this.#touched.add(id);
  }

  refresh(ctx: WriteContext, { accounts, portfolios }: PortfolioAccounts): void {
    const touched = this.#touched;
    if (touched.size === 0) return;
    this.#touched = new Set();
    for (const id of touched) {
      this.set(id, portfolios.has(ctx, id) ? accounts.get(ctx, id) : undefined);
    }
    // What was found may be undone.
    ctx.state.onRevert(() => {
      for (const id of touched) this.#touched.add(id);
    });
  }

  /** Undefined: no portfolio account. */
  set(id: AccountId, account: Account | undefined): void {
    for (const market of this.#of.get(id) ?? []) this.#count(market, -1);
    if (account === undefined) {
      this.#of.delete(id);
      return;
    }
    const markets = marketsOf(account);
    for (const market of markets) this.#count(market, 1);
    this.#of.set(id, markets);
  }

  #count(market: MarketId, more: number): void {
    const count = (this.#holders.get(market) ?? 0) + more;
    if (count === 0) this.#holders.delete(market);
    else this.#holders.set(market, count);
  }
}

function heldOf(ctx: ReadContext): HeldMarkets | undefined {
  return ctx.state.derived.get(OWNER) as HeldMarkets | undefined;
}

/** The account is being written, or what its owner has elsewhere. */
export function touchPortfolio(ctx: ReadContext, id: AccountId): void {
  heldOf(ctx)?.touch(id);
}

function scanned(ctx: ReadContext, { accounts, portfolios }: PortfolioAccounts): HeldMarkets {
  const held = new HeldMarkets();
  portfolios.each(ctx, (id) => held.set(id, accounts.get(ctx, id)));
  return held;
}

/** As they stand, until the next write. */
export function portfolioMarkets(ctx: WriteContext, state: PortfolioAccounts): MarketSet {
  let held = heldOf(ctx);
  if (held === undefined) {
    held = scanned(ctx, state);
    ctx.state.derived.set(OWNER, held);
    // Writes before this moment were told to nobody.
    ctx.state.onRevert(() => void ctx.state.derived.delete(OWNER));
  }
  held.refresh(ctx, state);
  return held;
}

/** The same by looking at all portfolio accounts. */
export function scanPortfolioMarkets(ctx: ReadContext, state: PortfolioAccounts): MarketSet {
  return scanned(ctx, state);
}
