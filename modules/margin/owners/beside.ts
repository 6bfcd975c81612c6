/**
 * Changes of accounts seen beside the other sub-accounts of their owners, before anything is written: what each has elsewhere afterwards, and whether
 * those who did not trade can bear that their owner has grown.
 */
import { type AccountId, numberOf, type OwnerKey, ownerKeyOf } from "../../kit/account-id.ts";
import type { ReadContext } from "../../kit/context.ts";
import { type Account, EMPTY_ACCOUNT } from "../account-codec.ts";
import type { MarginCode } from "../errors.ts";
import { evaluate, meetsInitial } from "../health/health.ts";
import type { MarketViews } from "../health/market-view.ts";
import { OWNER_SUBACCOUNTS_PER_MARKET_MAX } from "../limits.ts";
import { shortText } from "../portfolio/refusals.ts";
import type { MarketId } from "../ports.ts";
import type { MarginState } from "../state.ts";
import { changed, changesOf } from "./changes.ts";
import { countedMarkets, elsewhereOf } from "./kept.ts";
import {
  NOTHING_THERE,
  type OwnerMarket,
  ownerMarket,
  ownsSeveral,
  subaccountOf,
} from "./state.ts";

export interface AccountChange {
  readonly id: AccountId;
  /** undefined: it is made. */
  readonly before: Account | undefined;
  readonly after: Account;
}

export interface SiblingFault {
  /** Who grew. */
  readonly id: AccountId;
  readonly code: MarginCode;
  readonly reason: string;
}

export interface Beside {
  /** The account as it would be read after all the changes. */
  after(change: AccountChange): Account;
  /** Null: no sub-account of these owners stands in the way. */
  fault(views: MarketViews): SiblingFault | null;
}

/** An owner while changes of its sub-accounts are looked at. */
class ChangedOwner {
  readonly #ctx: ReadContext;
  readonly #state: MarginState;
  readonly #owner: OwnerKey;
  readonly #changes: AccountChange[] = [];
  readonly #before: Map<MarketId, OwnerMarket> = new Map();
  readonly #after: Map<MarketId, OwnerMarket> = new Map();

  constructor(ctx: ReadContext, state: MarginState, owner: OwnerKey) {
    this.#ctx = ctx;
    this.#state = state;
    this.#owner = owner;
    // Its first account is written down nowhere until there is a second.
    if (ownsSeveral(ctx, state.owners, owner)) return;
    state.accounts.eachWithPrefix(ctx, owner, (id, account) => {
      for (const change of changesOf([], account.positions)) {
        const record = changed(NOTHING_THERE, numberOf(id), change);
        this.#before.set(change.market, record);
        this.#after.set(change.market, record);
      }
    });
  }

  add(change: AccountChange): void {
    this.#changes.push(change);
    const number = numberOf(change.id);
    const before = change.before ?? EMPTY_ACCOUNT;
    for (const one of changesOf(before.positions, change.after.positions)) {
      this.#after.set(one.market, changed(this.#market(one.market), number, one));
    }
  }

  after(account: Account): Account {
    return { ...account, elsewhere: this.#elsewhere(account) };
  }

  fault(views: MarketViews): SiblingFault | null {
    const grown = [...this.#after.keys()].filter((market) => this.#grew(market));
    if (grown.length === 0) return null;
    const id = this.#grower();
    for (const market of grown) {
      const count = this.#market(market).subaccounts.length;
      if (
        count <= OWNER_SUBACCOUNTS_PER_MARKET_MAX ||
        count <= this.#was(market).subaccounts.length
      )
        continue;
      const reason = `expected at most ${OWNER_SUBACCOUNTS_PER_MARKET_MAX} sub-accounts of one owner in a market`;
      return { id, code: "tooManyShares", reason };
    }
    for (const sibling of this.#siblings(grown, views)) {
      const fault = this.#cannotBear(sibling, views);
      if (fault !== null) return { id, ...fault };
    }
    return null;
  }

  #was(market: MarketId): OwnerMarket {
    let record = this.#before.get(market);
    if (record === undefined) {
      record = ownerMarket(this.#ctx, this.#state.owners, this.#owner, market);
      this.#before.set(market, record);
    }
    return record;
  }

  #market(market: MarketId): OwnerMarket {
    return this.#after.get(market) ?? this.#was(market);
  }

  #elsewhere(account: Account) {
    const { owners } = this.#state;
    const kept = countedMarkets(this.#ctx, owners, this.#owner, account);
    const markets = account.portfolio
      ? [...new Set([...kept, ...this.#after.keys()])].sort((a, b) => a - b)
      : kept;
    return elsewhereOf(account, markets, (market) => this.#market(market));
  }

  #grew(market: MarketId): boolean {
    const was = this.#was(market);
    const is = this.#market(market);
    return (
      is.lots > was.lots ||
      is.worstLots > was.worstLots ||
      is.subaccounts.length > was.subaccounts.length
    );
  }

  /** The first whose change made one of its positions larger. */
  #grower(): AccountId {
    for (const { id, before, after } of this.#changes) {
      const changes = changesOf((before ?? EMPTY_ACCOUNT).positions, after.positions);
      if (changes.some(({ holds, lots, worstLots }) => holds && (lots > 0n || worstLots > 0n)))
        return id;
    }
    return (this.#changes[0] as AccountChange).id;
  }

  /** Those whose requirement may grow though they did not trade. */
  #siblings(grown: readonly MarketId[], views: MarketViews): ReadonlySet<AccountId> {
    const found = new Set<AccountId>();
    for (const market of grown) {
      if (!this.#sharesTiers(market, views)) continue;
      for (const number of this.#market(market).subaccounts)
        found.add(subaccountOf(this.#owner, number));
    }
    if (this.#state.portfolios.size(this.#ctx) > 0)
      this.#state.portfolios.eachWithPrefix(this.#ctx, this.#owner, (id) => void found.add(id));
    for (const { id } of this.#changes) found.delete(id);
    return found;
  }

  /** As long as all lie in the first tier, each pays for its own size whatever the others have. */
  #sharesTiers(market: MarketId, views: MarketViews): boolean {
    const view = views(market);
    if (view === undefined || view.losses !== null) return false;
    const [, second] = view.terms.tiers;
    const { worstLots } = this.#market(market);
    return second !== undefined && worstLots * view.quantaPerLot > second.aboveQuanta;
  }

  #cannotBear(id: AccountId, views: MarketViews): Omit<SiblingFault, "id"> | null {
    const account = this.#state.accounts.get(this.#ctx, id);
    if (account === undefined) return null;
    const after = this.after(account);
    const before = evaluate(account, views);
    const health = evaluate(after, views);
    const raised = health.initial > before.initial || health.maintenance > before.maintenance;
    if (!raised || meetsInitial(after, health)) return null;
    return {
      code: health.fresh ? "siblingMargin" : "stalePrice",
      reason:
        `sub-account ${numberOf(id)} of the same owner, whose size is one: ` +
        shortText(after, views, health),
    };
  }
}

/** Null: none of these accounts has a sibling. */
export function besideOthers(
  ctx: ReadContext,
  state: MarginState,
  changes: readonly AccountChange[],
): Beside | null {
  let owners: Map<OwnerKey, ChangedOwner> | null = null;
  let made: OwnerKey | null = null;
  for (const { id, before } of changes) {
    const owner = ownerKeyOf(id);
    let several = ownsSeveral(ctx, state.owners, owner);
    if (before === undefined && !several) {
      several = made === owner || hasAccount(ctx, state, owner);
      made = owner;
    }
    if (!several) continue;
    owners ??= new Map();
    if (!owners.has(owner)) owners.set(owner, new ChangedOwner(ctx, state, owner));
  }
  if (owners === null) return null;
  const found = owners;
  for (const change of changes) found.get(ownerKeyOf(change.id))?.add(change);
  return {
    after: ({ id, after }) => found.get(ownerKeyOf(id))?.after(after) ?? after,
    fault(views) {
      for (const owner of found.values()) {
        const fault = owner.fault(views);
        if (fault !== null) return fault;
      }
      return null;
    },
  };
}

/** An account that is judged another way than it is kept, beside its owner's others. */
export function beside(
  ctx: ReadContext,
  state: MarginState,
  id: AccountId,
  account: Account,
): Account {
  const change = { id, before: state.accounts.get(ctx, id), after: account };
  return besideOthers(ctx, state, [change])?.after(change) ?? account;
}

function hasAccount(ctx: ReadContext, state: MarginState, owner: OwnerKey): boolean {
  let found = false;
  state.accounts.eachWithPrefix(ctx, owner, () => {
    found = true;
    return true;
  });
  return found;
}
