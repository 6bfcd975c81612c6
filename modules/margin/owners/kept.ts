/**
 * The accounts, with what their owners have elsewhere: read with every account, kept by every write. In state it stands only for owners of two or more
 * sub-accounts, so all others cost one look into a small tree.
 */
import { type AccountId, numberOf, type OwnerKey, ownerKeyOf } from "../../kit/account-id.ts";
import { type MapCollection, prefixEnd } from "../../kit/collections/schema.ts";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { absolute } from "../../kit/math/mul-div.ts";
import type { Account, Elsewhere, Position } from "../account-codec.ts";
import { NO_ELSEWHERE } from "../account-codec.ts";
import { findPosition } from "../clearing/fill.ts";
import { worstCaseLots } from "../health/requirement.ts";
import type { MarketId } from "../ports.ts";
import { changed, changesOf } from "./changes.ts";
import {
  NOTHING_THERE,
  type OwnerMarket,
  type OwnerState,
  ownerMarket,
  ownsSeveral,
  subaccountOf,
} from "./state.ts";

/** What an owner has in a market. */
export type OwnerMarkets = (market: MarketId) => OwnerMarket;

const NO_POSITIONS: readonly Position[] = [];

/** All markets of an owner of several, ascending. */
export function marketsOf(
  ctx: ReadContext,
  { markets }: OwnerState,
  owner: OwnerKey,
): readonly MarketId[] {
  const found: MarketId[] = [];
  markets.eachWithPrefix(ctx, owner, ([, market]) => void found.push(market));
  return found;
}

/** What is not the account's own of what its owner has in these markets. */
export function elsewhereOf(
  account: Account,
  markets: Iterable<MarketId>,
  all: OwnerMarkets,
): readonly Elsewhere[] {
  const found: Elsewhere[] = [];
  for (const market of markets) {
    const { lots, worstLots } = all(market);
    if (worstLots === 0n) continue;
    const own = findPosition(account, market);
    const other = {
      market,
      lots: own === undefined ? lots : lots - absolute(own.lots),
      worstLots: own === undefined ? worstLots : worstLots - worstCaseLots(own),
    };
    if (other.worstLots !== 0n) found.push(other);
  }
  return found.length === 0 ? NO_ELSEWHERE : found;
}

/** Those that enter its requirement. */
export function countedMarkets(
  ctx: ReadContext,
  owners: OwnerState,
  owner: OwnerKey,
  account: Account,
): readonly MarketId[] {
  // Concentration is of an underlying, whichever of its markets is held.
  if (account.portfolio) return marketsOf(ctx, owners, owner);
  return account.positions.map(({ market }) => market);
}

/** The record as it is stored. */
function bare(account: Account): Account {
  return account.elsewhere.length === 0 ? account : { ...account, elsewhere: NO_ELSEWHERE };
}

/** `moved` hears of every other sub-account whose requirement a write may change: those in the same market, and a portfolio's wherever it holds. */
export function withOwners(
  accounts: MapCollection<AccountId, Account>,
  owners: OwnerState,
  portfolios: MapCollection<AccountId, true>,
  moved: (ctx: WriteContext, id: AccountId) => void,
): MapCollection<AccountId, Account> {
  /** Concentration is of an underlying. Charges nothing: whom it tells keeps what is no part of state. */
  function portfolioMoved(ctx: WriteContext, owner: OwnerKey): void {
    ctx.state.range(portfolios.id, owner, prefixEnd(owner), (id) => moved(ctx, id as AccountId));
  }

  function keep(
    ctx: WriteContext,
    id: AccountId,
    before: readonly Position[],
    after: readonly Position[],
  ): void {
    const owner = ownerKeyOf(id);
    let isMoved = false;
    for (const change of changesOf(before, after)) {
      const key = [owner, change.market] as const;
      const record = changed(owners.markets.get(ctx, key) ?? NOTHING_THERE, numberOf(id), change);
      if (record.subaccounts.length === 0) owners.markets.delete(ctx, key);
      else owners.markets.set(ctx, key, record);
      if (change.lots === 0n) continue;
      isMoved = true;
      for (const number of record.subaccounts) {
        const other = subaccountOf(owner, number);
        if (other !== id) moved(ctx, other);
      }
    }
    if (isMoved) portfolioMoved(ctx, owner);
  }

  /** At most two. */
  function firstOf(ctx: ReadContext, owner: OwnerKey): readonly (readonly [AccountId, Account])[] {
    const found: (readonly [AccountId, Account])[] = [];
    accounts.eachWithPrefix(ctx, owner, (id, account) => {
      found.push([id, account]);
      return found.length === 2;
    });
    return found;
  }

  function opened(ctx: WriteContext, owner: OwnerKey): void {
    const found = firstOf(ctx, owner);
    if (found.length < 2) return;
    owners.several.set(ctx, owner, true);
    for (const [id, account] of found) keep(ctx, id, NO_POSITIONS, account.positions);
  }

  function closed(ctx: WriteContext, owner: OwnerKey): void {
    if (firstOf(ctx, owner).length === 2) return;
    owners.several.delete(ctx, owner);
    for (const market of marketsOf(ctx, owners, owner)) owners.markets.delete(ctx, [owner, market]);
  }

  function whole(ctx: ReadContext, id: AccountId, account: Account): Account {
    const owner = ownerKeyOf(id);
    if (!ownsSeveral(ctx, owners, owner)) return account;
    const markets = countedMarkets(ctx, owners, owner, account);
    const elsewhere = elsewhereOf(account, markets, (market) =>
      ownerMarket(ctx, owners, owner, market),
    );
    return elsewhere === NO_ELSEWHERE ? account : { ...account, elsewhere };
  }

  return {
    ...accounts,
    get(ctx, id) {
      const account = accounts.get(ctx, id);
      return account === undefined ? undefined : whole(ctx, id, account);
    },
    each: (ctx, visit, options) =>
      accounts.each(ctx, (id, account) => visit(id, whole(ctx, id, account)), options),
    eachWithPrefix: (ctx, prefix, visit, options) =>
      accounts.eachWithPrefix(
        ctx,
        prefix,
        (id, account) => visit(id, whole(ctx, id, account)),
        options,
      ),
    eachBetween: (ctx, from, to, visit, options) =>
      accounts.eachBetween(
        ctx,
        from,
        to,
        (id, account) => visit(id, whole(ctx, id, account)),
        options,
      ),
    set(ctx, id, account) {
      const owner = ownerKeyOf(id);
      if (ownsSeveral(ctx, owners, owner)) {
        const before = accounts.get(ctx, id)?.positions ?? NO_POSITIONS;
        accounts.set(ctx, id, bare(account));
        keep(ctx, id, before, account.positions);
        return;
      }
      const known = ctx.state.size(accounts.id);
      accounts.set(ctx, id, bare(account));
      if (ctx.state.size(accounts.id) !== known) opened(ctx, owner);
    },
    delete(ctx, id) {
      const owner = ownerKeyOf(id);
      const several = ownsSeveral(ctx, owners, owner);
      const before = several ? accounts.get(ctx, id)?.positions : undefined;
      accounts.delete(ctx, id);
      if (before === undefined) return;
      keep(ctx, id, before, NO_POSITIONS);
      closed(ctx, owner);
    },
  };
}
